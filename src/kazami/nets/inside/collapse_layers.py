"""Which layers of a network bend, each examined on its own with what went into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ...errors import UsageError
from .affinity import affinity
from .flat_network import InputOutputMap
from .input_output_map import input_output_map
from .layer_calls import LayerCall

CONTAINERS = (nn.Sequential,)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVerdict:
    """Whether one layer is affine in what goes into it.

    Attributes:
        name: The module's name in the model; ``"forward"`` for what the model does outside of its modules.
        kind: Its class.
        is_affine: Everywhere; ``None`` where it could not be examined (``why_not``).
        affine_on_data: On what went into it in this example.
        residual: Largest relative violation of affinity, ``nan`` where it was not examined.
        n_inputs: Numbers in.
        n_outputs: Numbers out.
        n_calls: How often the pass calls it.
        has_weights: Whether it owns a weight matrix.
        why_not: Why it could not be examined.
    """

    name: str
    kind: str
    is_affine: bool | None
    affine_on_data: bool | None
    residual: float
    n_inputs: int = 0
    n_outputs: int = 0
    n_calls: int = 1
    has_weights: bool = False
    why_not: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        names = ("name", "kind", "is_affine", "affine_on_data", "residual", "n_inputs", "n_outputs", "n_calls", "has_weights", "why_not")
        values = {name: getattr(self, name) for name in names}
        return values | {"residual": None if self.residual != self.residual or self.residual == float("inf") else self.residual}


def layer_verdicts(function: InputOutputMap, calls: Sequence[LayerCall], *, tolerance: float | None = None) -> list[LayerVerdict]:
    """Return one verdict per layer of ``function``, in the order of the calls.

    A layer is a module in whose call no other module is called. A module that calls others is listed only if it bends although everything it calls is
    affine: then its own ``forward`` does it.

    Args:
        function: The network.
        calls: Its layers with what went into them, from :func:`~kazami.nets.inside.layer_calls.layer_calls`.
        tolerance: See :func:`~kazami.nets.inside.affinity.affinity`.
    """
    verdicts: dict[str, LayerVerdict] = {call.name: _verdict(call, function, tolerance) for call in calls if call.is_leaf}
    for call in reversed(list(calls)):  # inner modules first
        if not call.is_leaf and not isinstance(call.module, CONTAINERS) and not _bends_inside(call.name, verdicts):
            found = _verdict(call, function, tolerance)
            if found.is_affine is False:
                verdicts[call.name] = found
    return [verdicts[call.name] for call in calls if call.name in verdicts]


def _bends_inside(name: str, verdicts: dict[str, LayerVerdict]) -> bool:
    return any(verdict.is_affine is not True for other, verdict in verdicts.items() if other.startswith(f"{name}."))


def _verdict(call: LayerCall, function: InputOutputMap, tolerance: float | None) -> LayerVerdict:
    facts: dict[str, Any] = {"name": call.name, "kind": call.kind, "n_calls": call.n_calls, "has_weights": call.has_weights}
    if call.kind.startswith("Embedding"):
        weight = next(call.module.parameters())
        return LayerVerdict(is_affine=True, affine_on_data=True, residual=0.0, n_inputs=weight.shape[0], n_outputs=weight.shape[-1], **facts)
    try:
        alone = input_output_map(call.module, call.arguments[0], call.arguments[1], mode="as_is", double=function.dtype == torch.float64)
        found = affinity(alone, tolerance=tolerance)
    except UsageError as error:
        return LayerVerdict(is_affine=None, affine_on_data=None, residual=float("nan"), why_not=str(error), **facts)
    return LayerVerdict(
        is_affine=found.is_affine,
        affine_on_data=found.affine_on_data,
        residual=found.residual,
        n_inputs=alone.n_inputs,
        n_outputs=alone.n_outputs,
        **facts,
    )
