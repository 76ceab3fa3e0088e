"""A recurrent net with gates in the place of a plain one."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, only
from ._source import Uncertain

GATED = {"torch.nn.RNN": "nn.GRU", "torch.nn.RNNCell": "nn.GRUCell"}


class GatedNet(AbstractEdit):
    """Makes an ``nn.GRU`` where an ``nn.RNN`` was made: its state is one tensor too, so that ``forward`` stays as it is."""

    name: ClassVar = "gated_net"
    writes: ClassVar = ("gated_recurrent",)
    how: ClassVar = "At the one `nn.RNN` or `nn.RNNCell`; a cell written by hand gets lines only."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the class, without the activation that a plain net can choose."""
        if change.parameters.get("kind") != "gru":
            raise Uncertain("a cell written by hand")
        source, call = only(places.program.calls_of(*GATED), "a plain recurrent net is made")
        if any(one.star for one in call.args) or sum(one.keyword is None for one in call.args) > 3:
            raise Uncertain("settings without names")
        draft.replace(source, call.func, draft.rooted(source, GATED[source.called(call)]))
        for one in call.args:
            if one.keyword is not None and one.keyword.value == "nonlinearity":
                draft.drop_argument(source, call, one)
