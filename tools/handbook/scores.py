"""How often each finding is right: counted on the calibration patients, and on the scoring patients as ``make score`` left them in its ledger.

``python -m tools.handbook.scores LEDGER`` counts a ledger into docs/data/scores.json: numbers by finding, and nothing about any one patient.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from . import calibration
from .staging import DOCS
from .tables import table

PLACE = DOCS / "data" / "scores.json"
WHEN = ("early", "whole")
Row = dict[str, Any]
Counts = dict[str, dict[str, list[int]]]  # what is counted -> when -> [so many, of so many]

WORDS = {
    "en": {
        "title": "Scores",
        "scoring": "Counted on the {n} scoring patients, on which no rule was tuned:",
        "calibration": "Counted on {n} of the {of} calibration patients; the rules were tuned on these, so read the numbers as the best case:",
        "header": ("", "first fifth of the steps", "all steps"),
        "caught": "named where it is the planted cause",
        "right": "true where it was named",
        "alarms": "named on healthy trainings",
    },
    "ja": {
        "title": "成績",
        "scoring": "調整に使っていない採点用の学習 {n} 件で数えました。",
        "calibration": "較正用の学習 {of} 件のうち {n} 件で数えました。規則の調整に使ったものなので、最良の場合と読んでください。",
        "header": ("", "最初の 1/5 のステップ", "全ステップ"),
        "caught": "仕込んだ原因を言い当てた割合",
        "right": "この所見を出して正しかった割合",
        "alarms": "健全な学習での誤報",
    },
}


def main(arguments: list[str]) -> int:
    """Count a ledger."""
    from kazami.diagnosis import all_rules

    rows = ledger_rows(Path(arguments[0]).read_text("utf-8"))
    scores = {"n": len(rows), "findings": {rule.name: counts(rule.name, rows) for rule in all_rules()}}
    PLACE.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    print(f"{len(rows)} patients counted")
    return 0


def ledger_rows(text: str) -> list[Row]:
    """Return what the diagnosis said of each patient, the newest line of each."""
    lines = [json.loads(line) for line in text.splitlines() if line.strip()]
    return list({line["name"]: line["result"] for line in lines if line["kind"] == "diagnosis"}.values())


@cache
def calibrated() -> tuple[Row, ...]:
    """Return what was counted on the calibration patients."""
    return tuple(json.loads(calibration.PLACE.read_text("utf-8"))) if calibration.PLACE.exists() else ()


def counts(finding: str, rows: list[Row]) -> Counts:
    """Return a finding's hits, true statements and false alarms."""
    found: Counts = {"caught": {}, "right": {}, "alarms": {}}
    for when in WHEN:
        named = [row for row in rows if finding in row[when]]
        planted, healthy = [row for row in rows if row["label"] == finding], [row for row in rows if row["label"] is None]
        found["caught"][when] = [sum(row["label"] == finding for row in named), len(planted)]
        found["right"][when] = [sum(finding in row["true"] for row in named), len(named)]
        found["alarms"][when] = [sum(row["label"] is None for row in named), len(healthy)]
    return found


def section(finding: str, language: str) -> str:
    """Return the section of a finding's scores: of the scoring patients where they were counted, and of the calibration patients."""
    from kazami.patients import all_patients

    words, rows = WORDS[language], list(calibrated())
    parts = [f"## {words['title']}"]
    if PLACE.exists():
        scores = json.loads(PLACE.read_text("utf-8"))
        if finding in scores["findings"]:
            parts += [str(words["scoring"]).format(n=scores["n"]), shown(scores["findings"][finding], language)]
    parts += [str(words["calibration"]).format(n=len(rows), of=len(all_patients("calibration"))), shown(counts(finding, rows), language)]
    return "\n\n".join(parts)


def shown(counted: Counts, language: str) -> str:
    """Return counts as a table."""
    words = WORDS[language]
    return table(words["header"], [(str(words[name]), *(share(*counted[name][when]) for when in WHEN)) for name in counted])


def share(n: int, of: int) -> str:
    """Return a share as a count and a percentage.

    >>> share(1, 2), share(0, 0)
    ('1 / 2 (50%)', '0 / 0')
    """
    return f"{n} / {of}" + (f" ({n / of:.0%})" if of else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
