"""Candidates: the changes worth trying for what the diagnosis found, the least change first."""

import math
from collections.abc import Iterable, Sequence

from ..cures import all_cures
from ..records import Finding, Prescription, Sentence

RAISES, LOWERS = "raise_learning_rate", "lower_learning_rate"
RESCALING = (2, 4, 5, 6)  # orders of changes that move the scale of signals, and with it the learning rate that fits; 3 is a wrapper around the step


def candidates_for(findings: Iterable[Finding]) -> list[tuple[Prescription, ...]]:
    """Return every prescription of every finding once, as changes of one: those of the cause first, and of each finding the least change first."""
    seen: list[tuple[str, str]] = []
    found: list[tuple[Prescription, ...]] = []
    for finding in findings:
        for prescription in finding.prescriptions:
            key = (prescription.name, repr(sorted(prescription.parameters.items(), key=repr)))
            if key not in seen:
                seen.append(key)
                found.append((prescription,))
    return found


def rate_change(old: float, factor: float) -> Prescription:
    """Return the prescription that multiplies the learning rate ``old``."""
    new = float(f"{old * factor:.2g}")
    return Prescription(
        name=LOWERS if factor < 1 else RAISES,
        parameters={"learning_rate": new, "from": old},
        code=f'for group in optimizer.param_groups:\n    group["lr"] *= {factor:.2g}  # {old:g} -> {new:g}',
        sentence=Sentence(f"Sets the learning rate to {new:g} instead of {old:g}.", f"学習率を {old:g} から {new:g} に変えます。"),
        order=1,
    )


def with_rate(old: float, changes: tuple[Prescription, ...], factor: float) -> tuple[Prescription, ...]:
    """Return the changes with a learning rate ``factor`` times what it is with them, ``old`` without them; there is at most one change of the rate."""
    others = tuple(change for change in changes if change.name not in (RAISES, LOWERS))
    own = next((float(change.parameters["learning_rate"]) for change in changes if change.name in (RAISES, LOWERS)), old)
    return (*others, rate_change(old, factor * own / old))


def moves_the_scale(changes: Sequence[Prescription]) -> bool:
    """Return whether a change moves the scale of signals, so that the learning rate has to be tuned again before it is judged."""
    own = {cure.name: cure.order for cure in all_cures()}
    return any(own.get(change.name, 0) in RESCALING for change in changes)


def size_of(changes: Sequence[Prescription]) -> tuple[int, int]:
    """Return how large a change is, to be compared: the order of its largest part, then the number of its parts."""
    return max(change.order for change in changes), len(changes)


def distance_of_rate(changes: Sequence[Prescription]) -> float:
    """Return how far, in powers of e, changes take the learning rate from what it was; 0 where they leave it."""
    own = next((change.parameters for change in changes if change.name in (RAISES, LOWERS)), None)
    return abs(math.log(float(own["learning_rate"]) / float(own["from"]))) if own is not None else 0.0


def fallbacks(old: float) -> list[tuple[Prescription, ...]]:
    """Return what is tried where no prescription helped: other learning rates than ``old``."""
    return [(rate_change(old, factor),) for factor in (0.1, 10.0)] if old > 0 else []
