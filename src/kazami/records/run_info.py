"""RunInfo: the head of a run directory, as stored in run.json."""

from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run is, how far it has come and how it ended.

    Attributes:
        id: Name of the run directory.
        command: The command line, or empty when watched from Python.
        started: UTC time in ISO 8601.
        ended: The same, empty while the run goes on.
        reason: How it ended: ``"finished"``, ``"exception"``, ``"interrupted"`` …, empty while it goes on.
        exit_code: The script's own exit code, ``None`` while it goes on.
        steps: Optimizer steps seen.
        versions: Python, torch, kazami.
        environment: Platform, processors, threads, devices.
        seeds: Seeds that were seen, by generator.
        trace: Layers, facts, optimizer, loss kind and the rest of a Trace except its series, as plain data.
        verdict: One sentence in each language, ``{"en": …, "ja": …}``.
        wind: ``{"word": …, "value": …}``.
        findings: The newest findings, as ``Finding.to_dict()`` gives them.
        blind: What could not be seen.
        script: The user's script as the command line named it, empty where there is none.
        launch: How the script was started, as ``Launch.to_dict()`` gives it; empty when watched from Python.
        suppressions: What the user asked to leave out of the verdict, as ``Suppression.to_dict()`` gives it.
        suppressed: The findings that were left out, as ``Finding.to_dict()`` gives them.
        format_version: Version of this format.
    """

    id: str
    command: str = ""
    started: str = ""
    ended: str = ""
    reason: str = ""
    exit_code: int | None = None
    steps: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, Any] = field(default_factory=dict)
    trace: dict[str, Any] = field(default_factory=dict)
    verdict: dict[str, str] = field(default_factory=dict)
    wind: dict[str, Any] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    script: str = ""
    launch: dict[str, Any] = field(default_factory=dict)
    suppressions: list[dict[str, Any]] = field(default_factory=list)
    suppressed: list[dict[str, Any]] = field(default_factory=list)
    format_version: int = FORMAT_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "RunInfo":
        """Return the head that :meth:`to_dict` described; unknown fields are left out."""
        return cls(**{key: value for key, value in data.items() if key in cls.__dataclass_fields__})
