"""A sink of the example: step and loss as comma-separated values."""

from typing import Any, ClassVar

from kazami.records import Finding
from kazami.sinks import AbstractSink


class CommaSeparated(AbstractSink):
    """Writes two columns; the setting is the file. ``log`` is called in a thread of this sink's own, so that it may take its time."""

    name: ClassVar = "csv"
    _file: Any = None

    def log(self, step: int, values: dict[str, float]) -> None:
        """Write a line where there is a loss."""
        if self._file is None:
            self._file = open(self.setting or "losses.csv", "w", encoding="utf-8")  # noqa: SIM115  # closed by close
            self._file.write("step,loss\n")
        if "kazami/loss" in values:
            self._file.write(f"{step},{values['kazami/loss']!r}\n")

    def finding(self, step: int, finding: Finding) -> None:
        """Leave findings to others."""

    def artifact(self, path: str) -> None:
        """Leave the report to others."""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
