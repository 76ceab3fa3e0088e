"""What a patient is: a small training, ill or healthy on purpose, whose label an intervention has proved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..maps import Training


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A small training (at most 5 s on one core) with a label that counts only when an intervention proves it.

    Attributes:
        name: Unique, in snake case, for example ``"deep_sigmoid_on_digits"``.
        label: The one planted cause as a finding's name (``"vanishing_gradient"``), or ``None`` for a healthy training.
        also_true: Further finding names that are true statements about this training (consequences of the cause, or a second way to say it).
        family: ``"mlp"``, ``"cnn"``, ``"rnn"``, ``"lstm"``, ``"transformer"``, ``"linear"`` …
        task: ``"classification"`` or ``"regression"``.
        training: Makes the training.
        healed: Makes the same training with that one cause changed and nothing else; ``None`` for a healthy patient.
        good: The value ``evaluate`` must reach for a training to count as working; an ill patient stays below it, its healed twin and a healthy patient
            reach it.
        near_boundary: Healthy, but with a symptom that looks like an illness.
    """

    name: str
    label: str | None
    family: str
    task: Literal["classification", "regression"]
    training: Callable[[], Training]
    good: float
    healed: Callable[[], Training] | None = None
    also_true: frozenset[str] = frozenset()
    near_boundary: bool = False
