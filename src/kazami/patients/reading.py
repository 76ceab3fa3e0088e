"""What the diagnosis says of a patient: after the first fifth of its steps, and after all of them."""

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from ..diagnosis import examine
from ..records import Finding
from ..watch.observer import Observer
from ._base import Patient

SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Reading:
    """What the diagnosis said of one patient.

    Attributes:
        name: The patient.
        label: Its planted cause, ``None`` for a healthy one.
        true: All finding names that are true of it.
        early: Findings (no remarks) after the first fifth of the steps, most important first.
        whole: The same after all steps.
        remarks: Remarks after all steps.
    """

    name: str
    label: str | None
    true: tuple[str, ...]
    early: tuple[str, ...]
    whole: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def read(patient: Patient) -> Reading:
    """Train a patient under observation and return what was found."""
    training = patient.training()
    cut = max(math.ceil(training.steps * SHARE), 2)
    early: list[Finding] = []

    def look(player: object, step: int, is_sampled: bool) -> None:
        del player, is_sampled
        if step == cut and not early:
            early.extend(findings(observer))

    observer = Observer(on_step=look)
    observer.attach()
    try:
        training.run(before=lambda state: observer.names.modules.add(state.model))
    finally:
        observer.detach()
    if "kazami" in observer.blind:
        sys.stderr.write(f"{patient.name}: {observer.blind['kazami']}\n")
    whole = findings(observer)
    true = {*patient.also_true, *([patient.label] if patient.label else [])}
    return Reading(patient.name, patient.label, tuple(sorted(true)), names(early), names(whole), tuple(f.name for f in whole if f.severity == "info"))


def findings(observer: Observer) -> list[Finding]:
    """Return the findings of all players, the primary ones first."""
    found = [finding for trace in observer.traces() for finding in examine(trace)]
    return sorted(found, key=lambda finding: not finding.is_primary)


def names(found: Iterable[Finding]) -> tuple[str, ...]:
    """Return the names of findings that are more than remarks."""
    return tuple(dict.fromkeys(finding.name for finding in found if finding.severity != "info"))
