"""What becomes of a descent: it crawls, converges, zig-zags, cycles, is chaotic, or escapes; decided from the walk and its own derivatives."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..records import Sentence
from ..reports.numerals import short
from .descents import ESCAPED, as_starts, first_state, stepper
from .rules import Settings
from .stationary import kind_of
from .two_weights import Extent, TwoWeights, two_weights

STEPS = 4000
LONGEST_PERIOD = 64
LEVEL = 1e-6  # a gradient below this share of the first one is level
SAME = 1e-7  # points of a cycle come back to within this share of the cycle's size
BLOCKS = 10
LOOK_EVERY = 50
ROUNDING = 1e-13  # a rise of the loss below this share of it is rounding
CERTAIN = 3.0  # standard errors


class Outcome(Enum):
    """How a descent ends; the value is its sentence in English."""

    CONVERGED = "converges, downhill at every step"
    ZIGZAG = "converges in a zig-zag across the valley"
    ROSE = "converges, though the loss rose on the way"
    CRAWLS = "is still settling"
    CYCLE = "jumps to and fro for ever"
    CHAOTIC = "stays bounded and is chaotic"
    WANDERS = "stays bounded, without a period and without chaos"
    NOISY = "stays bounded in the noise of the batches"
    ESCAPED = "escapes to infinity"


_JAPANESE = {
    Outcome.CONVERGED: "毎ステップ下りながら収束",
    Outcome.ZIGZAG: "谷をジグザグに横切りながら収束",
    Outcome.ROSE: "途中で損失が上がるが収束",
    Outcome.CRAWLS: "まだ落ち着く途中",
    Outcome.CYCLE: "往復を永遠に繰り返す",
    Outcome.CHAOTIC: "有界だがカオス的",
    Outcome.WANDERS: "有界で、周期もカオスもない",
    Outcome.NOISY: "ミニバッチの雑音の中で有界",
    Outcome.ESCAPED: "無限遠へ発散",
}


_PLACES = {
    "minimum": ("into a minimum", "極小"),
    "saddle": ("on a saddle", "鞍点"),
    "maximum": ("on a maximum", "極大"),
    "degenerate": ("where it is flat in some direction", "平らな方向をもつ点"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """The end of one descent.

    Attributes:
        outcome: How it ends.
        period: Steps after which a cycle repeats; 1 at a point of rest, 0 where there is none.
        exponent: Largest Lyapunov exponent of the update map along the walk, per step, natural logarithm; NaN where it was not needed or cannot be
            told, minus infinity at a superstable point.
        error: Its standard error.
        steps: After how many steps it was decided: of an escape the step, else the length of the walk.
        end: The last weights; NaN after an escape.
        loss_rose: Whether the loss ever went up.
        place: What it rests on: ``"minimum"``, ``"saddle"``, ``"maximum"`` or ``"degenerate"`` (a flat valley); empty where it does not rest.
    """

    outcome: Outcome
    period: int = 0
    exponent: float = math.nan
    error: float = math.nan
    steps: int = 0
    end: tuple[float, float] = (math.nan, math.nan)
    loss_rose: bool = False
    place: str = ""

    @property
    def sentence(self) -> Sentence:
        """What happens, in one sentence."""
        english, japanese = self.outcome.value, _JAPANESE[self.outcome]
        if self.outcome is Outcome.CYCLE:
            english, japanese = f"{english}: a cycle of {self.period} steps", f"{japanese}（{self.period} 周期）"
        elif self.outcome is Outcome.ESCAPED:
            english, japanese = f"{english} (seen at step {self.steps})", f"{japanese}（ステップ {self.steps} で判明）"
        elif self.place:
            where, where_ja = _PLACES[self.place]
            english, japanese = f"{english}, {where}", f"{japanese}（{where_ja}）"
        elif self.outcome is Outcome.CHAOTIC:
            number = f"λ = {short(self.exponent)} ± {short(self.error)}"
            english, japanese = f"{english} ({number} per step)", f"{japanese}（{number}／ステップ）"
        return Sentence(f"It {english}.", f"{japanese}。")

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; what is not finite is ``None``."""
        numbers = {"exponent": self.exponent, "error": self.error}
        plain = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        end = [value if math.isfinite(value) else None for value in self.end]
        rest = {"period": self.period, "steps": self.steps, "end": end, "loss_rose": self.loss_rose, "place": self.place}
        return {"outcome": self.outcome.name.lower(), **plain, **rest, "sentence": {"en": self.sentence.en, "ja": self.sentence.ja}}


