"""One neuron, a layer, a deep network: the same formula, shown with live numbers."""
