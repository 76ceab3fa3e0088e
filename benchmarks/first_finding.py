"""Seconds from the first optimizer step of ``kazami demo`` to its first finding, and to its verdict: ``python benchmarks/first_finding.py [--quick]``."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figure, median_of, publish

FINDING_GOAL = 10.0
VERDICT_GOAL = 60.0
# The demo in a process of its own, told to note when its first optimizer step has been made and when its verdict stands on stderr.
PROGRAM = """
import json, sys, time
from kazami.watch import session
moments = {}
def note(name, method):
    def noting(self, *arguments, **keywords):
        began = time.time()
        result = method(self, *arguments, **keywords)
        moments.setdefault(name, began if name == "step" else time.time())
        return result
    return noting
session.Session._step_ended = note("step", session.Session._step_ended)
session.Session._show = note("verdict", session.Session._show)
from importlib.util import find_spec
from kazami.watch.options import RunOptions
session.run(find_spec("kazami.patients.demo").origin, [], as_module=False, options=RunOptions(run=sys.argv[1], lang="en"))
print("moments " + json.dumps(moments))
"""


def demo(place: Path) -> tuple[float, float, float]:
    """Return the seconds from the first step to the first finding and to the verdict, and those from the process's start to its end."""
    began = time.time()
    process = subprocess.run([sys.executable, "-c", PROGRAM, str(place)], check=True, capture_output=True, text=True)
    took = time.time() - began
    moments = json.loads(next(line for line in process.stdout.splitlines() if line.startswith("moments "))[8:])
    events = [json.loads(line) for file in place.rglob("events*.jsonl") for line in file.read_text(encoding="utf-8").splitlines()]
    found = min(event["time"] for event in events if event["kind"] == "finding")
    return found - moments["step"], moments["verdict"] - moments["step"], took


def main() -> int:
    """Run the demo a few times and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run, nothing written")
    is_quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        rows = [demo(Path(folder) / f"run{index}") for index in range(1 if is_quick else 5)]
    figures: list[Figure] = [
        median_of("first step to first finding", [row[0] for row in rows], "s", goal=FINDING_GOAL),
        median_of("first step to verdict", [row[1] for row in rows], "s", goal=VERDICT_GOAL),
        median_of("the whole demo, from start to end of the process", [row[2] for row in rows], "s", goal=VERDICT_GOAL, note="report included"),
    ]
    return publish("first_finding", figures, is_quick=is_quick)


if __name__ == "__main__":
    sys.exit(main())