def fate_of(
    what: str | Callable[[Tensor, Tensor], Tensor] | TwoWeights,
    start: Any,
    *,
    learning_rate: float,
    method: str = "gradient_descent",
    steps: int = STEPS,
    data: tuple[Any, Any] | None = None,
    extent: Extent | None = None,
    momentum: float = 0.9,
    betas: tuple[float, float] = (0.9, 0.999),
    batch: int = 8,
) -> Fate:
    r"""Return what becomes of a descent from ``start``.

    In this order: **escaped** where it leaves a million extents; **converged** where the gradient falls to a millionth of the first one and the
    points no longer move (a *zig-zag* where more than a quarter of the steps, until 99 % of the descent is done, turn back on the one before; a
    *rise* where the loss went up on the way); a **cycle** where the second half repeats within a ten-millionth of its size, with the smallest
    period up to 64; else by the Lyapunov exponent of the update map, the mean logarithm of what the product of its own Jacobians does to a
    direction (:math:`I-\eta H` for gradient descent, momentum's and Adam's memory inside the state): **chaotic** where it is positive by three
    standard errors. No time series alone may call chaos.

    Args:
        what: As for :func:`~kazami.surfaces.two_weights.two_weights`.
        start: ``(w1, w2)``.
        learning_rate: η.
        method: As for :func:`~kazami.surfaces.descents.descend`.
        steps: How far to follow it; half of that is taken as transient.
        data: ``(x, y)`` for a network.
        extent: ``(w1_min, w1_max, w2_min, w2_max)``.
        momentum: Of ``momentum`` and ``nesterov``.
        betas: Of ``adam``.
        batch: Examples per step of ``sgd``.

    Limits:
        Long transients (just above a bifurcation, near a saddle) are told from the end state only by ``steps``. ``adam`` is no autonomous map:
        its bias correction fades.

    References:
        Chen et al. 2023, "From stability to chaos", arXiv 2310.01687: on ``(w1 w2 - 1)²/2`` from ``w1 = w2`` gradient descent is a cubic map,
        convergent below η = 1, with a period of 2 above, of 4 above √5 - 1, chaos beyond 1.3023, λ = ln 3 at 2, and escape above.

    Example:
        >>> ridge = two_weights("product", data=([1.0], [1.0]))
        >>> [fate_of(ridge, (0.7, 0.7), learning_rate=rate).outcome.name for rate in (0.3, 1.1, 2.1)]
        ['CONVERGED', 'CYCLE', 'ESCAPED']
    """
    function = two_weights(what, data=data, extent=extent)
    settings = Settings(learning_rate=learning_rate, momentum=momentum, betas=betas)
    size = min(batch, function.n_examples) if method == "sgd" else 0
    return fates(function, start, method=method, settings=settings, steps=steps, batch=size)[0]


def fates(function: TwoWeights, starts: Any, *, method: str, settings: Settings, steps: int = STEPS, batch: int = 0) -> list[Fate]:
    """Return the fate of the descent from each of ``starts``; see :func:`fate_of`."""
    begin = as_starts(starts)
    states = _followed(function, begin, method, settings, steps, batch)
    path = states[:, :, 0]
    losses = function.value(path)
    steepness = function.gradient(path[:, [0, -1]]).norm(dim=-1).numpy()
    found = []
    for row in range(len(begin)):
        judged = _judged(path[row].numpy(), losses[row].numpy(), steepness[row], is_noisy=method == "sgd")
        if judged.outcome not in (Outcome.ESCAPED, Outcome.NOISY) and method != "newton":
            judged = _with_exponent(judged, stretching(function, states[row], method, settings))
        found.append(_with_place(judged, function))
    return found


def _followed(function: TwoWeights, begin: Tensor, method: str, settings: Settings, steps: int, batch: int) -> Tensor:
    """Return the states, shape ``(starts, steps + 1, vectors, 2)``; the walk ends early where all stand still or are gone."""
    step = stepper(function, method, settings, batch=batch)
    far = ESCAPED * max(map(abs, (*function.extent, 1.0)))
    states = [first_state(begin, method)]
    for number in range(1, steps + 1):
        state = step(states[-1], number)
        states.append(torch.where(((state[:, 0].abs() <= far).all(-1))[:, None, None], state, math.nan))
        if number % LOOK_EVERY == 0 and bool(_at_rest(torch.stack(states[-LOOK_EVERY:], 1)[:, :, 0]).all()):
            break
    return torch.stack(states, 1)


def _at_rest(tail: Tensor) -> Tensor:
    """Return which walks stand still, up to the last bits, or have ended."""
    close = (tail - tail[:, -1:]).abs() <= 8 * torch.finfo(tail.dtype).eps * tail.abs()
    return close.all(-1).all(-1) | tail[:, -1].isnan().any(-1)


def stretching(function: TwoWeights, states: Tensor, method: str, settings: Settings) -> np.ndarray:
    """Return by how much, as a natural logarithm, each step of a walk stretches a direction that is carried along by its Jacobians.

    Args:
        function: What is walked on.
        states: Shape ``(steps + 1, vectors, 2)``.
        method: How.
        settings: With which learning rate.
    """
    step = stepper(function, method, settings)
    before = states[:-1].clone().requires_grad_(True)
    numbers = torch.arange(1, len(states), dtype=torch.float64)[:, None]
    after = step(before, numbers).flatten(1)
    # The Jacobian of every step at once, row by row.
    rows = [torch.autograd.grad(after[:, k].sum(), before, retain_graph=True)[0].flatten(1) for k in range(after.shape[1])]
    size = after.shape[1]
    carried = np.random.default_rng(0).standard_normal(size)
    carried /= np.linalg.norm(carried)
    growth = np.empty(len(before))
    for index, jacobian in enumerate(torch.stack(rows, -2).numpy()):
        carried = jacobian @ carried
        length = float(np.linalg.norm(carried))
        growth[index] = math.log(length) if length > 0.0 else -math.inf
        if not 0.0 < length < math.inf:
            growth[index:] = growth[index]
            break
        carried /= length
    return growth


