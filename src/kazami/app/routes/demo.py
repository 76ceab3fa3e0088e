"""The demonstration run, started from an empty page."""

import subprocess
import sys
from typing import ClassVar

from ...storage import default_location
from ..refusals import BadRequest
from ..wire import Done
from ._base import AbstractRoute, Asked


class _Demonstration:
    """The one demonstration that may be under way."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self.process is not None and self.process.poll() is None


class Demo(AbstractRoute):
    """``POST /api/demo``: starts ``kazami demo`` as a process of its own; the answer names the run."""

    path: ClassVar[str] = "/api/demo"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> Done:
        """Start it, one at a time."""
        del asked
        demonstration = self.house.of(_Demonstration, _Demonstration)
        if demonstration.is_running:
            raise BadRequest("A demonstration is already running.", "デモはすでに実行中です。")
        place = default_location("demo", str(self.house.folder.path))
        command = [sys.executable, "-m", "kazami", "demo", "--run", place]
        demonstration.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return Done(place.rpartition("/")[2])
