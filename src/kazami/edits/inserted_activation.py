"""An activation between layers that have none."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._behind_model import moved, write_behind_model
from ._draft import Draft
from ._layers import LayerPlace, elements_of, layer_place, runs_over_all, uses
from ._places import Places
from ._source import Uncertain


class InsertedActivation(AbstractEdit):
    """Puts ReLU behind each hidden layer: an element more in ``nn.Sequential``, a function around the call in ``forward``, else a hook behind the model.

    Limits:
        In ``nn.Sequential`` the layers behind get other numbers, and so do their weights in a checkpoint.
    """

    name: ClassVar = "inserted_activation"
    writes: ClassVar = ("insert_activation",)
    how: ClassVar = "An element of `nn.Sequential`, `torch.relu` around a layer's call in `forward`; hooks behind the model where layers are made in a loop."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it."""
        layers = [str(name) for name in change.parameters["layers"]]
        if not layers:
            raise Uncertain("no layer is named")
        try:
            found = [layer_place(places, name) for name in layers]
            calls = {place.name: uses(place) for place in found if place.home != "sequential"}
        except Uncertain:
            write_behind_model(draft, places, change.code)
            return
        if any(place.is_repeated and (place.home == "sequential" or runs_over_all(place)) for place in found):
            write_behind_model(draft, places, change.code)
            return
        for place in found:
            if place.home == "sequential" and place.element is not None:
                draft.after_element(place.source, place.element, draft.rooted(place.source, "nn.ReLU()"))
            for call in calls.get(place.name, ()):
                draft.wrap(place.source, call, draft.rooted(place.source, "torch.relu") + "(", ")")
        write_behind_model(draft, places, moved(_initialisation(change.code), new_names(places, found)))


def _initialisation(code: str) -> str:
    """Return the lines behind the hooks."""
    lines = code.splitlines()
    last = max((number for number, line in enumerate(lines) if "register_forward_hook" in line), default=-1)
    return "\n".join(lines[last + 1 :])


def new_names(places: Places, found: list[LayerPlace]) -> dict[str, str]:
    """Return the names that layers of the same containers get when one element is put behind each of some layers."""
    names: dict[str, str] = {}
    inside = [place for place in found if place.home == "sequential" and place.container is not None]
    for place in inside:
        prefix, _, key = place.name.rpartition(".")
        if not key.isdecimal() or not isinstance(elements_of(places.program, place.source, place.container), list):  # type: ignore[arg-type]
            raise Uncertain("a container with names of its own")
        same = [int(other.name.rpartition(".")[2]) for other in inside if other.container is place.container]
        names[place.name] = f"{prefix}.{int(key) + sum(other < int(key) for other in same)}".lstrip(".")
    return names
