"""What a user can ask of ``kazami run`` and ``kazami check``, validated once."""

from dataclasses import dataclass

from ..diagnosis import asked_by_option
from ..errors import UsageError
from ..sinks import chosen

FAIL_ON = ("warning", "error")
LANGUAGES = ("en", "ja")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of one watched run.

    Attributes:
        run: The run directory, or an fsspec URL; ``None`` for ``runs/<date>-<script>-<n>`` in the working directory.
        max_steps: Stop the script after this many optimizer steps, at least 1; ``None`` for no limit.
        every: Measure every so many optimizer steps, at least 1; ``None`` lets the measured cost decide.
        json: File to write the findings to as one JSON document, ``-`` for stdout; ``None`` for none.
        fail_on: Lowest severity, ``warning`` or ``error``, at which a script that succeeded still ends with exit code 3; ``None`` for never.
        quiet: Neither a live line nor a verdict on stderr; what is written to files is the same.
        lang: ``en`` or ``ja``; ``None`` takes it from the environment (``LANG``).
        check: Stop after the first optimizer step and say what can be known by then.
        sarif: As ``json``, for a SARIF 2.1.0 log.
        ignore: Identifiers or names of findings to leave out of the verdict, separated by commas.
        dynamics: Measure sharpness and the growth of tiny differences at every step, whatever it costs.
        sinks: Loggers that get the numbers, the findings and the report too, as ``name`` or ``name:setting``.

    Raises:
        UsageError: A value is outside its range.

    Example:
        >>> RunOptions(max_steps=100).max_steps
        100
        >>> RunOptions(every=0)
        Traceback (most recent call last):
        kazami.errors.UsageError: --every should be 1 or more, and is 0
    """

    run: str | None = None
    max_steps: int | None = None
    every: int | None = None
    json: str | None = None
    fail_on: str | None = None
    quiet: bool = False
    lang: str | None = None
    check: bool = False
    sarif: str | None = None
    ignore: str | None = None
    dynamics: bool = False
    sinks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, in the words of the command line."""
        _at_least_one("--max-steps", self.max_steps)
        _at_least_one("--every", self.every)
        _one_of("--fail-on", self.fail_on, FAIL_ON)
        _one_of("--lang", self.lang, LANGUAGES)
        _not_empty("--run", self.run)
        _not_empty("--json", self.json)
        _not_empty("--sarif", self.sarif)
        if self.json == self.sarif == "-":
            raise UsageError("--json - and --sarif - cannot both have stdout: give one of them a file")
        asked_by_option(self.ignore or "")
        chosen(self.sinks)

    @property
    def stride(self) -> int | None:
        """After how many steps one is recorded; ``None`` lets the measured cost decide."""
        return 1 if self.check or (self.dynamics and self.every is None) else self.every


def _at_least_one(option: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise UsageError(f"{option} should be 1 or more, and is {value}")


def _one_of(option: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise UsageError(f"{option} should be {' or '.join(choices)}, and is {value!r}")


def _not_empty(option: str, value: str | None) -> None:
    if value == "":
        raise UsageError(f"{option} should name a place, and is empty")
