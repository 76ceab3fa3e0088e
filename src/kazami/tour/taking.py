"""Taking the tour: one panel after the other; what fails, or is cut short, costs none of the others."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..records import Sentence
from ..registry import plugins
from ..reports.plain import plain
from ._base import AbstractPanel, PanelResult

SCHEMA = 1
Told = Callable[[AbstractPanel, Sentence], None]  # (panel, what it is computing just now)


@dataclass(frozen=True, slots=True)
class Stop:
    """A panel of the tour as it went.

    Attributes:
        panel: The panel.
        result: What it found, ``None`` where it failed.
        seconds: How long it took, wall clock.
        error: What went wrong, empty where nothing did.
    """

    panel: AbstractPanel
    result: PanelResult | None
    seconds: float
    error: str = ""


@dataclass(slots=True)
class Tour:
    """The stops so far.

    Attributes:
        stops: In the order of the tour.
        is_interrupted: Whether it was cut short.
    """

    stops: list[Stop] = field(default_factory=list)
    is_interrupted: bool = False

    @property
    def results(self) -> list[PanelResult]:
        """What was found, in the order of the tour."""
        return [stop.result for stop in self.stops if stop.result is not None]

    @property
    def seconds(self) -> float:
        """How long all panels took together."""
        return sum(stop.seconds for stop in self.stops)

    @property
    def exit_code(self) -> int:
        """130 where the tour was cut short, 1 where a panel failed, else 0."""
        if self.is_interrupted:
            return 130
        return int(any(stop.result is None for stop in self.stops))


def all_panels() -> tuple[AbstractPanel, ...]:
    """Return the panels in the order of the tour."""
    return tuple(sorted((kind() for kind in plugins("kazami.tour.panels", AbstractPanel)), key=lambda panel: panel.number))


def take(panels: Sequence[AbstractPanel], tell: Told) -> Iterator[Stop]:
    """Yield each panel as soon as it is computed; a panel that fails says so, and the tour goes on.

    Args:
        panels: Which, in which order.
        tell: Told what is being computed.
    """
    for panel in panels:
        begun = time.perf_counter()
        result, error = None, ""
        try:
            result = panel.compute(lambda sentence, panel=panel: tell(panel, sentence))  # type: ignore[misc]
        except Exception as mistake:  # whatever went wrong in one panel, the others are worth showing
            error = f"{type(mistake).__name__}: {mistake}"
        yield Stop(panel, result, time.perf_counter() - begun, error)


def document(tour: Tour, page: str | None) -> dict[str, Any]:
    """Return the tour as strict JSON data: every number that is shown, the checks, and where the page is."""
    content = {
        "schema": SCHEMA,
        "page": page,
        "seconds": tour.seconds,
        "is_interrupted": tour.is_interrupted,
        "panels": [_panel(stop) for stop in tour.stops],
    }
    data: dict[str, Any] = plain(content)
    return data


def _panel(stop: Stop) -> dict[str, Any]:
    result = stop.result
    head = {"number": stop.panel.number, "name": stop.panel.name, "topic": asdict(stop.panel.topic), "seconds": stop.seconds, "error": stop.error or None}
    if result is None:
        return head
    return head | {
        "finding": asdict(result.finding),
        "numbers": dict(result.numbers),
        "checks": [check.to_dict() for check in result.checks],
        "deeper": [one.command for one in result.deeper],
    }
