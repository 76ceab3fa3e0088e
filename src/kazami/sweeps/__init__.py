"""Sweeps: any factors of a training against one another, as one table that survives a kill."""
