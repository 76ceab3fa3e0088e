"""Confinement of a trial: what it may write lies in its mirror; any other write is refused and named. Only for the trial's own process."""

import functools
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

WRITING_MODES = frozenset("wax+")
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit events by the positions of the paths that they change (docs.python.org, "Audit events table").
CHANGES = {
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.truncate": (0,),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.utime": (0,),
    "os.mkfifo": (0,),
    "shutil.rmtree": (0,),
    "shutil.move": (0, 1),
    "sqlite3.connect": (0,),
}
ALWAYS_ALLOWED = ("/dev", "/proc")
# Loggers that would reach the network, or write where all runs are kept.
QUIET = {
    "WANDB_MODE": "disabled",
    "WANDB_SILENT": "true",
    "COMET_MODE": "disabled",
    "NEPTUNE_MODE": "debug",
    "CLEARML_OFFLINE_MODE": "1",
    "AIM_TRACKING_DISABLED": "1",
    "DVCLIVE_TEST": "true",
    "KAZAMI_RUN": "",
}


class WriteRefused(PermissionError):
    """A trial wanted to write outside of its mirror."""


def confine(allowed: Sequence[str], temporary: str, refused: Callable[[str], None]) -> None:
    """Refuse every write of this process outside of ``allowed``, for good, and silence network loggers.

    Args:
        allowed: Folders in which everything is allowed.
        temporary: The folder for temporary files; allowed.
        refused: Told each refused place, as the script named it.

    Limits:
        Python's audit events see what Python opens; ``torch.save`` is seen too. A library that writes from C or Rust by itself, and processes that the script
        starts, are not seen.
    """
    os.environ |= {**QUIET, "TMPDIR": temporary, "MLFLOW_TRACKING_URI": f"file:{temporary}/mlruns", "TRACKIO_DIR": f"{temporary}/trackio"}
    tempfile.tempdir = temporary
    sys.dont_write_bytecode = True
    free = tuple(os.path.realpath(folder) for folder in (*allowed, temporary, *ALWAYS_ALLOWED))

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        places = arguments[:1] if event == "open" and _writes(arguments) else [arguments[index] for index in CHANGES.get(event, ()) if index < len(arguments)]
        for place in places:
            if not isinstance(place, str | bytes) or os.fsdecode(place) in (":memory:", ""):
                continue
            path = os.path.realpath(os.fsdecode(place))
            if not any(path == folder or path.startswith(folder + os.sep) for folder in free):
                refused(os.fsdecode(place))
                raise WriteRefused(13, "kazami does not let a trial write outside of its working directory", os.fsdecode(place))

    sys.addaudithook(look)
    _watch_torch_save()


def _writes(arguments: tuple[Any, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    return bool(WRITING_MODES & set(mode)) if isinstance(mode, str) else bool(int(flags or 0) & WRITING_FLAGS)


def _watch_torch_save() -> None:
    """``torch.save`` opens its file from C++; raise Python's event for it."""
    import torch

    save = torch.save

    @functools.wraps(save)
    def watched(obj: Any, f: Any, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(f, str | os.PathLike):
            sys.audit("open", os.fspath(f), "w", 0)
        return save(obj, f, *arguments, **keywords)

    torch.save = watched
