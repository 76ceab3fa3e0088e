"""Maps of trainability: which learning rates train at all, and the fractal edge between those that do and those that do not."""
