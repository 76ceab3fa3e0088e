"""Normalise each sample by itself."""

from typing import ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, names_of, path_of

GROUPS = 8


class LayerNorm(AbstractCure):
    """Replaces batch normalisation by group normalisation, which computes the same in training and in evaluation, with batches of any size.

    Limits:
        The running statistics vanish from the state dict. The number of groups must divide the channels: the largest of 8, 4, 2 and 1 that does is taken.
    """

    name: ClassVar = "layer_norm"
    treats: ClassVar = ("train_eval_mismatch",)
    order: ClassVar = 5
    changes: ClassVar = both("Replaces batch normalisation by one that does not depend on the batch.", "バッチ正規化を、バッチに依存しない正規化に替えます。")
    side_effects: ClassVar = both("Loses the noise of the batch statistics, which regularises.", "正則化として働いていたバッチ統計の揺らぎがなくなります。")
    reference: ClassVar = "Wu and He 2018, Group normalization, arXiv 1803.08494; Ba, Kiros and Hinton 2016, arXiv 1607.06450"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return a line for each normalisation seen, with its channels; a general one where none was seen."""
        del finding
        norms = [layer for layer in trace.layers if layer.kind == "norm" and path_of(layer.name) != "weight"]
        lines = [f"{path_of(norm.name)} = nn.GroupNorm({groups_for(norm.shape[0])}, {norm.shape[0]})" for norm in norms]
        return self.prescription(
            parameters={"layers": names_of(norms), "groups": [groups_for(norm.shape[0]) for norm in norms]},
            code="\n".join(lines[:4]) or f"norm = nn.GroupNorm({GROUPS}, channels)  # not nn.BatchNorm2d(channels)",
        )


def groups_for(channels: int) -> int:
    """Return the largest of 8, 4, 2 and 1 that divides the number of channels.

    >>> groups_for(64), groups_for(10)
    (8, 2)
    """
    return next(groups for groups in (GROUPS, 4, 2, 1) if channels % groups == 0)
