"""The axis of a log-softmax."""

from typing import ClassVar

from ..records.finding import Prescription
from ._activations import is_method
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, only
from ._source import argument
from ._values import number


class AxisOfSoftmax(AbstractEdit):
    """Writes the axis of the classes where another one is written."""

    name: ClassVar = "axis_of_softmax"
    writes: ClassVar = ("softmax_axis",)
    how: ClassVar = "At the one `nn.LogSoftmax(dim)`, `F.log_softmax(x, dim)` or `x.log_softmax(dim)` with that axis."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the axis."""
        axis, classes = int(change.parameters["axis"]), int(change.parameters["classes"])
        found = []
        for source, call in places.program.calls():
            name = source.called(call)
            is_function = name in ("torch.log_softmax", "torch.nn.functional.log_softmax")
            if is_function or name == "torch.nn.LogSoftmax" or is_method(call, "log_softmax"):
                given = argument(call, 1 if is_function else 0, "dim")
                if given is not None and number(source, given.value) == axis:
                    found.append((source, given.value))
        source, node = only(found, "a log-softmax runs over that axis")
        draft.replace(source, node, str(classes))
