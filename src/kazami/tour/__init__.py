"""The tour: the whole idea in five panels on real computations, on one screen and in one page."""
