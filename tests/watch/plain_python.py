"""A place where a script runs twice: under plain Python, and under ``run_script``."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import kazami
from tests.pages import PATIENCE

DRIVER = """
import os, sys
from kazami.watch.script import end_process, run_script

def note(text):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(text + "\\n")

words = sys.argv[1:]
as_module = words[0] == "-m"
target, *arguments = words[as_module:]
end_process(run_script(target, arguments, as_module=as_module, before=lambda: note("before"), after=lambda end: note(f"{end.reason} {end.exit_code}")))
"""


class Place:
    """A working directory with a script in it, where the script runs under plain Python and under ``run_script``."""

    def __init__(self, directory: Path):
        self.directory = directory / "work"
        self.directory.mkdir()
        self.driver = directory / "driver.py"
        self.driver.write_text(DRIVER)
        self.notes_file = directory / "notes"
        self.options: list[str] = []
        self.environment = {**os.environ, "PYTHONPATH": str(Path(kazami.__file__).parents[1]), "NOTES": str(self.notes_file)}
        self.environment.pop("KAZAMI_DEBUG", None)

    def write(self, name: str, text: str | bytes) -> None:
        """Write a file; text is dedented first."""
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode())

    def start(self, *command: str, watched: bool, merged: bool = False) -> subprocess.Popen[bytes]:
        """Start ``python *command``, under ``run_script`` if ``watched``; ``merged`` sends stderr where stdout goes."""
        driver = [str(self.driver)] if watched else []
        return subprocess.Popen(
            [sys.executable, *self.options, *driver, *command],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        )

    def run(self, *command: str, watched: bool, stdin: bytes = b"", merged: bool = False) -> tuple[int, bytes, bytes]:
        """Return exit code, stdout and stderr."""
        with self.start(*command, watched=watched, merged=merged) as process:
            out, err = process.communicate(stdin, timeout=PATIENCE)
        return process.returncode, out, err or b""

    def notes(self) -> list[str]:
        """Return what ``before`` and ``after`` have written."""
        return self.notes_file.read_text().splitlines() if self.notes_file.exists() else []

    def assert_same(self, *command: str, stdin: bytes = b"", merged: bool = False) -> tuple[int, bytes, bytes]:
        """Run both ways, and return what both gave."""
        plain = self.run(*command, watched=False, stdin=stdin, merged=merged)
        watched = self.run(*command, watched=True, stdin=stdin, merged=merged)
        assert watched == plain
        return watched
