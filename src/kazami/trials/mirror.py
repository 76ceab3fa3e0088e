"""A mirror of a working directory, in which a trial may write what it likes: small files are copied, large ones and large folders are links."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..edits import encoded
from ..errors import UsageError

LARGE_FILE = 2**20  # bytes; linked
MOST_COPIED = 64 * 2**20  # bytes in all; what comes after is linked
MOST_ENTRIES = 20_000  # folders met after so many entries are linked as a whole
LINKED = {".git", ".hg", ".venv", "venv", "env", "node_modules", "site-packages", ".tox", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
LEFT_OUT = {"__pycache__"}


@dataclass(frozen=True, slots=True)
class Mirror:
    """Mirrored directories.

    Attributes:
        pairs: Each directory, by its real path, with its mirror; the working directory is the first.
        base: The folder that holds the mirrors and is gone in the end.
    """

    pairs: tuple[tuple[str, str], ...]
    base: str

    @property
    def root(self) -> str:
        """The mirror of the working directory."""
        return self.pairs[0][1]

    @property
    def temporary(self) -> str:
        """A folder beside the mirrors, for temporary files."""
        return os.path.join(self.base, "tmp")

    def path_of(self, path: str) -> str | None:
        """Return where a path lies in the mirror, ``None`` where it is in none of the directories."""
        real = os.path.realpath(path)
        for original, root in self.pairs:
            if real == original or real.startswith(os.path.join(original, "")):
                return os.path.normpath(os.path.join(root, os.path.relpath(real, original)))
        return None

    def as_the_user_knows_it(self, text: str) -> str:
        """Return a text in which the mirrors' paths are the originals'."""
        for original, root in self.pairs:
            text = text.replace(root, original)
        return text


@contextmanager
def mirrored(directories: Sequence[str], files: Mapping[str, str]) -> Iterator[Mirror]:
    """Mirror directories, with other contents for some files, until the block ends.

    Args:
        directories: The working directory, then others that are not in it.
        files: Paths in them, each with the text that the mirror holds instead.

    Raises:
        UsageError: A file lies in none of the directories.
    """
    base = os.path.realpath(tempfile.mkdtemp(prefix="kazami-trial-"))
    try:
        pairs = [(os.path.realpath(directory), os.path.join(base, str(number))) for number, directory in enumerate(directories)]
        mirror = Mirror(tuple(pairs), base)
        os.mkdir(mirror.temporary)
        copier = _Copier(keep_real={os.path.realpath(os.path.dirname(path)) for path in files})
        for original, root in pairs:
            copier.copy(original, root)
        for path, text in files.items():
            _replace(path, text, mirror)
        yield mirror
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _replace(path: str, text: str, mirror: Mirror) -> None:
    place = mirror.path_of(path)
    if place is None:
        raise UsageError(f"{path} is outside of the working directory and of the script's own folder, so it cannot be changed in a trial.")
    with suppress(FileNotFoundError):
        os.unlink(place)  # it may be a link to the original
    with open(place, "wb") as file:
        file.write(encoded(text))


class _Copier:
    """Copies breadth first, so that what lies near the top is copied and what is deep in data folders is linked."""

    def __init__(self, keep_real: set[str]) -> None:
        self._keep_real = keep_real
        self._n_entries = 0
        self._n_bytes = 0

    def copy(self, source: str, target: str) -> None:
        """Mirror a folder."""
        waiting = [(source, target)]
        while waiting:
            folder, place = waiting.pop(0)
            os.mkdir(place)
            with suppress(OSError), os.scandir(folder) as entries:  # a folder that cannot be read is empty
                for entry in entries:
                    self._n_entries += 1
                    below = self._entry(entry, os.path.join(place, entry.name))
                    waiting += [below] if below else []

    def _entry(self, entry: "os.DirEntry[str]", place: str) -> tuple[str, str] | None:
        """Copy or link one entry; return it where it is a folder to be mirrored in its turn."""
        if entry.is_dir(follow_symlinks=False):
            if entry.name in LEFT_OUT:
                return None
            must_be_real = any(path == entry.path or path.startswith(os.path.join(entry.path, "")) for path in self._keep_real)
            if not must_be_real and (entry.name in LINKED or self._n_entries > MOST_ENTRIES):
                os.symlink(entry.path, place)
                return None
            return entry.path, place
        with suppress(OSError):  # a file that cannot be read, a socket, a broken link
            size = entry.stat().st_size
            if entry.is_file() and not entry.is_dir() and size <= LARGE_FILE and self._n_bytes + size <= MOST_COPIED:
                shutil.copy2(entry.path, place)
                self._n_bytes += size
            else:
                os.symlink(os.path.realpath(entry.path), place)
        return None
