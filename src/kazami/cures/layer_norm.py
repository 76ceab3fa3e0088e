"""Normalise each sample by itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, names_of, path_of

if TYPE_CHECKING:
    from ..maps import Training

GROUPS = 8
LEAST = 4  # channels in a group


class LayerNorm(AbstractCure):
    """Replaces batch normalisation by group normalisation, which computes the same in training and in evaluation, with batches of any size.

    Limits:
        The running statistics vanish from the state dict. The number of groups must divide the channels, see :func:`groups_for`.
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

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training that normalises groups of channels wherever it normalised batches; ``None`` where it does not."""
        from torch.nn import functional as F

        from ._modes import with_swapped

        del parameters
        return with_swapped(training, {F.batch_norm: in_groups})


def in_groups(x: Any, mean: Any, variance: Any, weight: Any = None, bias: Any = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Any:
    """Return what ``F.group_norm`` makes of the arguments of ``F.batch_norm``."""
    from torch.nn import functional as F

    del mean, variance, training, momentum
    return F.group_norm(x, groups_for(x.shape[1]), weight, bias, eps)


def groups_for(channels: int) -> int:
    """Return the largest of 8, 4 and 2 groups that divides the channels and leaves four or more in each, else 1: alone in its group a value becomes 0.

    >>> groups_for(64), groups_for(10), groups_for(6)
    (8, 2, 1)
    """
    return next((groups for groups in (GROUPS, 4, 2) if channels % groups == 0 and channels // groups >= LEAST), 1)
