"""JSON lines: one strict JSON object a line, for every step and every finding, appended to one file."""

import os
from datetime import datetime
from typing import Any, ClassVar

from ..records.finding import Finding
from ..storage.strict_json import dumps
from ._base import AbstractSink


class JsonLines(AbstractSink):
    """Appends to a file: ``{"run": "runs/a", "step": 1, "values": {...}}``, ``{"run": …, "step": 1, "finding": {...}}`` and ``{"run": …, "artifact": "…"}``.

    ``run`` is the run directory; a run that has none is called after the moment at which it first wrote, and its process.
    Every line is written with one system call, so that a killed process leaves whole lines, and a reader can follow it. NaN and infinity are the strings
    ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``. The setting is the path, ``kazami.jsonl`` where none is given.
    """

    name: ClassVar = "jsonl"
    _file: Any = None

    def log(self, step: int, values: dict[str, float]) -> None:
        """Write the numbers of one step."""
        self._write({"step": step, "values": values})

    def finding(self, step: int, finding: Finding) -> None:
        """Write a finding as ``--json`` does."""
        self._write({"step": step, "finding": finding.to_dict()})

    def artifact(self, path: str) -> None:
        """Write where the report is."""
        self._write({"artifact": path})

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _write(self, data: dict[str, Any]) -> None:
        if self._file is None:
            self.run = self.run or f"{datetime.now().astimezone().isoformat()}-{os.getpid()}"
            self._file = open(self.setting or "kazami.jsonl", "ab", buffering=0)  # noqa: SIM115  # closed by close
        line = memoryview((dumps({"run": self.run, **data}) + "\n").encode())
        written = self._file.write(line)
        while written < len(line):  # a disk that fills up takes a part of it and then says so
            written += os.write(self._file.fileno(), line[written:])
