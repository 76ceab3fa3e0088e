"""The panels of the tour, one file each."""
