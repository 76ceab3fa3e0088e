"""Whether the players of a game, or the sides of one, circle around one another: a few numbers of the weights at each step, and how their path winds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..signals.winding import FEWEST, Winding, winding
from .observables import sample

if TYPE_CHECKING:
    from .player import Player

WIDTH = 6
TENSORS, SAMPLE = 8, 512
FEW = 4  # tensors of a player without another one
MOST = 1500
TURNS = 2.0  # a random walk seen in its own principal plane winds once at most
STEADY = 0.8
SHORTEST = 6.0  # steps: shorter ones are overshooting, and look the same with one player
PART = 0.2
FLAT = 0.6
# Of one player whose steps nothing is known to turn, only a rotation beyond doubt is told.
ALONE = {"turns": 2.0, "steadiness": 0.9, "flatness": 0.6}


class Orbit:
    """Where one player's weights were: six random projections of samples of its largest weights, a step each, recorded step or not.

    The signs of the projections come from a generator of their own with a fixed seed.
    """

    def __init__(self) -> None:
        self.points: dict[int, list[float]] = {}
        self._signs: Tensor | None = None
        self._watched: tuple[int, list[int]] = (0, [])

    def add(self, step: int, player: "Player", *, is_sampled: bool, is_alone: bool) -> None:
        """Remember where the weights are at ``step``, if a path of them would be looked at; on a device, where reading them waits, only at recorded steps."""
        if len(self.points) >= MOST or (is_alone and not _may_turn(player)):
            return
        keys = self._keys(player)[: FEW if is_alone else TENSORS]
        weights = [player.parameters[key] for key in keys if key in player.parameters]
        if not weights or not (is_sampled or weights[0].device.type == "cpu"):
            return
        flat = torch.cat([sample(weight, SAMPLE).reshape(-1).float() for weight in weights])
        if self._signs is None or self._signs.shape[0] != flat.numel():
            own = torch.Generator().manual_seed(0)
            self._signs = (torch.randint(0, 2, (flat.numel(), WIDTH), generator=own).float() * 2 - 1).to(flat.device)
            self.points = {}
        self.points[step] = (flat @ self._signs).tolist()

    def _keys(self, player: "Player") -> list[int]:
        if self._watched[0] != len(player.sizes):
            self._watched = len(player.sizes), sorted(player.sizes, key=lambda key: -player.sizes[key])
        return self._watched[1]


def rotation_fact(players: Sequence["Player"]) -> dict[str, Any]:
    r"""Return the fact ``rotation`` of the players of a game, or of the sides of one; nothing where they do not wind around one another.

    Both players must take part: each one's movement is scaled to its own size, and each must hold a fifth of the plane. Of the longest stretch of steps at
    equal distances the newest half is looked at first; then, since a circle that grows fast hides its inner turns, ever shorter newest parts, down to a
    sixteenth; then all.

    One optimizer may hold both sides, where some of its gradients come with a turned sign. Where none is seen to, plain gradient descent still tells: on one
    loss its Jacobian :math:`I - \eta H` is symmetric and has no complex eigenvalues, so that weights that wind on do not follow one loss.
    """
    rivals = [player for player in players if "adversarial" in player.facts and player.orbit.points]
    if len(rivals) < 2:
        rivals = [player for player in players if len(players) == 1 and player.orbit.points and _may_turn(player)]
    if not rivals:
        return {}
    steps, stride = _longest_stretch(set.intersection(*(set(player.orbit.points) for player in rivals)))
    if not steps:
        return {}
    paths = [np.asarray([player.orbit.points[step] for step in steps], dtype=np.float64) for player in rivals]
    for first in (len(steps) - len(steps) // part for part in (2, 3, 4, 6, 8, 12, 16, 1) if len(steps) // part >= FEWEST):
        found = _joint([path[first:] for path in paths])
        if found is not None and (len(rivals) > 1 or _is_turned(rivals[0]) or all(getattr(found, name) >= least for name, least in ALONE.items())):
            start = np.concatenate([path[0] - path[first:].mean(0) for path in paths])
            return {
                "rotation": {
                    **_told(found, start, paths, first),
                    "period": found.period * stride,
                    "first": steps[first],
                    "last": steps[-1],
                    "sides": _sides(rivals),
                }
            }
    return {}


def _sides(rivals: Sequence["Player"]) -> str:
    return "players" if len(rivals) > 1 else "sides" if _is_turned(rivals[0]) else "weights"


def _may_turn(player: "Player") -> bool:
    """Return whether the weights of one player alone would be told to rotate."""
    return _is_turned(player) or _is_plain(player)


def _is_turned(player: "Player") -> bool:
    """Return whether some of its weights are known to climb where others descend."""
    return "turned" in player.facts


def _is_plain(player: "Player") -> bool:
    """Return whether its optimizer is gradient descent without a memory."""
    settings = player.optimizer_settings
    return settings.get("name") == "SGD" and not settings.get("momentum")


def _joint(paths: Sequence[np.ndarray]) -> Winding | None:
    scaled = _scaled(paths)
    if len(scaled) < len(paths):
        return None
    found = winding(np.concatenate(scaled, 1))
    if found is None or not np.isfinite(found.period) or found.turns < TURNS or found.steadiness < STEADY or found.period < SHORTEST:
        return None
    shares = [float(found.loadings[i * WIDTH : (i + 1) * WIDTH].sum()) / 2 for i in range(len(scaled))]
    return found if min(shares) >= PART and found.flatness >= FLAT else None


def _scaled(paths: Sequence[np.ndarray]) -> list[np.ndarray]:
    sizes = [float(np.sqrt(((path - path.mean(0)) ** 2).sum(1).mean())) for path in paths]
    return [path / size for path, size in zip(paths, sizes, strict=True) if np.isfinite(size) and size > 0]


def _told(found: Winding, start: np.ndarray, paths: Sequence[np.ndarray], first: int) -> dict[str, Any]:
    """Return the winding as plain data, with the size of the newest turn beside the way from the start to the centre."""
    moved = np.concatenate([path[first:] - path[first:].mean(0) for path in paths], 1)
    newest = moved[-max(int(found.period), 2) :]
    radius, way = float(np.sqrt((newest**2).sum(1).mean())), float(np.sqrt((start**2).sum()))
    return {
        "period": found.period,
        "growth": found.growth,
        "turns": found.turns,
        "steadiness": found.steadiness,
        "flatness": found.flatness,
        "radius_over_way": radius / way if way > 0 else 0.0,
    }


def _longest_stretch(steps: set[int]) -> tuple[list[int], int]:
    """Return the longest run of steps at equal distances, and that distance: 1 where every step was seen, a power of two where steps were left out."""
    best: tuple[list[int], int] = ([], 1)
    last, stride = max(steps, default=0), 1
    while stride * FEWEST <= last:
        run: list[int] = []
        runs = [run]
        for step in sorted(one for one in steps if one % stride == 0):
            if run and step != run[-1] + stride:
                run = []
                runs.append(run)
            run.append(step)
        longest = max(runs, key=len)
        if len(longest) >= FEWEST and len(longest) * stride > len(best[0]) * best[1]:
            best = longest, stride
        stride *= 2
    return best
