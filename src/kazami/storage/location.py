"""Where a run lives: a free place for it, and the claim to that place."""

import re
from datetime import datetime
from itertools import count
from pathlib import Path, PurePath

from ..errors import CannotWrite, RunTaken
from ..records import RunInfo
from .parts import part_name
from .store import Store
from .strict_json import dumps, loads
from .trouble import trouble

HEAD = "run.json"
METRICS = "metrics"
TRAJECTORY = "trajectory"
DISTRIBUTIONS = "distributions"


def default_location(script: str, base: str = "runs") -> str:
    """Return a new, empty place ``<base>/<date>-<script>-<n>`` with the first free ``n``.

    The directory is made here: two processes at the same instant get different ones.

    Args:
        script: Path of the script, or any word; only its stem is used.
        base: Directory or fsspec URL below which runs are kept; made if needed.

    Raises:
        CannotWrite: The directory cannot be made.

    Limits:
        On an object store nothing can be reserved: two processes in the same second may get the same place, and the second one is refused by the writer.
    """
    word = re.sub(r"[^\w.-]+", "-", PurePath(script).stem).strip("-.") or "run"
    day = datetime.now().strftime("%Y-%m-%d")
    places = (f"{base.rstrip('/')}/{day}-{word}-{number}" for number in count(1))
    return next(place for place in places if _reserved(place))


def is_over(location: str) -> bool:
    """Return whether the run at a place has ended: nothing can join it any more."""
    there = _head(Store(location))
    return there is not None and bool(there.ended)


def head_name(rank: int) -> str:
    """Return the file in which a rank tells of itself: ``run.json``, or ``run-r<rank>.json`` for every rank but 0."""
    return f"run-r{rank}.json" if rank else HEAD


def _reserved(location: str) -> bool:
    try:
        store = Store(location)
        if not store.is_local:
            return not store.is_folder()
        Path(store.root).parent.mkdir(parents=True, exist_ok=True)
    except Exception as error:
        raise CannotWrite(trouble(error, location.rpartition("/")[0]).at_start()) from None
    try:
        Path(store.root).mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise CannotWrite(trouble(error, location).at_start()) from None
    return True


def claimed(location: str, info: RunInfo, rank: int) -> Store:
    """Return the store of a new run, with its folders made and (by rank 0) its ``run.json`` written.

    Args:
        location: Path or fsspec URL of the run directory.
        info: Head of the run.
        rank: Process of a distributed training; every rank but 0 joins the run of rank 0, in whichever order they come.

    Raises:
        RunTaken: Another run lives there.
        CannotWrite: The place cannot be written.
    """
    try:
        store = Store(location)
        if store.is_file():
            raise FileExistsError(location)
        _refuse_if_taken(store, location, info, rank)
        store.make()
        store.make(METRICS)
        if rank == 0:
            _write_head(store, location, info)
        else:
            store.put(head_name(rank), head_bytes(info))
    except (RunTaken, CannotWrite):
        raise
    except Exception as error:
        raise CannotWrite(trouble(error, location).at_start()) from None
    return store


def _write_head(store: Store, location: str, info: RunInfo) -> None:
    try:
        store.put_new(HEAD, head_bytes(info))
    except FileExistsError:  # another process came first, since we looked
        raise RunTaken(_refusal(store, location)) from None


def head_bytes(info: RunInfo) -> bytes:
    """Return the content of ``run.json``."""
    return (dumps(info.to_dict(), indent=1) + "\n").encode()


def _refuse_if_taken(store: Store, location: str, info: RunInfo, rank: int) -> None:
    names = [part_name(name) for folder in (METRICS, TRAJECTORY) for name in store.names(folder)]
    has_parts = any(name is not None and name.rank == rank for name in names) or (rank > 0 and store.is_file(head_name(rank)))
    if has_parts or (store.is_file(HEAD) and (rank == 0 or _is_another_run(store, info))):
        raise RunTaken(_refusal(store, location))


def _is_another_run(store: Store, info: RunInfo) -> bool:
    there = _head(store)
    return there is None or bool(there.ended) or there.command != info.command


def _head(store: Store) -> RunInfo | None:
    try:
        return RunInfo.from_dict(loads(store.read(HEAD)))
    except Exception:  # whatever it is, it is a run.json, and not ours
        return None


def _refusal(store: Store, location: str) -> str:
    there = _head(store)
    whose = "a run whose run.json cannot be read" if there is None else f'the run "{there.id}" ({_life_of(there)})'
    return f"{location} already holds {whose}, and two runs are never mixed in one directory. Pass another one, for example {_free_place(location)}."


def _life_of(info: RunInfo) -> str:
    words = [info.command, f"started {info.started}" if info.started else ""]
    words.append(f"{info.reason or 'ended'} {info.ended}" if info.ended else "not ended: still being written, or killed")
    return ", ".join(word for word in words if word)


def _free_place(location: str) -> str:
    stem = re.sub(r"-\d+$", "", location.rstrip("/"))
    for number in range(2, 10_000):
        place = Store(f"{stem}-{number}")
        if not place.is_folder() and not place.is_file():
            return f"{stem}-{number}"
    return f"{stem}-new"
