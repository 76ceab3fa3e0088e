"""What a network does to its input, as a whole and layer by layer: collapse, non-linearity, sensitivity, local models, probes and ablations."""
