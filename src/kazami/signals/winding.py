"""How a path winds around a centre: turns, period and growth of the circle, in the plane in which it moves most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 24


@dataclass(frozen=True, slots=True)
class Winding:
    """The winding of a path.

    Attributes:
        turns: How often it goes round, in one sense.
        steadiness: Net angle over the sum of all angles walked: 1 never turns back.
        period: Steps a turn, from the complex eigenvalues of the linear map that fits best; NaN where they are real.
        growth: By what the radius is multiplied in one turn, from the same eigenvalues.
        flatness: Share of the movement that lies in the plane.
        loadings: Share of the plane that each coordinate has, shape ``(d,)``, sum 2.
        radius: Typical distance from the centre in the newest turn.
    """

    turns: float
    steadiness: float
    period: float
    growth: float
    flatness: float
    loadings: Floats
    radius: float


def winding(path: Floats) -> Winding | None:
    r"""Return how a path winds, ``None`` for fewer than 24 points or one that stands still.

    A straight line is taken out, the two principal directions of what is left span the plane, and :math:`z_{t+1} = A z_t + b + ct` is fitted in it: the
    eigenvalues :math:`\rho e^{\pm i\omega}` of ``A`` give the period :math:`2\pi/\omega` and the growth :math:`\rho^{2\pi/\omega}` a turn.

    Args:
        path: Shape ``(n, d)``, equal steps.

    Limits:
        Of a random walk in many dimensions the two principal directions are cosines of half a period and of a whole one, which wind once at most: a
        rotation needs two turns and more.

    References:
        Antognini and Sohl-Dickstein 2018, PCA of high dimensional random walks with comparison to neural network training.

    Example:
        >>> t = np.arange(100)
        >>> found = winding(1.01 ** t[:, None] * np.stack([np.cos(0.2 * t), np.sin(0.2 * t)], 1))
        >>> round(found.period, 1), round(found.growth, 2), round(found.steadiness, 2)
        (31.4, 1.37, 1.0)
    """
    if path.ndim != 2 or len(path) < FEWEST or not bool(np.isfinite(path).all()):
        return None
    largest = float(np.abs(path).max())
    if largest <= 0:
        return None
    scaled = path / largest
    time = np.arange(len(path), dtype=np.float64)
    rest = scaled - np.stack([np.polyval(np.polyfit(time, column, 1), time) for column in scaled.T], 1)
    if float(np.abs(rest).max()) < 1e-12:
        return None
    _, sizes, axes = np.linalg.svd(rest, full_matrices=False)
    if sizes.size < 2 or sizes[1] <= 1e-9 * sizes[0]:
        return None
    plane = (rest @ axes[:2].T) / (sizes[:2] / np.sqrt(len(path)))  # both directions on one scale: an ellipse winds like a circle
    angles = np.diff(np.unwrap(np.arctan2(plane[:, 1], plane[:, 0])))
    walked = float(np.abs(angles).sum())
    whole = (scaled @ axes[:2].T) / (sizes[:2] / np.sqrt(len(path)))  # the line is fitted beside the map: taken out first it would slow the growth
    fitted, *_ = np.linalg.lstsq(np.column_stack([whole[:-1], np.ones(len(path) - 1), time[:-1]]), whole[1:], rcond=None)
    value = np.linalg.eigvals(fitted[:2])[0]
    omega = abs(float(np.angle(value)))
    period = 2 * np.pi / omega if abs(value.imag) > 1e-9 else np.nan
    newest = plane[-max(round(min(period, len(path))), 2) :] if np.isfinite(period) else plane
    return Winding(
        turns=abs(float(angles.sum())) / (2 * np.pi),
        steadiness=abs(float(angles.sum())) / walked if walked > 0 else 0.0,
        period=float(period),
        growth=float(abs(value) ** period) if np.isfinite(period) else float("nan"),
        flatness=float((sizes[:2] ** 2).sum() / (sizes**2).sum()),
        loadings=np.asarray((axes[:2] ** 2).sum(0), dtype=np.float64),
        radius=float(np.sqrt(np.mean(((newest * sizes[:2] / np.sqrt(len(path))) ** 2).sum(1)))) * largest,
    )
