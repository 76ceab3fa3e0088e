"""A normalisation between the layers."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._behind_model import write_behind_model
from ._draft import Draft
from ._layers import LayerPlace, elements_of, layer_place, uses
from ._places import Places
from ._source import Uncertain


class Normalisation(AbstractEdit):
    """Puts a normalisation behind each hidden layer: an element more in ``nn.Sequential``, an attribute and a call in ``forward``, else a hook.

    Limits:
        In ``nn.Sequential`` the layers behind get other numbers, and so do their weights in a checkpoint.
    """

    name: ClassVar = "normalisation"
    writes: ClassVar = ("norm_layers",)
    how: ClassVar = "An element of `nn.Sequential`, or an attribute in `__init__` and its call in `forward`; hooks behind the model otherwise."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it."""
        layers = [str(name) for name in change.parameters["layers"]]
        widths, kind = [int(width) for width in change.parameters["widths"]], str(change.parameters["norm"])
        try:
            found = [layer_place(places, name) for name in layers]
            calls = {place.name: uses(place) for place in found if place.home == "attribute"}
            is_plain = all(_is_plain(places, place) for place in found)
        except Uncertain:
            is_plain = False
        if not layers or not is_plain:
            write_behind_model(draft, places, change.code)
            return
        for place, width in zip(found, widths, strict=True):
            made = f"{draft.rooted(place.source, f'nn.{kind}')}({width})"
            if place.home == "sequential" and place.element is not None:
                draft.after_element(place.source, place.element, made)
                continue
            held = f"self.{place.attribute}_norm"
            draft.after(place.source, place.source.statement(place.made), f"{held} = {made}")
            for call in calls[place.name]:
                draft.wrap(place.source, call, f"{held}(", ")")


def _is_plain(places: Places, place: LayerPlace) -> bool:
    if place.home == "sequential" and place.container is not None and not place.is_repeated:
        return isinstance(elements_of(places.program, place.source, place.container), list)
    in_init = place.source.function(place.made)
    return place.home == "attribute" and in_init is not None and in_init.name.value == "__init__" and f"{place.attribute}_norm" not in place.source.text
