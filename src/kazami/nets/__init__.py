"""Networks from one neuron φ(XW+b) up: their parts, their drawing, and what a fresh or trained one does to its input.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    # activations (the catalogue)
    "Activation": ".catalogue",
    "activation": ".catalogue",
    "all_activations": ".catalogue",
    "describe": ".recognition",
    "recognise": ".recognition",
    # parts
    "Neuron": ".neuron",
    "ThresholdNeuron": ".neuron",
    "Dense": ".dense",
    "DenseBlock": ".dense_block",
    "Residual": ".residual",
    "mlp": ".perceptron",
    "both_forms": ".forms",
    "hebb": ".plasticity",
    "oja": ".plasticity",
    "explain": ".explanation",
    # initialisation and signal propagation
    "initialise": ".initialisation",
    "variance_through_depth": ".initialisation",
    "mean_field": ".mean_field",
    "critical_weight_variance": ".mean_field",
    # the graph: a room that can be called
    "graph": ".graph",
    # what a network does to its input
    "linear_collapse": ".collapse",
    "collapse_report": ".collapse",
    "nonlinearity": ".nonlinearity",
    "sensitivity": ".sensitivity",
    "sensitivity_map": ".sensitivity_slice",
    "local_model": ".local_model",
    # inside a network
    "probe_layers": ".probes",
    "freeze_layers": ".freezing",
    "replace_by_identity": ".ablation",
    "residual_ratios": ".residual_ratios",
    "residual_tape": ".residual_trace",
    "activation_mixtures": ".mixtures",
    "identity_ablation": ".ablation",
    "first_layer_figure": ".first_layer",
}

__all__ = sorted(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)


def __dir__() -> list[str]:
    """Return the names in the room, also those not opened yet."""
    return sorted({*globals(), *_MODULE_OF})
