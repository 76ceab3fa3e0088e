"""Launch: how a script was started, so that it can be started again from where its run directory lies."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Launch:
    """How a script was started.

    Attributes:
        target: The script as it was named, or the name of a module.
        arguments: The script's own.
        as_module: Whether it ran as ``python -m target``.
        directory: The working directory, seen from the run directory (``"../.."``), so that both can be moved together; empty where it is not known.

    Example:
        >>> Launch("train.py", ("--lr", "3")).seen_from("/trainings/runs/one", directory="/trainings").directory
        '../..'
        >>> Launch("train.py", directory="../..").working_directory("/elsewhere/runs/one")
        '/elsewhere'
    """

    target: str
    arguments: tuple[str, ...] = ()
    as_module: bool = False
    directory: str = ""

    def seen_from(self, location: str, *, directory: str | None = None) -> "Launch":
        """Return the same with its working directory as seen from a run directory.

        Args:
            location: The run directory; from a URL nothing can be seen.
            directory: The working directory, by default that of this process.
        """
        if "://" in location:
            return self
        try:
            here = os.path.realpath(directory if directory is not None else os.getcwd())
            way = os.path.relpath(here, os.path.realpath(location))
        except (OSError, ValueError):  # the directory is gone, or lies on another drive
            return self
        return Launch(self.target, self.arguments, self.as_module, way.replace(os.sep, "/"))

    def working_directory(self, location: str) -> str:
        """Return the absolute path of the working directory, empty where it is not known."""
        return os.path.normpath(os.path.join(os.path.realpath(location), self.directory)) if self.directory else ""

    def file(self, location: str) -> str:
        """Return the absolute path of the script, empty where there is none (any more)."""
        home = self.working_directory(location)
        if not home or not self.target:
            return ""
        inside = self.target.replace(".", os.sep)
        names = (f"{inside}.py", os.path.join(inside, "__main__.py")) if self.as_module else (self.target,)
        return next((path for path in (os.path.realpath(os.path.join(home, name)) for name in names) if os.path.isfile(path)), "")

    @property
    def words(self) -> tuple[str, ...]:
        """What stands behind ``python``."""
        return (*(("-m",) if self.as_module else ()), self.target, *self.arguments)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"target": self.target, "arguments": list(self.arguments), "as_module": self.as_module, "directory": self.directory}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Launch | None":
        """Return the launch that :meth:`to_dict` described, ``None`` where the data are none.

        >>> Launch.from_dict({"target": "a.py", "arguments": [1]}) is None
        True
        """
        target, arguments, directory = data.get("target"), data.get("arguments", []), data.get("directory", "")
        is_text = isinstance(target, str) and isinstance(directory, str) and isinstance(arguments, list | tuple)
        is_text = is_text and all(isinstance(one, str) for one in arguments)
        if not is_text or not target or any("\0" in one for one in (target, directory, *arguments)):
            return None
        return cls(str(target), tuple(arguments), data.get("as_module") is True, str(directory))
