"""Fully connected networks of any depth, from ordinary ``torch.nn`` modules."""

import re
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from ...errors import UsageError, unknown_name
from ..starts.initialisation import initialise
from .branch_shapes import shapes_at_the_ends
from .chosen_activation import Given, activation_module, inputs_per_output
from .dense_block import DenseBlock
from .residual import Residual
from .seeded import seeded
from .shortcuts import KINDS, checked_kind, ends, refusal

_NORMALISATIONS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm, "rms": nn.RMSNorm}
_LSUV_EXAMPLES = 256


def mlp(
    sizes: str | Sequence[int],
    *,
    activation: Given | Sequence[Given] = "relu",
    initialisation: str | None = None,
    normalisation: str | None = None,
    shortcut: str | None = None,
    scale: float | str = 1.0,
    output: Given = "identity",
    seed: int | None = None,
) -> nn.Sequential:
    r"""Return a multilayer perceptron: each hidden layer is :math:`\varphi(\mathrm{norm}(XW + b))`, the last one :math:`XW + b`.

    Args:
        sizes: From input to output: ``"3-4-2"`` or ``[3, 4, 2]``.
        activation: φ of the hidden layers: a name of the catalogue, a function, a module or its class; a list of them, one per hidden layer.
        initialisation: ``None`` (torch's own), ``"xavier"``, ``"he"``, ``"orthogonal"``, ``"lsuv"``, ``"zero_residual"`` or ``"normal:<std>"``
            (:func:`.initialise`); LSUV is done on standard normal inputs.
        normalisation: Before each activation: ``None``, ``"batch"``, ``"layer"`` or ``"rms"``.
        shortcut: Around each hidden layer: ``None``, ``"identity"``, ``"zero_pad"``, ``"projection"`` (:class:`.Residual`) or ``"dense"``
            (:class:`.DenseBlock`). The first hidden layer brings the data to the hidden width; it goes without where such a shortcut cannot lead around it.
        scale: Of the branches, for the first three: a number, ``"rezero"`` or ``"1/sqrt(L)"``, where L is the number of branches.
        output: Activation of the last layer.
        seed: For the weights: the same seed gives the same network, and torch's generator is left where it was. ``None`` draws from it.

    Raises:
        UsageError: Sizes, names or shortcuts that cannot be used.

    Example:
        >>> mlp("3-4-2", activation=nn.Tanh, output=nn.Identity)
        Sequential(
          (0): Linear(in_features=3, out_features=4, bias=True)
          (1): Tanh()
          (2): Linear(in_features=4, out_features=2, bias=True)
        )
    """
    widths = sizes_of(sizes)
    activations = _one_per_layer(activation, len(widths) - 2)
    if normalisation is not None and normalisation not in _NORMALISATIONS:
        raise unknown_name("normalisation", normalisation, _NORMALISATIONS)
    if shortcut not in (None, "dense"):
        shortcut = _checked_shortcut(shortcut)
    with seeded(seed):
        hidden, width = _hidden(widths, activations, normalisation, shortcut, scale)
        last = activation_module(output)
        closing = [nn.Linear(width, widths[-1] * inputs_per_output(last)), *([] if isinstance(last, nn.Identity) else [last])]
        model = nn.Sequential(*hidden, *closing)
        if initialisation is not None:
            initialise(model, initialisation, example=torch.randn(_LSUV_EXAMPLES, widths[0]) if initialisation == "lsuv" else None)
    return model


def sizes_of(sizes: str | Sequence[int]) -> list[int]:
    """Return the sizes that ``"3-4-2"`` or ``[3, 4, 2]`` names.

    Raises:
        UsageError: Fewer than two, or one that is no whole number above 0.

    Example:
        >>> sizes_of("784-128-64-10")
        [784, 128, 64, 10]
    """
    parts = re.split(r"\s*[-–,x→]\s*", sizes.strip()) if isinstance(sizes, str) else list(sizes)
    try:
        widths = [int(part) for part in parts]
    except (TypeError, ValueError):
        widths = []
    if len(widths) < 2 or min(widths) < 1 or any(isinstance(part, float) and part != int(part) for part in parts):
        raise UsageError(f"Sizes should be two or more whole numbers above 0, from input to output, such as 3-4-2, and are {sizes!r}.")
    return widths


def _one_per_layer(activation: Given | Sequence[Given], n_hidden: int) -> list[Given]:
    if not isinstance(activation, list | tuple):
        return [activation] * n_hidden  # type: ignore[list-item]
    if len(activation) != n_hidden:
        raise UsageError(f"A list of activations should have one for each of the {n_hidden} hidden layers, and has {len(activation)}.")
    return list(activation)


def _checked_shortcut(shortcut: str | None) -> str:
    if shortcut not in KINDS:
        raise unknown_name("shortcut", str(shortcut), (*KINDS, "dense"))
    return shortcut


def _hidden(widths: list[int], activations: list[Given], normalisation: str | None, shortcut: str | None, scale: float | str) -> tuple[list[nn.Module], int]:
    """Return the hidden layers, and how many features the last of them gives."""
    layers: list[nn.Module] = []
    width = widths[0]
    n_branches = sum(_leads_around(before, after, shortcut) for before, after in pairwise(widths[:-1]))
    for number, (after, given) in enumerate(zip(widths[1:-1], activations, strict=True)):
        parts = _layer(width, after, given, normalisation)
        if shortcut is None or (number == 0 and shortcut != "dense" and not _leads_around(width, after, shortcut)):
            layers += parts
            width = after
        elif shortcut == "dense":
            layers.append(DenseBlock(nn.Sequential(*parts)))
            width += after
        else:
            layers.append(Residual(nn.Sequential(*parts), shortcut=shortcut, scale=scale, depth=n_branches))
            width = after
    return layers, width


def _layer(n_in: int, n_out: int, given: Given, normalisation: str | None) -> list[nn.Module]:
    made = activation_module(given)
    n_sums = n_out * inputs_per_output(made)
    return [nn.Linear(n_in, n_sums), *([] if normalisation is None else [_NORMALISATIONS[normalisation](n_sums)]), made]


def _leads_around(n_in: int, n_out: int, shortcut: str | None) -> bool:
    if shortcut in (None, "dense"):
        return False
    layer = nn.Linear(n_in, n_out, device="meta")
    found = shapes_at_the_ends(layer, torch.empty(1, n_in))
    return found is not None and not refusal(checked_kind(str(shortcut)), ends(*found, layer))
