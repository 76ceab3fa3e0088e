"""The wind tunnel: computations are begun, looked at and cancelled."""

from types import MappingProxyType
from typing import ClassVar

from ...records.finding import Sentence
from ...records.regime import LETTERS
from ..refusals import BadRequest
from ..tunnel_presets import TILES, TUNNELS
from ..tunnelling import LIMITS, Tunnelling
from ..wire_tunnel import JobState, TunnelHome, TunnelWish
from ._base import AbstractRoute, Asked

NAMES = MappingProxyType(
    {
        "convergent": Sentence("comes to rest", "静止する"),
        "edge_of_stability": Sentence("edge of stability", "安定性の端"),
        "periodic": Sentence("periodic", "周期的"),
        "quasi_periodic": Sentence("quasi-periodic", "準周期的"),
        "intermittent": Sentence("intermittent", "間欠的"),
        "transient_chaos": Sentence("transient chaos", "過渡カオス"),
        "chaos": Sentence("chaos", "カオス"),
        "dead": Sentence("dead", "死"),
        "divergent": Sentence("diverges", "発散する"),
        "noise": Sentence("noise", "雑音"),
        "unsure": Sentence("unsure", "不明"),
    }
)
COLOURS = MappingProxyType(
    {
        "C": "#a9d6e5", "E": "#7fb7a6", "P": "#3f88c5", "Q": "#1d3557", "I": "#f4d35e", "T": "#e3b7ac",
        "X": "#e2711d", "D": "#9aa4ad", "V": "#5c0d12", "N": "#6f5f90", "?": "#ffffff",
    }
)  # fmt: skip


class TunnelPresets(AbstractRoute):
    """``GET /api/tunnel``: `TunnelHome`; a process is made ready meanwhile."""

    path: ClassVar[str] = "/api/tunnel"

    def answer(self, asked: Asked) -> TunnelHome:
        """List them."""
        del asked
        self.house.of(Tunnelling, Tunnelling).warm_up()
        letters = {letter: NAMES[label] for label, letter in LETTERS.items()}
        return TunnelHome(tuple(tunnel.preset for tunnel in TUNNELS.values()), LIMITS, letters, dict(COLOURS), TILES)


class TunnelStart(AbstractRoute):
    """``POST /api/tunnel/jobs``: a `TunnelWish`, answered by a `JobState`."""

    path: ClassVar[str] = "/api/tunnel/jobs"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> JobState:
        """Begin it."""
        return self.house.of(Tunnelling, Tunnelling).start(asked.body_as(TunnelWish))


class TunnelLook(AbstractRoute):
    """``GET /api/tunnel/jobs/{job}?after=n``: a `JobState` with the parts after the n-th."""

    path: ClassVar[str] = "/api/tunnel/jobs/{job}"

    def answer(self, asked: Asked) -> JobState:
        """Say how it stands."""
        after = asked.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 9):
            raise BadRequest("after should be a whole number.", "after には整数を指定してください。")
        return self.house.of(Tunnelling, Tunnelling).look(asked.path["job"], int(after))


class TunnelCancel(AbstractRoute):
    """``POST /api/tunnel/jobs/{job}/cancel``: the last `JobState`."""

    path: ClassVar[str] = "/api/tunnel/jobs/{job}/cancel"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> JobState:
        """End it."""
        return self.house.of(Tunnelling, Tunnelling).cancel(asked.path["job"])
