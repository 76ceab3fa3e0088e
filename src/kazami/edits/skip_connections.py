"""Skip connections around the layers of a ``forward``."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._activations import MODULES, place_of
from ._base import AbstractEdit
from ._draft import Draft
from ._layers import LayerPlace, layer_place, runs_over_all, uses
from ._places import Places
from ._source import Source, Uncertain, dotted


class SkipConnections(AbstractEdit):
    """Adds what a layer is given to what its activation returns, in ``forward``.

    Limits:
        Only for a layer whose call and activation stand in one expression, on a variable that keeps its value until then.
    """

    name: ClassVar = "skip_connections"
    writes: ClassVar = ("residual",)
    how: ClassVar = "In `forward`, where a layer and its activation are called in one expression on a plain variable."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the sums."""
        scale = f"{float(change.parameters['scale']):g}"
        found = [layer_place(places, str(name)) for name in change.parameters["layers"]]
        for place in found:
            if place.home == "sequential" or (place.home == "list" and runs_over_all(place) and not _are_all(places, place, found)):
                raise Uncertain("layers without a call of their own")
            for call in uses(place):
                whole = _with_activation(places, place.source, call)
                given = call.args[0].value if len(call.args) == 1 else None
                if given is None or not isinstance(given, cst.Name):
                    raise Uncertain("what a layer is given has no name")
                start = place.source.outer_span(whole)[0]
                draft.put(place.source, start, start, f"{dotted(given)} + {scale} * ")


def _with_activation(places: Places, source: Source, call: cst.Call) -> cst.CSTNode:
    """Return the activation's call around a layer's call; it must be the whole of what is assigned or returned."""
    whole: cst.CSTNode = call
    for one in source.around(call):
        if isinstance(one, cst.Assign | cst.Return):
            break
        if isinstance(one, cst.Call):
            if all(place_of(places, source, one, name) is None for name in MODULES):
                raise Uncertain("what is around a layer is no activation")
            whole = one
    if whole is call or not isinstance(source.parent(whole), cst.Assign | cst.Return):
        raise Uncertain("the activation stands elsewhere")
    return whole


def _are_all(places: Places, place: LayerPlace, found: list[LayerPlace]) -> bool:
    """Return whether the loop over a list runs over nothing but the layers that were named."""
    prefix = place.name.rpartition(".")[0]
    named = {one.name for one in found if one.name.rpartition(".")[0] == prefix}
    try:
        layer_place(places, f"{prefix}.{len(named)}")
    except Uncertain:
        return f"{prefix}.0" in named and not place.is_repeated
    return place.is_repeated and f"{prefix}.0" in named
