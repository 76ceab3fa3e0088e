"""Progress on stderr: a bar or a line on a terminal, nothing in a pipe."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MARK = "kazami-progress: "  # in front of each line of progress that a program reads
Progress = Callable[[int, int], None]  # (done, total); the rooms below call it and know nothing of terminals


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Show how far a long work has come; yields a function to be called with (done, total).

    Args:
        what: A few words, shown before the bar.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Show one line that changes while a long work goes on, and is gone afterwards; yields a function to be called with its text.

    In a pipe nothing is shown, unless the environment asks for lines (``KAZAMI_PROGRESS=lines``), as the app does.
    """
    if os.environ.get("KAZAMI_PROGRESS") == "lines":
        yield lambda text: print(f"{MARK}{text}", file=sys.stderr, flush=True)
        return
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield status.update
