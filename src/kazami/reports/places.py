"""The place of a finding in words: a layer that is called ``0`` needs its number and its shape to be found."""

from collections.abc import Sequence
from typing import Any

from ..records.finding import Finding, Sentence
from ..records.trace import Layer
from .words import both

_OF_A_PARAMETER = (".weight", ".bias")


def placed(finding: Finding, layers: Sequence[Layer]) -> Sentence:
    """Return the place of a finding, empty for the whole model; a layer with its number and its shape.

    Args:
        finding: Any.
        layers: The layers of the run, in order of first execution.

    Example:
        >>> layers = [Layer("0", "linear", (64, 20), 20, 64), Layer("2", "linear", (5, 64), 64, 5)]
        >>> placed(Finding("KZ104", "dead_units", "error", 0.9, 1, "0", Sentence("", "")), layers).en
        '0 (layer 1 of 2, linear 20→64)'
    """
    place = Sentence(finding.place, finding.place_in("ja"))
    number = next((number for number, layer in enumerate(layers, start=1) if finding.place in _names(layer)), None)
    if number is None:
        return place
    described = both("layer_of", n=number, all=len(layers), what=what(layers[number - 1]))
    return Sentence(f"{place.en} ({described.en})", f"{place.ja}（{described.ja}）")


def what(layer: Layer) -> str:
    """Return kind and shape of a layer as people say it, input first.

    >>> what(Layer("c", "conv", (16, 3, 5, 5), 75, 16)), what(Layer("n", "norm", (16,), 16, 16))
    ('conv 3→16, 5×5', 'norm 16')
    """
    kind = "" if layer.kind == "other" else f"{layer.kind} "
    if layer.kind in ("linear", "conv", "recurrent") and len(layer.shape) > 1:
        kernel = "×".join(map(str, layer.shape[2:]))
        return f"{kind}{layer.shape[1]}→{layer.shape[0]}{f', {kernel}' if kernel else ''}"
    return f"{kind}{'×'.join(map(str, layer.shape))}".strip()


def layers_of(head: dict[str, Any]) -> tuple[Layer, ...]:
    """Return the layers that the head of a run holds under ``"layers"``; none where they are not as kazami writes them."""
    try:
        fields = Layer.__dataclass_fields__
        found = [{key: value for key, value in one.items() if key in fields} for one in head.get("layers") or ()]
        return tuple(Layer(**{**one, "shape": tuple(one.get("shape", ()))}) for one in found)
    except (TypeError, AttributeError):
        return ()


def _names(layer: Layer) -> tuple[str, ...]:
    return (layer.name, *(layer.name + ending for ending in _OF_A_PARAMETER))
