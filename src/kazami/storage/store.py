"""The files of one run directory, on this machine or in any store fsspec knows."""

import itertools
import os
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

_NUMBERS = itertools.count()  # of temporary files; one count for the process, since two stores may write into one folder from two threads
# One PUT of these stores is atomic, and a rename is a copy: whole files are put under their own name at once.
ATOMIC_PUT = {"memory", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "ocilake", "oss", "obs", "tos", "hf"}


class Store:
    """Reads and writes whole files by name below one location; a reader never sees half a file.

    Args:
        location: A path on this machine or an fsspec URL (``memory://runs/a``, ``s3://bucket/runs/a``). A relative path is resolved now, so that the
            script may change its working directory later.

    Raises:
        ValueError: fsspec knows no such protocol.
        ImportError: The package behind the protocol is not installed.
    """

    def __init__(self, location: str) -> None:
        files, root = url_to_fs(location)
        self._files: Any = files
        self.is_local = isinstance(files, LocalFileSystem)
        self.root: str = os.path.abspath(root) if self.is_local else root.rstrip("/")
        protocols = {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)
        self._puts_are_atomic = not self.is_local and bool(protocols & ATOMIC_PUT)

    def path(self, name: str = "") -> str:
        """Return the full path of a file inside the store."""
        return f"{self.root}/{name}" if name else self.root

    def make(self, folder: str = "") -> None:
        """Make the location itself, or a folder in it."""
        if self.is_local and folder:
            Path(self.path(folder)).mkdir(exist_ok=True)  # without parents: a run that was deleted is not raised from the dead
        else:
            self._files.makedirs(self.path(folder), exist_ok=True)

    def is_file(self, name: str = "") -> bool:
        """Return whether a file has this name."""
        return bool(self._files.isfile(self.path(name)))

    def is_folder(self, name: str = "") -> bool:
        """Return whether a folder has this name."""
        return bool(self._files.isdir(self.path(name)))

    def names(self, folder: str = "") -> list[str]:
        """Return the names in a folder, sorted; none if it is not there."""
        try:
            if self.is_local:
                return sorted(os.listdir(self.path(folder)))
            self._files.invalidate_cache()  # another process is writing: a remembered listing is out of date
            return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in self._files.ls(self.path(folder), detail=False))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str) -> bytes:
        """Return a whole file.

        Raises:
            FileNotFoundError: It is not there (any more).
        """
        if self.is_local:
            return Path(self.path(name)).read_bytes()
        content: bytes = self._files.cat_file(self.path(name))
        return content

    def put(self, name: str, content: bytes) -> None:
        """Write a whole file: afterwards it is there in full, and on failure it is as it was before."""
        if self._puts_are_atomic:
            self._files.pipe_file(self.path(name), content)
            return
        temporary = self._temporary(name)
        try:
            self._write(temporary, content)
            self._rename(temporary, self.path(name))
        except BaseException:
            self._remove_quietly(temporary)
            raise

    def put_new(self, name: str, content: bytes) -> None:
        """Write a whole file that must not exist yet.

        Raises:
            FileExistsError: It exists.

        Limits:
            Two writers in the same instant are told apart on local file systems with hard links only.
        """
        if self.is_file(name):
            raise FileExistsError(self.path(name))
        if not self.is_local:
            self.put(name, content)
            return
        temporary = self._temporary(name)
        try:
            self._write(temporary, content)
            self._link(temporary, self.path(name))
        finally:
            self._remove_quietly(temporary)

    def append(self, name: str, line: bytes) -> int:
        """Append to a local file with a single write; return how many bytes arrived (fewer when the disk is full)."""
        handle = os.open(self.path(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            return os.write(handle, line)
        finally:
            os.close(handle)

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone already is fine."""
        try:
            if self.is_local:
                os.remove(self.path(name))
            else:
                self._files.rm_file(self.path(name))
        except FileNotFoundError:
            pass

    def _temporary(self, name: str) -> str:
        folder = os.path.dirname(self.path(name))
        return f"{folder}/.writing-{os.getpid()}-{next(_NUMBERS)}"  # no reader's pattern matches this name

    def _write(self, path: str, content: bytes) -> None:
        if self.is_local:
            Path(path).write_bytes(content)
        else:
            self._files.pipe_file(path, content)

    def _rename(self, source: str, target: str) -> None:
        if self.is_local:
            os.replace(source, target)
        else:
            self._files.mv(source, target)

    def _link(self, source: str, target: str) -> None:
        try:
            os.link(source, target)  # unlike a rename it fails where the target exists: of two runs at once only one gets the place
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            os.replace(source, target)

    def _remove_quietly(self, path: str) -> None:
        try:
            if self.is_local:
                os.remove(path)
            else:
                self._files.rm_file(path)
        except Exception:  # best effort: its name hides it from readers
            return
