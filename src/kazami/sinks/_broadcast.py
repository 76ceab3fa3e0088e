"""One run told to all its sinks: rows under clear names, each finding once, the report at the end."""

from collections.abc import Callable, Mapping, Sequence

from ..records.finding import Finding, Sentence
from ._base import PREFIX, AbstractSink
from ._feed import LONGEST_WAIT_S, Feed, finish

OF_LAYERS = ("layer_wind", "gradient_norm", "update_ratio", "weight_norm", "dead_share")  # the others of a layer are in the run directory alone
MARKS = ("batch_inputs", "batch_targets")  # by which `kazami compare` tells one batch from another: no measures, and a chart of them says nothing


class Broadcast:
    """Tells one run to its sinks.

    Args:
        sinks: The sinks.
        warn: Gets one sentence for each sink that is in trouble.
    """

    def __init__(self, sinks: Sequence[AbstractSink], warn: Callable[[Sentence], None]) -> None:
        self._feeds = [Feed(sink, warn) for sink in sinks]
        self._told: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether any sink still takes anything."""
        return any(feed.is_open for feed in self._feeds)

    def row(self, step: int, row: Mapping[str, float], layers: Sequence[str]) -> None:
        """Tell the numbers of one step.

        Args:
            step: The optimizer step, the first is 1.
            row: What was recorded at it, by the names of the run directory.
            layers: The names of the layers, in the order of their columns.
        """
        values = named(row, layers)
        if values:
            for feed in self._feeds:
                feed.log(step, values)

    def findings(self, step: int, findings: Sequence[Finding]) -> None:
        """Tell those of the findings that were not told before."""
        for finding in findings:
            if finding.name not in self._told:
                self._told.add(finding.name)
                for feed in self._feeds:
                    feed.finding(step, finding)

    def report(self, path: str) -> None:
        """Hand the report to all."""
        for feed in self._feeds:
            feed.artifact(path)

    def close(self, longest_s: float = LONGEST_WAIT_S) -> None:
        """End all sinks, and wait for them for a limited time."""
        feeds, self._feeds = self._feeds, []
        finish(feeds, longest_s)


def named(row: Mapping[str, float], layers: Sequence[str]) -> dict[str, float]:
    """Return the numbers that are told, by the names under which they are told.

    Example:
        >>> named({"loss": 0.5, "layer_wind/000": -1.0, "input_rms/000": 1.0}, ["encoder.0"])
        {'kazami/loss': 0.5, 'kazami/layer_wind/encoder.0': -1.0}
    """
    values: dict[str, float] = {}
    for name, value in row.items():
        quantity, _, column = name.partition("/")
        if name in MARKS:
            continue
        if not column.isdigit():
            values[PREFIX + name] = value
        elif quantity in OF_LAYERS:
            values[f"{PREFIX}{quantity}/{_layer(int(column), layers)}"] = value
    return values


def _layer(column: int, layers: Sequence[str]) -> str:
    name = layers[column] if column < len(layers) else ""
    return name if name and layers.count(name) == 1 else f"{name}#{column}".lstrip("#")  # two models may have layers of the same name
