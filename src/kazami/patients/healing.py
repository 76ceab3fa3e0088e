"""What ``cure`` makes of a patient, judged by the patient's own score with seeds that neither diagnosis nor proof has seen."""

import random
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from ..maps import Training
from ..maps.training import untouched_randomness
from ..records import Proof
from ..trials import cure
from ._base import Patient

FRESH_SEEDS = (1009, 2003, 3001)  # added to the training's own; a proof takes its neighbours
HEALTHY_SHARE = 3  # of a sample, one healthy patient for so many ill ones


@dataclass(frozen=True, slots=True)
class Healing:
    """What became of one patient.

    Attributes:
        name: The patient.
        label: Its planted cause, ``None`` for a healthy one.
        is_changed: Whether ``cure`` changed the training.
        changes: The names of the changes.
        scores: The scores of the training that ``cure`` gave back, one per fresh seed; ``None`` where it failed.
        good: The score that counts as working.
        n_tried: How many candidates were tried.
        seconds: How long ``cure`` took.
    """

    name: str
    label: str | None
    is_changed: bool
    changes: tuple[str, ...]
    scores: tuple[float | None, ...]
    good: float
    n_tried: int
    seconds: float

    @property
    def is_well(self) -> bool:
        """Whether the training works with every fresh seed."""
        return all(score is not None and score >= self.good for score in self.scores)

    @property
    def is_harmed(self) -> bool:
        """Whether a healthy training was changed, and does no longer work with every fresh seed."""
        return self.label is None and self.is_changed and not self.is_well


def heal(patient: Patient, budget: float) -> Healing:
    """Let ``cure`` treat a patient.

    Args:
        patient: Any.
        budget: Seconds for all trials; judging comes on top.
    """
    started = time.perf_counter()
    training = patient.training()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about some illnesses; that is the patients' business
        proof: Proof = cure(training, budget=budget)
        seconds = time.perf_counter() - started
        scores = _scores(proof.training if proof.cured else training)
    changes = tuple(change.name for change in proof.changes)
    return Healing(patient.name, patient.label, proof.cured, changes, scores, patient.good, len(proof.tried), round(seconds, 1))


def _scores(training: Training) -> tuple[float | None, ...]:
    with untouched_randomness():
        return tuple(_score(training, training.seed + seed) for seed in FRESH_SEEDS)


def _score(training: Training, seed: int) -> float | None:
    try:
        return training.replaced(seed=seed).run().score
    except Exception:  # an ill training may raise, and so may a badly treated one
        return None


def sample(patients: Sequence[Patient], n: int | None, seed: int = 0) -> list[Patient]:
    """Return ``n`` of the ill patients and a third as many healthy ones, drawn with a fixed seed; all of them without ``n``."""
    if n is None:
        return list(patients)
    draw = random.Random(seed)
    ill, healthy = [one for one in patients if one.label], [one for one in patients if not one.label]
    chosen = {*_drawn(draw, ill, n), *_drawn(draw, healthy, -(-n // HEALTHY_SHARE))}
    return [one for one in patients if one.name in chosen]


def _drawn(draw: random.Random, patients: list[Patient], n: int) -> list[str]:
    return [one.name for one in draw.sample(patients, min(n, len(patients)))]
