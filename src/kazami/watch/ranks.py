"""Ranks: which process of a distributed training this is, and the run directory on which all of them agree without asking one another."""

import hashlib
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..storage import default_location, is_over

# What tells one job from all others: torchrun's and SLURM's names for it, and where its ranks meet.
_NAMES = ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "SLURM_JOB_ID", "SLURM_STEP_ID")
JOINING_S = 600.0  # torchrun's own limit for the ranks of one job to come together


def this_rank() -> int:
    """Return the rank of this process: torch's own where the ranks have met, else what the launcher says, else 0."""
    distributed = sys.modules.get("torch.distributed")
    with suppress(AttributeError, RuntimeError, ValueError):
        if distributed is not None and distributed.is_available() and distributed.is_initialized():
            return int(distributed.get_rank())
    return _number("RANK", 0)


def n_ranks() -> int:
    """Return how many ranks this job has, as its launcher says (torchrun sets WORLD_SIZE)."""
    return max(_number("WORLD_SIZE", 1), 1)


def is_first_rank() -> bool:
    """Return whether this process may speak for the job: rank 0, or no launcher of ranks."""
    return _number("RANK", 0) == 0


def _number(name: str, otherwise: int) -> int:
    value = os.environ.get(name, "")
    return int(value) if value.isdigit() else otherwise


def agreed_location(script: str, base: str = "runs") -> str:
    """Return a new place for a run as `default_location` does; all ranks of one job get the same one, in whichever order they ask.

    The first rank that asks takes a free place and leaves its name in ``<base>/.job-<key>``, in one step that only one process can make; the others read it.
    Nobody waits for anybody.

    Args:
        script: Path of the script; its stem goes into the name.
        base: Directory below which runs are kept.

    Raises:
        CannotWrite: The directory cannot be made.

    Limits:
        Machines that do not share ``base`` each get a place of their own.
    """
    if n_ranks() == 1:
        return default_location(script, base)
    note = Path(base) / f".job-{job_key(os.environ)}"
    for _ in range(3):
        known = _noted(note)
        if known:
            return known
        place = default_location(script, base)
        if _left(note, place):
            return place
        os.rmdir(place)  # another rank was faster
    return place


def forget_agreement(base: str = "runs") -> None:
    """Take the note of this job away, once its ranks have met."""
    with suppress(OSError):
        (Path(base) / f".job-{job_key(os.environ)}").unlink()


def job_key(environment: Mapping[str, str]) -> str:
    """Return a word that all ranks of one job share and no other job has.

    On one machine the launcher's own process tells two jobs apart that follow one another with the same address.

    Example:
        >>> both = {"TORCHELASTIC_RUN_ID": "none", "MASTER_PORT": "29500", "GROUP_WORLD_SIZE": "2"}
        >>> job_key({**both, "RANK": "0"}) == job_key({**both, "RANK": "1"}) != job_key({**both, "MASTER_PORT": "29501"})
        True
    """
    words = [environment.get(name, "") for name in _NAMES]
    if environment.get("GROUP_WORLD_SIZE", "1") == "1" and environment.get("LOCAL_WORLD_SIZE", "") == environment.get("WORLD_SIZE", ""):
        words.append(str(os.getppid()))
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]


def _noted(note: Path) -> str:
    """Return the place that another rank has noted; what an earlier job has left behind is taken away."""
    try:
        place, age = note.read_text(encoding="utf-8"), time.time() - note.stat().st_mtime
    except OSError:
        return ""
    if place and age < JOINING_S and not is_over(place):
        return place
    with suppress(OSError):
        note.unlink()
    return ""


def _left(note: Path, place: str) -> bool:
    """Leave a note, whole, unless there is one; return whether it is ours."""
    own = note.with_name(f"{note.name}.{os.getpid()}.{threading.get_ident()}")
    own.write_text(place, encoding="utf-8")
    try:
        os.link(own, note)
    except FileExistsError:
        return False
    except OSError:  # a disk without links: the first to make the file writes it
        return _made(note, place)
    finally:
        own.unlink()
    return True


def _made(note: Path, place: str) -> bool:
    try:
        with open(note, "x", encoding="utf-8") as file:
            file.write(place)
    except FileExistsError:
        return False
    return True
