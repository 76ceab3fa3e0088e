"""How a network starts: initialisations, and what they do to signals and gradients over depth, measured and in theory."""
