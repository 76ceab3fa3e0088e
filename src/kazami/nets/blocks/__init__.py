"""Neuron, layer, network: the parts a network is built of, and the ways past them."""
