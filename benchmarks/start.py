"""CPU seconds of ``import kazami`` and ``kazami --help`` beside bare Python: ``python benchmarks/start.py [--quick]``."""

import argparse
import resource
import subprocess
import sys

from figures import median_of, publish

IMPORT_GOAL = 0.050
HELP_GOAL = 0.3


def cpu_seconds(words: list[str]) -> float:
    """Return the CPU seconds, user and system, of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure in turns and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, nothing written")
    is_quick = parser.parse_args().quick
    bare, again = [sys.executable, "-c", "pass"], [sys.executable, "-c", "pass"]
    imported, helped = [sys.executable, "-c", "import kazami"], [sys.executable, "-m", "kazami", "--help"]
    for words in (bare, imported, helped):
        cpu_seconds(words)  # byte code and disk cache
    rows = [[cpu_seconds(words) for words in (bare, again, imported, helped)] for _ in range(7 if is_quick else 25)]
    figures = [
        median_of("control", [row[1] - row[0] for row in rows], "s", note="bare Python less bare Python: the noise"),
        median_of("import kazami", [row[2] - row[0] for row in rows], "s", goal=IMPORT_GOAL, note="more than bare Python"),
        median_of("kazami --help", [row[3] for row in rows], "s", goal=HELP_GOAL, note="the whole process"),
    ]
    return publish("start", figures, is_quick=is_quick)


if __name__ == "__main__":
    sys.exit(main())
