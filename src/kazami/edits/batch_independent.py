"""Group normalisation in the place of batch normalisation."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, only
from ._source import Uncertain, argument
from ._values import number, origin

BATCH = tuple(f"torch.nn.BatchNorm{dimensions}d" for dimensions in (1, 2, 3))
DROPPED = ("momentum", "track_running_stats")


class BatchIndependent(AbstractEdit):
    """Writes ``nn.GroupNorm(groups, channels)`` for every ``nn.BatchNorm``."""

    name: ClassVar = "batch_independent"
    writes: ClassVar = ("layer_norm",)
    how: ClassVar = "At every `nn.BatchNorm1d/2d/3d` whose number of groups is known."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it."""
        groups = [int(one) for one in change.parameters["groups"]]
        made = places.program.calls_of(*BATCH)
        if not made or not groups:
            raise Uncertain("no batch normalisation")
        for source, call in made:
            given = only([one for one in [argument(call, 0, "num_features")] if one is not None], "channels")
            end = origin(places.program, source, given.value)
            channels = number(end.source, end.node) if end is not None else None
            if len(set(groups)) > 1 and channels is None:
                raise Uncertain("groups for channels that are not written")
            count = groups[0] if len(set(groups)) == 1 else groups_for(int(channels or 0))
            positional = [one for one in call.args if one.keyword is None]
            if len(positional) > 1:
                raise Uncertain("settings without names")
            draft.replace(source, call.func, draft.rooted(source, "nn.GroupNorm"))
            start = source.span(given)[0]
            draft.put(source, start, source.span(given.value)[0], f"{count}, ")
            for one in call.args:
                if one.keyword is not None and one.keyword.value in DROPPED:
                    draft.drop_argument(source, call, one)


def groups_for(channels: int) -> int:
    """Return the largest of 8, 4 and 2 groups that divides the channels and leaves four or more in each, else 1."""
    return next((groups for groups in (8, 4, 2) if channels % groups == 0 and channels // groups >= 4), 1)
