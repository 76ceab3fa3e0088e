"""Maps whose Lyapunov exponents are known: one per file. The oracles of every estimator, and the examples of every kind of motion."""
