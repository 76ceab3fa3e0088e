"""Types the commands of the tutorial into a shell, and writes what came out under each: ``python -m tools.handbook.transcript [en|ja]``.

A block of the language ``console`` holds commands, each after ``$ ``, and under each its output. Commands that change nothing of the output (``cat``) are typed as well: nothing in such a
block is written by hand but the commands. About ten minutes a language on one core, most of them for the trials of ``kazami cure``.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .staging import DOCS

PAGES = {"en": DOCS / "tutorial.md", "ja": DOCS / "ja" / "tutorial.md"}
FILES = DOCS / "tutorial"
LOCALES = {"en": "C.UTF-8", "ja": "ja_JP.UTF-8"}
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COLUMNS = "80"
SECONDS = 1800.0

Type = Callable[[str], str]


def main(arguments: list[str]) -> int:
    """Write the outputs of the languages named, of all by default."""
    for language in arguments or PAGES:
        page = PAGES[language]
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(FILES, folder, dirs_exist_ok=True)
            page.write_text(filled(page.read_text("utf-8"), typed_in(Path(folder), language)), encoding="utf-8")
    return 0


def commands(text: str) -> list[str]:
    """Return the commands of a page."""
    return [line[2:] for block in BLOCK.findall(text) for line in block.splitlines() if line.startswith("$ ")]


def filled(text: str, type_in: Type) -> str:
    """Return the page with the output of each command under it."""

    def block(match: re.Match[str]) -> str:
        typed = [line for line in match[1].splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{type_in(line[2:])}" for line in typed) + "```"

    return BLOCK.sub(block, text)


def typed_in(place: Path, language: str) -> Type:
    """Return a function that types a command in ``place`` and returns what a terminal would show."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {**os.environ, "PATH": path, "COLUMNS": COLUMNS, "LANG": LOCALES[language], "LC_ALL": LOCALES[language], "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}

    def type_in(command: str) -> str:
        print(f"$ {command}", file=sys.stderr, flush=True)
        done = subprocess.run(["bash", "-c", command], cwd=place, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        lines = [line.rpartition("\r")[2].rstrip() for line in done.stdout.decode("utf-8").splitlines()]  # a line that was overwritten shows its last state
        return "".join(f"{line}\n" for line in lines)

    return type_in


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
