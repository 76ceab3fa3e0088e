"""Scores the diagnosis on patients: ``python -m kazami.patients.score``; on the first fifth of the steps and on all of them."""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import torch

from ..diagnosis import examine
from ..records import Finding
from ..watch.observer import Observer
from . import all_patients
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
        print(f"{patient.name}: {observer.blind['kazami']}", file=sys.stderr)
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


def summary(readings: Sequence[Reading], when: str) -> dict[str, float]:
    """Return the shares by which the diagnosis is judged, for ``when`` ``"early"`` or ``"whole"``."""
    ill = [(r, getattr(r, when)) for r in readings if r.label]
    healthy = [(r, getattr(r, when)) for r in readings if not r.label]
    said = [name in r.true for r, found in ill for name in found] + [name in r.true for r, found in healthy for name in found]
    return {
        "ill": len(ill),
        "healthy": len(healthy),
        "ill flagged": _share(bool(found) for _, found in ill),
        "healthy flagged": _share(bool(found) for _, found in healthy),
        "a true cause named": _share(any(name in r.true for name in found) for r, found in ill),
        "first finding true": _share(bool(found) and found[0] in r.true for r, found in ill),
        "primary is the planted cause": _share(bool(found) and found[0] == r.label for r, found in ill),
        "findings that are true": _share(said),
    }


def _share(values: Iterable[bool]) -> float:
    listed = list(values)
    return round(sum(listed) / len(listed), 3) if listed else float("nan")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scoring from the command line; the scoring split's single results are printed only with ``--detail``."""
    parser = argparse.ArgumentParser(prog="python -m kazami.patients.score", description=__doc__)
    parser.add_argument("--split", choices=("calibration", "scoring"), default="scoring")
    parser.add_argument("--name", default="", help="only patients whose name contains this")
    parser.add_argument("--detail", action="store_true", help="print every patient")
    parser.add_argument("--json", metavar="FILE", help="write all readings")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    readings = []
    patients = [patient for patient in all_patients(chosen.split) if chosen.name in patient.name]
    for index, patient in enumerate(patients):
        print(f"\r{index + 1}/{len(patients)} {patient.name:60.60}", end="", file=sys.stderr, flush=True)
        readings.append(read(patient))
        if chosen.detail:
            last = readings[-1]
            first_ok = bool(last.whole) == bool(last.label) and (not last.whole or last.whole[0] in last.true)
            print(
                f"\r{'ok ' if first_ok else 'BAD'} {last.name:44} {last.label or 'healthy':24} "
                f"early {','.join(last.early) or '-':40} whole {','.join(last.whole) or '-'}",
                flush=True,
            )
    print(file=sys.stderr)
    table = {when: summary(readings, when) for when in ("early", "whole")}
    print(f"{chosen.split}: {len(readings)} patients; the first {SHARE:.0%} of the steps, and all steps")
    for key in table["early"]:
        print(f"  {key:32} {table['early'][key]:8} {table['whole'][key]:8}")
    if chosen.json:
        with open(chosen.json, "w", encoding="utf-8") as file:
            json.dump({"summary": table, "readings": [asdict(reading) for reading in readings]}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
