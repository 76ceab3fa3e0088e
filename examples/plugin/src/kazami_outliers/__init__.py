"""An example of a package that adds to kazami: weights that stick out of their layer are found, named and clamped."""
