"""What the calibration patients say about the wind and about each finding: one row a patient, kept in docs/data/calibration.json.

``python -m tools.handbook.calibration`` goes on where it stopped; ``--anew`` begins again. Half an hour on one core.
"""

import hashlib
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

PLACE = Path(__file__).resolve().parents[2] / "docs" / "data" / "calibration.json"


def main(arguments: list[str]) -> int:
    """Read every calibration patient that has no row yet, for at most the seconds given with ``--seconds``; return 0 when all have one."""
    from kazami.patients import all_patients

    rows: dict[str, Any] = {} if "--anew" in arguments or not PLACE.exists() else {row["name"]: row for row in json.loads(PLACE.read_text("utf-8"))}
    seconds = float(arguments[arguments.index("--seconds") + 1]) if "--seconds" in arguments else math.inf
    begin, patients = time.monotonic(), all_patients("calibration")
    for patient in sorted(patients, key=lambda one: hashlib.sha256(one.name.encode()).digest()):  # what is there after an early end is a fair sample
        if patient.name in rows:
            continue
        if time.monotonic() - begin > seconds:
            break
        rows[patient.name] = row_of(patient)
        write(rows, [one.name for one in patients])
    left = len([patient for patient in patients if patient.name not in rows])
    write(rows, [one.name for one in patients])
    print(f"{len(rows)} of {len(patients)} patients read, {left} left")
    return 1 if left else 0


def write(rows: dict[str, Any], order: list[str]) -> None:
    """Write the rows of the patients that exist, one a line, so that a change shows as a change of lines."""
    lines = [json.dumps(rows[name], ensure_ascii=False) for name in order if name in rows]
    PLACE.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def row_of(patient: Any) -> dict[str, Any]:
    """Train a patient under observation; return what was found, how it ended, and each layer's wind in the first fifth and over all steps."""
    from kazami.patients.reading import SHARE, findings, names
    from kazami.watch.observer import Observer

    training = patient.training()
    cut = max(math.ceil(training.steps * SHARE), 2)
    early: list[Any] = []
    observer = Observer(on_step=lambda player, step, is_sampled: early.extend(findings(observer)) if step == cut and not early else None)
    observer.attach()
    try:
        ended = training.run(before=lambda state: observer.names.modules.add(state.model))
    finally:
        observer.detach()
    whole = findings(observer)
    return {
        "name": patient.name,
        "label": patient.label,
        "true": sorted({*patient.also_true, *([patient.label] if patient.label else [])}),
        "early": names(early),
        "whole": names(whole),
        "works": bool(ended.score >= patient.good),
        "wind_early": winds(observer, cut),
        "wind": winds(observer, None),
    }


def winds(observer: Any, until: int | None) -> list[float | None]:
    """Return the median wind of each layer over the recorded steps up to ``until``; ``None`` where a wind was not finite."""
    found: list[float | None] = []
    for trace in observer.traces():
        series = trace["layer_wind"]
        if not len(series):
            continue
        rows = np.asarray(series.values, dtype=float)
        rows = rows if until is None else rows[np.asarray(series.steps) <= until]
        for column in rows.T:
            if np.isinf(column).any():
                found.append(None)
            elif np.isfinite(column).any():
                found.append(round(float(np.nanmedian(column)), 3))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
