"""Types the commands of the tutorial into a shell, and writes what came out under each.

``python -m tools.handbook.transcript [--keep-cures] [en|ja]``: a block of the language ``console`` holds commands, each after ``$ ``, and under each its
output; nothing in such a block is written by hand but the commands. About ten minutes a language on one core, most of them for the trials of ``kazami cure``,
whose output ``--keep-cures`` keeps.
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

CURE = re.compile(r"kazami cure .*> (\S+)$")

Type = Callable[[str], str]


def main(arguments: list[str]) -> int:
    """Write the outputs of the languages named, of all by default."""
    for language in [one for one in arguments if one in PAGES] or PAGES:
        page = PAGES[language]
        text = page.read_text("utf-8")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(FILES, folder, dirs_exist_ok=True)
            type_in = typed_in(Path(folder), language)
            if "--keep-cures" in arguments:
                type_in = keeping_cures(type_in, Path(folder), said(text))
            page.write_text(filled(text, type_in), encoding="utf-8")
    return 0


def said(text: str) -> dict[str, str]:
    """Return the output of each command of a page, as it stands there."""
    found: dict[str, str] = {}
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found[command] = output
    return found


def keeping_cures(type_in: Type, place: Path, before: dict[str, str]) -> Type:
    """Return a function that types a command, but takes the outcome of a cure, and the diff that it wrote, from the page."""

    def kept(command: str) -> str:
        cure = CURE.match(command)
        if cure is None:
            return type_in(command)
        (place / cure[1]).write_text(before[f"cat {cure[1]}"], encoding="utf-8")
        return before[command]

    return kept


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
    settings = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    settings |= {"PATH": path, "COLUMNS": COLUMNS, "LANG": LOCALES[language], "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}

    def type_in(command: str) -> str:
        print(f"$ {command}", file=sys.stderr, flush=True)
        done = subprocess.run(["bash", "-c", command], cwd=place, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        lines = [line.rpartition("\r")[2].rstrip() for line in done.stdout.decode("utf-8").splitlines()]  # a line that was overwritten shows its last state
        return "".join(f"{line}\n" for line in lines)

    return type_in


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