def _judged(path: np.ndarray, losses: np.ndarray, steepness: np.ndarray, *, is_noisy: bool) -> Fate:
    """Return the fate as far as the walk itself tells it; without an exponent, what has no period wanders."""
    gone = np.isnan(path).any(1)
    if gone.any():
        return Fate(outcome=Outcome.ESCAPED, steps=int(gone.argmax()), loss_rose=True)
    rises = np.diff(losses) > ROUNDING * np.abs(losses[:-1]) + ROUNDING * float(np.abs(losses).max())
    n_steps = len(path) - 1
    common: dict[str, Any] = {"steps": n_steps, "end": (float(path[-1, 0]), float(path[-1, 1])), "loss_rose": bool(rises.any())}
    tail = path[n_steps // 2 :]
    moving = float(np.abs(np.diff(tail[-min(len(tail), 2 * LONGEST_PERIOD) :], axis=0)).max(initial=0.0))
    if steepness[1] <= LEVEL * max(steepness[0], 1e-300) and moving <= LEVEL * float(np.abs(path).max()):
        calm = Outcome.ROSE if rises.any() else Outcome.CONVERGED
        return Fate(outcome=Outcome.ZIGZAG if _zigzags(path, losses) else calm, period=1, **common)
    if is_noisy:
        return Fate(outcome=Outcome.NOISY, **common)
    period = _period(tail)
    if period > 1:
        return Fate(outcome=Outcome.CYCLE, period=period, **common)
    trend = _trend(tail)
    if trend > 0:
        return Fate(outcome=Outcome.ESCAPED, **common)
    falls = not np.any(rises[n_steps // 2 :])
    return Fate(outcome=Outcome.CRAWLS if falls or trend < 0 else Outcome.WANDERS, **common)


def _trend(tail: np.ndarray) -> int:
    """Return 1 where the swings about the mean grow from block to block, -1 where they shrink, 0 where they do neither throughout."""
    blocks = np.array_split(tail, BLOCKS)
    if min(map(len, blocks)) < 2:
        return 0
    swings = np.diff([float(np.ptp(block, axis=0).max()) for block in blocks])
    return 1 if np.all(swings > 0.0) else -1 if np.all(swings < 0.0) else 0


def _with_exponent(judged: Fate, growth: np.ndarray) -> Fate:
    exponent, error = _exponent(growth)
    is_chaotic = judged.outcome is Outcome.WANDERS and exponent > CERTAIN * error and exponent > 10.0 / len(growth)
    return replace(judged, outcome=Outcome.CHAOTIC if is_chaotic else judged.outcome, exponent=exponent, error=error)


def _with_place(judged: Fate, function: TwoWeights) -> Fate:
    """Say what a point of rest is, by the eigenvalues of its Hessian."""
    if judged.period != 1:
        return judged
    hessian = function.hessian(torch.tensor(judged.end, dtype=torch.float64))
    return replace(judged, place=kind_of(*torch.linalg.eigvalsh(hessian).tolist())) if bool(hessian.isfinite().all()) else judged


def _exponent(growth: np.ndarray) -> tuple[float, float]:
    """Return the mean growth over the second half and its standard error, from blocks."""
    late = growth[len(growth) // 2 :]
    if not len(late) or np.isnan(late).any():
        return math.nan, math.nan
    if np.isneginf(late).any():
        return -math.inf, 0.0
    means = np.array([block.mean() for block in np.array_split(late, min(BLOCKS, len(late)))])
    return float(late.mean()), float(means.std(ddof=1) / math.sqrt(len(means))) if len(means) > 1 else math.inf


def _period(tail: np.ndarray) -> int:
    """Return the smallest period of the points, 0 where they have none."""
    spread = float(np.abs(tail - tail.mean(0)).max())
    for period in range(1, min(LONGEST_PERIOD, len(tail) // 4) + 1):
        if np.abs(tail[period:] - tail[:-period]).max() <= SAME * spread:
            return period
    return 0


def _zigzags(path: np.ndarray, losses: np.ndarray) -> bool:
    """Return whether more than a quarter of the steps, until 99 % of the descent is done, turn back on the one before."""
    left = losses - losses[-1]
    until = int(np.argmax(left <= 0.01 * max(left[0], 1e-300))) if left[0] > 0.0 else len(path) - 1
    steps = np.diff(path[: max(until, 3) + 1], axis=0)
    turns = (steps[1:] * steps[:-1]).sum(1)
    return len(turns) > 0 and float((turns < 0.0).mean()) > 0.25
