"""proof.json: what ``kazami cure`` found, within its run directory; with it the change and the weather before and after."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import RunUnreadable
from ..records import Proof, Series, Trace
from .store import Store
from .strict_json import dumps, loads, plain
from .trace_head import trace_from_head, trace_head

NAME = "proof.json"
SHOWN = ("layer_wind", "gradient_norm", "loss")  # the series that a report of a proof draws
MOST_ROWS = 400  # of each of them; a screen has no more columns for half its width


@dataclass(frozen=True, slots=True)
class StoredProof:
    """What a run directory of ``kazami cure`` holds beside its head.

    Attributes:
        proof: What was found.
        diff: The change as a unified diff of the user's file, empty where there is none.
        lines: The lines to add, where there is no diff.
        before: What was seen of the unchanged training.
        after: What was seen of the changed one.
    """

    proof: Proof
    diff: str = ""
    lines: str = ""
    before: Trace | None = None
    after: Trace | None = None

    def document(self) -> dict[str, Any]:
        """Return plain data, as printed by ``kazami cure --json``."""
        content = {
            "schema": 1,
            "cured": self.proof.cured,
            "changes": [change.name for change in self.proof.changes],
            "diff": self.diff,
            "lines_to_add": self.lines,
            "proof": self.proof.to_dict(),
        }
        data: dict[str, Any] = plain(content)
        return data


def write_proof(location: str, stored: StoredProof) -> None:
    """Write ``proof.json`` into a run directory that exists, whole or not at all.

    Args:
        location: Path or fsspec URL of the run directory.
        stored: What to write; of the traces only what a report draws is kept, evenly thinned.
    """
    weather = {name: _thin(trace) for name, trace in (("before", stored.before), ("after", stored.after)) if trace is not None}
    change = {"diff": stored.diff, "lines_to_add": stored.lines}
    Store(location).put(NAME, dumps({**stored.proof.to_dict(), **change, "weather": weather}).encode())


def read_proof(store: Store) -> StoredProof | None:
    """Return the proof of a run directory, ``None`` where it holds none.

    Raises:
        RunUnreadable: There is one, but it is not as kazami writes it.
    """
    if not store.is_file(NAME):
        return None
    try:
        data = loads(store.read(NAME))
        proof = Proof.from_dict(data.get("proof", data))
        weather = {name: trace_from_head(one["head"], _series(one["series"])) for name, one in data.get("weather", {}).items()}
        return StoredProof(proof, data.get("diff") or "", data.get("lines_to_add") or "", weather.get("before"), weather.get("after"))
    except (TypeError, KeyError, AttributeError, ValueError, RecursionError) as error:
        raise RunUnreadable(f"{store.path(NAME)} is not as kazami writes it ({type(error).__name__}: {error}).") from None


def _thin(trace: Trace) -> dict[str, Any]:
    shown = {name: _rows(trace[name]) for name in SHOWN if trace.has(name)}
    return {"head": trace_head(trace), "series": {name: {"steps": one.steps.tolist(), "values": one.values.tolist()} for name, one in shown.items()}}


def _rows(series: Series) -> Series:
    keep = np.unique(np.linspace(0, len(series) - 1, min(len(series), MOST_ROWS)).round().astype(np.int64))
    return Series(series.steps[keep], series.values[keep])


def _series(stored: dict[str, Any]) -> dict[str, Series]:
    return {
        name: Series(np.asarray(one["steps"], dtype=np.int64), np.asarray(one["values"], dtype=np.float64))  # NaN comes as a string, which NumPy reads
        for name, one in stored.items()
    }
