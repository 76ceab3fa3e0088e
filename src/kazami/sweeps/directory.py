"""A sweep's directory: what sweep it is, and one whole part of the table for each block that is finished.

::

    <directory>/sweep.json                  fingerprint, factors, division into blocks
    <directory>/parts/block-000012.parquet  the rows of one block, written under another name, flushed to disk and renamed
"""

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import CannotWrite, RunNotFound, RunUnreadable, UsageError
from ..storage.strict_json import dumps, loads
from .fingerprint import different

HEAD, PARTS = "sweep.json", "parts"
FORMAT = 1
_NAME = re.compile(r"block-(\d{6,})\.parquet")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SweepDirectory:
    """The place of one sweep.

    Args:
        path: The directory; it is made when it is first written to.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Remember the place."""
        self.path = Path(path)

    def head(self) -> dict[str, Any]:
        """Return what sweep lives here.

        Raises:
            RunNotFound: None.
            RunUnreadable: Its head cannot be read.
        """
        try:
            found = loads((self.path / HEAD).read_bytes())
        except FileNotFoundError:
            raise RunNotFound(f"There is no sweep at {self.path}: a sweep's directory holds {HEAD}.") from None
        except (OSError, ValueError) as error:
            raise RunUnreadable(f"{self.path / HEAD} cannot be read ({error}). Take another directory, or delete this one.") from None
        if not isinstance(found, dict) or "fingerprint" not in found:
            raise RunUnreadable(f"{self.path / HEAD} is no head of a sweep. Take another directory, or delete this one.")
        if found.get("format", FORMAT) > FORMAT:
            raise RunUnreadable(f"{self.path} was written by a newer kazami. Update kazami, or take another directory.")
        return found

    def claim(self, head: Mapping[str, Any]) -> dict[str, Any]:
        """Write the head of a new sweep, or return that of the same one begun before.

        Raises:
            UsageError: Another sweep lives here.
            CannotWrite: The place cannot be written.
        """
        if not (self.path / HEAD).exists():
            strangers = self._strangers()
            if strangers and not (self.path / HEAD).exists():  # another process may have begun the sweep meanwhile
                raise UsageError(f"A sweep needs a directory of its own, but {self.path} holds {strangers[0]}. Pass another one.")
            self._put(self.path / HEAD, (dumps({"format": FORMAT, **head}, indent=1) + "\n").encode(), place=_put_first)
        there = self.head()
        changed = different(head["fingerprint"], there["fingerprint"])
        if changed:
            raise UsageError(f"{self.path} holds another sweep (different: {', '.join(changed)}), so it cannot be gone on with. Pass another directory.")
        return there

    def _strangers(self) -> list[str]:
        """Return what lies here without being a head; parts without a head are those of nobody knows which sweep."""
        try:
            return sorted(name for name in os.listdir(self.path) if not name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise CannotWrite(self._sentence(error)) from None

    def finished(self) -> set[int]:
        """Return the numbers of the blocks whose parts are there and whole; a torn part (of a disk that lost power) is not."""
        return {number for number, path in self._parts() if _is_whole(path)}

    def write(self, number: int, table: Any) -> None:
        """Write the part of one block.

        Raises:
            CannotWrite: The disk is full, or gone.
        """
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        self._put(self.path / PARTS / f"block-{number:06d}.parquet", sink.getvalue().to_pybytes())

    def tables(self) -> Iterator[Any]:
        """Yield the whole parts, in the order of their blocks."""
        for _, path in self._parts():
            if _is_whole(path):
                yield pq.read_table(path)

    def _parts(self) -> list[tuple[int, Path]]:
        try:
            names = os.listdir(self.path / PARTS)
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = [(int(match[1]), self.path / PARTS / name) for name in names if (match := _NAME.fullmatch(name))]
        return sorted(found)

    def _put(self, path: Path, content: bytes, place: Callable[[Path, Path], None] = os.replace) -> None:
        """Write a file so that it is there whole or not at all, whenever the power goes; ``place`` gives it its name."""
        temporary = path.with_name(f".writing-{uuid4().hex}-{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            place(temporary, path)
            _flush_folder(path.parent)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise CannotWrite(self._sentence(error)) from None

    def _sentence(self, error: OSError) -> str:
        where = str(self.path)
        if error.errno in _FULL:
            return f"The sweep cannot go on: no space is left for {where}. What is finished is kept. Free some space, and start it again."
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return f"The sweep cannot be written: {where} may not be written (no permission, or read-only). Pass another directory."
        if isinstance(error, FileExistsError | NotADirectoryError):
            return f"The sweep cannot be written: {where} is, or lies below, a file. Pass another directory."
        return f"The sweep cannot be written to {where} ({error.strerror or error}). Put the directory back, or pass another one."


def _put_first(temporary: Path, path: Path) -> None:
    """Give a file its name unless another process was first: of two sweeps that begin at once, the second finds the first one's head."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.replace(temporary, path)
        return
    temporary.unlink()


def _flush_folder(folder: Path) -> None:
    """Make the new name itself survive a loss of power, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _is_whole(path: Path) -> bool:
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return False
    return True
