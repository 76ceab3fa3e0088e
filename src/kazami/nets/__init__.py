"""Networks from one neuron φ(XW+b) up: their parts, their drawing, and what a fresh or trained one does to its input.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    # activations (the catalogue)
    "Activation": ".catalogue.entries",
    "activation": ".catalogue.entries",
    "all_activations": ".catalogue.entries",
    "describe": ".catalogue.recognition",
    "recognise": ".catalogue.recognition",
    # parts
    "Neuron": ".blocks.neuron",
    "ThresholdNeuron": ".blocks.neuron",
    "Dense": ".blocks.dense",
    "DenseBlock": ".blocks.dense_block",
    "Residual": ".blocks.residual",
    "mlp": ".blocks.perceptron",
    "both_forms": ".blocks.forms",
    "hebb": ".blocks.plasticity",
    "oja": ".blocks.plasticity",
    "explain": ".explained.explanation",
    # initialisation and signal propagation
    "initialise": ".starts.initialisation",
    "variance_through_depth": ".starts.initialisation",
    "mean_field": ".starts.mean_field",
    "critical_weight_variance": ".starts.mean_field",
    # the graph: a room that can be called
    "graph": ".graph",
    # what a network does to its input
    "linear_collapse": ".inside.collapse",
    "collapse_report": ".inside.collapse",
    "nonlinearity": ".inside.nonlinearity",
    "sensitivity": ".inside.sensitivity",
    "sensitivity_map": ".inside.sensitivity_slice",
    "local_model": ".inside.local_model",
    # inside a network
    "probe_layers": ".inside.probes",
    "freeze_layers": ".inside.freezing",
    "replace_by_identity": ".inside.ablation",
    "residual_ratios": ".inside.residual_ratios",
    "residual_tape": ".inside.residual_trace",
    "activation_mixtures": ".inside.mixtures",
    "identity_ablation": ".inside.ablation",
    "first_layer_figure": ".inside.first_layer",
}

__all__ = sorted(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)


def __dir__() -> list[str]:
    """Return the names in the room, also those not opened yet."""
    return sorted({*globals(), *_MODULE_OF})
