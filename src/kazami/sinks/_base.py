"""What a sink is: five short methods that are called one after the other in a thread of the sink's own, far from the training."""

from abc import ABC, abstractmethod
from typing import ClassVar

from ..records.finding import Finding

PREFIX = "kazami/"  # before every name of ours, so that none meets a name of the script


class AbstractSink(ABC):
    """One place to which the numbers, the findings and the report of a run also go.

    All methods are called from one thread that belongs to this sink, in order, and never from the training. What they raise ends the sink with one warning;
    while they block, what is waiting is kept up to a limit and then dropped, with one warning. Open files and runs at the first call, not in the
    constructor: that is called on the training's side.

    Args:
        setting: What stands behind the colon in ``--sink name:setting``; empty where there is none.
        run: Name or place of the run, empty where it has none.

    Attributes:
        name: What ``--sink`` calls it.
        package: The module that must be installed, empty where none is needed; it is imported at the first call.
        extra: The extra of kazami that brings it (``pip install "kazami[extra]"``).
        patience_s: For how many seconds the end of a run waits for one call that neither computes nor comes back.
    """

    name: ClassVar[str] = ""
    package: ClassVar[str] = ""
    extra: ClassVar[str] = ""
    patience_s: ClassVar[float] = 5.0

    def __init__(self, setting: str = "", run: str = "") -> None:
        self.setting = setting
        self.run = run

    @abstractmethod
    def log(self, step: int, values: dict[str, float]) -> None:
        """Take the numbers of one optimizer step, by names such as ``kazami/loss`` and ``kazami/layer_wind/encoder.0``; they may be NaN or infinite."""

    @abstractmethod
    def finding(self, step: int, finding: Finding) -> None:
        """Take a finding; each comes once in a run."""

    @abstractmethod
    def artifact(self, path: str) -> None:
        """Take a file that belongs to the run: its report. It may be gone when the method has returned."""

    @abstractmethod
    def close(self) -> None:
        """End it; called once, also after a method has raised."""


def in_words(finding: Finding) -> str:
    """Return a finding as a short text of one sentence, its place and its numbers."""
    from ..reports.numerals import short

    numbers = [
        f"{item.name} {short(item.value)}{f' (limit {short(item.limit)})' if item.limit is not None else ''} {item.unit}".rstrip() for item in finding.evidence
    ]
    where = f" [{finding.place}]" if finding.place else ""
    return f"{finding.sentence.en}{where}{' — ' + '; '.join(numbers) if numbers else ''}"
