"""The document of ``kazami nets inside``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...nets.inside.freezing import FrozenLayer
from ...nets.inside.probes import LayerProbe
from ...nets.inside.residual_trace import ResidualRatio
from ...records.json_schema import MAY_BE_ABSENT, Shown
from ._base import AbstractDocument

PLAIN = Shown(or_null=True)


@dataclass(frozen=True, slots=True)
class ProbesEntry:
    """A linear probe on every layer.

    Attributes:
        unit: ``"accuracy"`` or ``"R²"``.
        chance: Score of always giving the most frequent class, or the mean.
        own_score: The network's own, on the same rows; ``null`` where its output is no prediction.
        n_train: Rows the probes were fitted to.
        n_test: Rows held out.
        layers: The input first, then the layers in the order of the calls.
    """

    unit: str
    chance: float
    own_score: float | None
    n_train: int
    n_test: int
    layers: list[Annotated[LayerProbe, PLAIN]]


@dataclass(frozen=True, slots=True)
class AblatedEntry:
    """One layer replaced by the identity.

    Attributes:
        name: The module's name.
        kind: Its class.
        is_possible: Whether a layer of its sizes can be the identity.
        why_not: Why it cannot, in the language asked for.
        output_change: Relative change of the network's output.
        score: Score with the identity in its place.
        score_change: That, minus the whole network's.
    """

    name: str
    kind: str
    is_possible: bool
    why_not: str
    output_change: float | None
    score: float | None
    score_change: float | None


@dataclass(frozen=True, slots=True)
class AblationEntry:
    """Each layer replaced by the identity in turn.

    Attributes:
        unit: ``"score"`` (the training's own) or ``"minus loss"``.
        score: Of the whole network.
        layers: One for each layer.
    """

    unit: str
    score: float | None
    layers: list[AblatedEntry]


@dataclass(frozen=True, slots=True)
class FrozenEntry:
    """Each layer frozen at its initial values in turn.

    Attributes:
        unit: ``"score"`` or ``"minus loss"``.
        scores: Of the whole training, one per seed.
        seeds: The seeds.
        layers: One for each layer that owns parameters.
    """

    unit: str
    scores: list[float]
    seeds: list[int]
    layers: list[Annotated[FrozenLayer, PLAIN]]


@dataclass(frozen=True, slots=True)
class InsideDocument(AbstractDocument):
    """What each layer knows, what it is worth, and how much residual blocks add.

    Attributes:
        schema: Version of the document's form.
        target: What was looked at.
        trained: Whether it was trained first.
        probes: Absent where the data have no answers to be read.
        identity_ablation: Each layer replaced by the identity.
        residual_blocks: How much each block adds; empty without residual blocks.
        frozen: Only with ``--train``.
        figure: Path of the picture, where one was asked for.
    """

    document: ClassVar = "inside"
    commands: ClassVar = ("kazami nets inside --json",)

    schema: Literal[1]
    target: str
    trained: bool
    probes: Annotated[ProbesEntry, MAY_BE_ABSENT]
    identity_ablation: AblationEntry
    residual_blocks: list[Annotated[ResidualRatio, PLAIN]]
    frozen: Annotated[FrozenEntry, MAY_BE_ABSENT]
    figure: Annotated[str, MAY_BE_ABSENT]
