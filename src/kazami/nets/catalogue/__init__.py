"""The catalogue: what can be computed of an activation, and the recognition of user-defined ones."""
