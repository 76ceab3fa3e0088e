"""Runs pages, each in a process of its own that begins with torch and kazami already imported: importing them is most of what a page costs.

As a program it reads folders from its standard input, one a line, runs ``page.py`` in each, and answers with the exit code.
"""

import os
import runpy
import signal
import subprocess
import sys
import traceback
from pathlib import Path

SECONDS = 240  # far more than a page needs, and less than a test may take


class Forks:
    """The other end: a process that runs pages."""

    def __init__(self) -> None:
        settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
        self._server = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings)

    def run(self, folder: Path) -> tuple[int, str]:
        """Run ``page.py`` of a folder; return its exit code and what it wrote to both streams."""
        self._server.stdin.write(f"{folder}\n")
        self._server.stdin.flush()
        code, place = "", ""
        while place != str(folder):  # an answer that nobody waited for, after a test that was cut short, is passed over
            answer = self._server.stdout.readline()
            if not answer:
                raise RuntimeError("the process that runs pages has ended")
            code, _, place = answer.rstrip("\n").partition(" ")
        return int(code), (folder / "said.txt").read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End the process."""
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()


def serve() -> None:
    """Answer until there are no more folders."""
    import kazami.trials
    import kazami.watch.session  # noqa: F401  # imported for the pages, whose own imports then cost nothing

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run_here(Path(line.rstrip("\n")))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), line.rstrip("\n"), flush=True)


def run_here(folder: Path) -> None:
    """Become the page, as ``python page.py`` would; never returns."""
    code = 0
    signal.alarm(SECONDS)  # ends a page that hangs
    os.chdir(folder)
    place = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(place, 1)
    os.dup2(place, 2)
    sys.path[0] = str(folder)  # instead of this file's folder
    try:
        runpy.run_path("page.py", run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
