"""Half precision: which layers compute in it, and how much of their gradients is lost because float16 ends at 6e-8."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .extra_backward import ExtraBackward
from .graph import LiveGraph, Node
from .layers import Sight
from .observables import sample

if TYPE_CHECKING:
    from .observer import Observer

HALVES = (torch.float16, torch.bfloat16)
FACTORS = (2.0**14, 2.0**9, 2.0**4)  # powers of two change no digit; the largest that overflows nowhere shows most


def dtype_of(node: Node) -> torch.dtype | None:
    """Return the type of the numbers that an operation puts out."""
    try:
        return node._input_metadata[0].dtype  # type: ignore[no-any-return]
    except (AttributeError, IndexError, RuntimeError):
        return None


def half_layers(sights: Sequence[Sight]) -> list[Sight]:
    """Return the layers whose weight is stored, or whose output is computed, in half precision."""
    return [sight for sight in sights if sight.is_trained and (sight.weight.dtype in HALVES or any(dtype_of(use) in HALVES for use in sight.uses[-1:]))]


def precision_facts(sights: Sequence[Sight]) -> dict[str, Any]:
    """Return the fact ``half_precision``: the format, the layers in it, and whether their weights are stored in it; nothing where there are none."""
    halves = half_layers(sights)
    if not halves:
        return {}
    stored = [sight for sight in halves if sight.weight.dtype in HALVES]
    formats = {sight.weight.dtype if sight in stored else dtype_of(sight.uses[-1]) for sight in halves}
    name = "float16" if torch.float16 in formats else "bfloat16"
    return {"half_precision": {"format": name, "layers": [sight.layer.name for sight in halves], "weights": [sight.layer.name for sight in stored]}}


class UnderflowReader:
    r"""Measures what float16 loses of a gradient on its way back, by a second backward of the same graph from a start :math:`2^k` times as large.

    With ``g`` the gradient as it comes and ``G`` the one from :math:`2^k`, both exact but for rounding, the lost share of a layer is
    :math:`1 - 2^k \sum g\,\mathrm{sign}(G) / \sum |G|`: zero without underflow, whatever the size of the numbers, and 1 where nothing arrives. What a dead
    unit, an unused feature or a masked position leaves at zero is zero in both and takes no part.
    """

    def __init__(self) -> None:
        self._extra = ExtraBackward()

    def read(self, graph: LiveGraph, sights: Sequence[Sight], observer: "Observer") -> None:
        """Give each layer in float16 its ``underflow_share`` and, of the entries that have a gradient, its ``zeroed_share``."""
        halves = [sight for sight in half_layers(sights) if torch.float16 in (sight.weight.dtype, *(dtype_of(use) for use in sight.uses))]
        if not halves or len(graph.roots) != 1 or not self._extra.is_due(observer.clock) or not self._extra.is_allowed(graph, observer):
            return
        weights = [sight.weight for sight in halves]
        plain = self._extra.gradients(graph.roots[0], weights, 1.0, observer)
        for factor in FACTORS if plain is not None else ():
            larger = self._extra.gradients(graph.roots[0], weights, factor, observer)
            if larger is None or plain is None:
                return
            if all(one is None or bool(torch.isfinite(one).all()) for one in larger):
                self._compare(halves, plain, larger, factor)
                return

    def _compare(self, halves: Sequence[Sight], plain: Sequence[Tensor | None], larger: Sequence[Tensor | None], factor: float) -> None:
        for sight, small, large in zip(halves, plain, larger, strict=True):
            if small is None or large is None or not bool(torch.isfinite(small).all()):
                continue
            g, whole = sample(small).double(), sample(large).double()
            total = float(whole.abs().sum())
            if total > 0:
                sight.values["underflow_share"] = min(max(1 - factor * float((g * whole.sign()).sum()) / total, 0.0), 1.0)
                sight.values["zeroed_share"] = float(((g == 0) & (whole != 0)).sum() / (whole != 0).sum())
