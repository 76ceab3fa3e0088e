"""The stored weights of two runs, and how far apart they are at every step that both have recorded."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RunUnreadable
from ..storage import StoredRun

Floats = NDArray[np.float64]
Form = list[tuple[str, tuple[int, ...], str]]  # name, shape and type of each parameter

ROUNDING = {"float64": 2.0**-52, "complex128": 2.0**-52, "float32": 2.0**-23, "complex64": 2.0**-23, "bfloat16": 2.0**-7, "float16": 2.0**-10}
FILLED = 1e-9  # of the largest bucket's sum; less is rounding
UNSEEN = 4 * 2.0**-52  # what the sums of a sketch, in double precision, cannot resolve


@dataclass(frozen=True, slots=True)
class Weights:
    """What one rank of one run has stored of its weights.

    Attributes:
        rows: Step to the stored arrays, by name.
        forms: For each optimizer, the steps from which on it moved these parameters.
        versions: Of the sketches.
    """

    rows: dict[int, dict[str, NDArray[Any]]]
    forms: dict[int, list[tuple[int, Form]]]
    versions: set[int]

    def form(self, player: int, step: int) -> Form:
        """Return the parameters of an optimizer at a step, an empty list where it is not known."""
        known = [form for first, form in self.forms.get(player, ()) if first <= step]
        return known[-1] if known else []

    def moved(self, steps: int) -> "Weights":
        """Return the same with all steps so many later."""
        forms = {player: [(first + steps, form) for first, form in known] for player, known in self.forms.items()}
        return Weights({step + steps: row for step, row in self.rows.items()}, forms, self.versions)


@dataclass(frozen=True, slots=True)
class Distances:
    """How far apart two runs are.

    Attributes:
        steps: Optimizer steps taken, shape ``(K,)``, rising; 0 is before the first.
        values: Euclidean distance of the weights, shape ``(K,)``.
        errors: Standard error of each, 0 where the weights are stored whole.
        relative: The same distance over the size of the weights when they part: the mean of both norms at the first step at which they differ.
        norms: Mean of both norms, shape ``(K,)``.
        is_same: Whether all weights are equal to the bit.
        names: The parameters.
        changed: Whether a parameter differs, shape ``(K, parameters)``.
        parts: Distance of each parameter over its norm, shape ``(K, parameters)``.
        rounding: The largest machine epsilon among the parameters.
        is_exact: Whether the weights are stored whole.
    """

    steps: NDArray[np.int64]
    values: Floats
    errors: Floats
    relative: Floats
    norms: Floats
    is_same: NDArray[np.bool_]
    names: tuple[str, ...] = ()
    changed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))
    parts: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    rounding: float = ROUNDING["float32"]
    is_exact: bool = True


def weights_of(run: StoredRun, rank: int = 0) -> Weights:
    """Return the stored weights of one rank.

    Raises:
        RunUnreadable: There are none.
    """
    rows = {step: tensors for step, tensors in run.trajectory(rank=rank) if any("/" in name for name in tensors)}
    forms: dict[int, list[tuple[int, Form]]] = {}
    versions: set[int] = set()
    for event in run.events():
        data = event.get("data", {})
        if event.get("kind") == "trajectory" and data.get("rank", 0) == rank:
            form = [(str(one["name"]), tuple(one["shape"]), str(one["dtype"])) for one in data["parameters"]]
            forms.setdefault(int(data["player"]), []).append((int(event["step"]), form))
            versions.add(int(data["version"]))
    if not rows or not forms:
        raise RunUnreadable(
            f"The run at {run.location} holds no weights to compare: it was recorded by an older kazami, ended before anything was written, or took no step. "
            f"Record it anew with `kazami run` or `kazami.watch(..., run=...)`."
        )
    return Weights(rows, forms, versions)


def distances(a: Weights, b: Weights) -> Distances:
    """Return the distances at all steps that both have recorded with the same parameters."""
    steps = [step for step in sorted(a.rows.keys() & b.rows.keys()) if _shapes(a, step) == _shapes(b, step)]
    if not steps:
        empty = np.zeros(0)
        return Distances(np.zeros(0, dtype=np.int64), empty, empty, empty, empty, np.zeros(0, dtype=np.bool_))
    form = _shapes(a, steps[0])
    steps = [step for step in steps if _shapes(a, step) == form]
    found = [_apart(a, b, step) for step in steps]
    values = np.sqrt([one.square for one in found])
    norms = np.array([one.norm for one in found])
    is_same = np.array([not one.changed.any() for one in found])
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(values > 0, np.sqrt([one.variance for one in found]) / (2 * values), 0.0)
        relative = np.where(values == 0, 0.0, values / norms[int(np.argmin(is_same))])
    kinds = {kind for player in a.forms for _, _, kind in a.form(player, steps[0])}
    return Distances(
        steps=np.array(steps, dtype=np.int64),
        values=values,
        errors=errors,
        relative=relative,
        norms=norms,
        is_same=is_same,
        names=tuple(name for player in sorted(a.forms) for name, _, _ in a.form(player, steps[0])),
        changed=np.stack([one.changed for one in found]),
        parts=np.stack([one.parts for one in found]),
        rounding=max((ROUNDING.get(kind, ROUNDING["float32"]) for kind in kinds), default=ROUNDING["float32"]),
        is_exact=not any(name.startswith("hash") for name in a.rows[steps[0]]),
    )


@dataclass(frozen=True, slots=True)
class _Apart:
    square: float
    variance: float
    norm: float
    changed: NDArray[np.bool_]
    parts: Floats


def _apart(a: Weights, b: Weights, step: int) -> _Apart:
    """Return how far the weights are apart at one step."""
    square = variance = norms_a = norms_b = 0.0
    changed, parts = [], []
    for player in sorted(a.forms):
        ours = {name.rpartition("/")[0]: array for name, array in a.rows[step].items() if name.endswith(f"/{player}")}
        theirs = {name.rpartition("/")[0]: array for name, array in b.rows[step].items() if name.endswith(f"/{player}")}
        if not ours:
            continue
        whole = _whole(ours, theirs, a.form(player, step)) if "weights" in ours else _sketched(ours, theirs)
        square, variance, norms_a, norms_b = square + whole[0], variance + whole[1], norms_a + whole[2], norms_b + whole[3]
        changed.append(whole[4])
        parts.append(whole[5])
    finite = [norm**0.5 for norm in (norms_a, norms_b) if np.isfinite(norm)]
    return _Apart(square, variance, float(np.mean(finite)) if finite else float("nan"), np.concatenate(changed), np.concatenate(parts))


_Sums = tuple[float, float, float, float, NDArray[np.bool_], Floats]


def _whole(ours: dict[str, Any], theirs: dict[str, Any], form: Form) -> _Sums:
    x, y = ours["weights"], theirs["weights"]
    sizes = [int(np.prod(shape, dtype=np.int64)) * (2 if kind.startswith("complex") else 1) for _, shape, kind in form]
    edges = np.concatenate([[0], np.cumsum(sizes)])
    with np.errstate(over="ignore", invalid="ignore"):
        squares = (x.astype(np.float64) - y.astype(np.float64)) ** 2
        own = x.astype(np.float64) ** 2
    is_other = x != y
    is_other &= ~(np.isnan(x) & np.isnan(y))
    changed = np.array([bool(is_other[i:j].any()) for i, j in pairwise(edges)])
    by = np.array([squares[i:j].sum() for i, j in pairwise(edges)])
    norms = np.array([own[i:j].sum() for i, j in pairwise(edges)])
    total_b = float((y.astype(np.float64) ** 2).sum())
    return (float(by[changed].sum()) if changed.any() else 0.0), 0.0, float(own.sum()), total_b, changed, _share(by, norms, changed)


def _sketched(ours: dict[str, Any], theirs: dict[str, Any]) -> _Sums:
    z = ours["total"] - theirs["total"]
    changed = ours["hash"] != theirs["hash"]
    by = ((ours["parameters"] - theirs["parameters"]) ** 2).sum(1)
    parts = _share(by, (ours["parameters"] ** 2).sum(1), changed)
    square = float(z @ z) if changed.any() else 0.0
    variance = _variance(z) if changed.any() else 0.0
    return square, variance, float(ours["total"] @ ours["total"]), float(theirs["total"] @ theirs["total"]), changed, parts


def _variance(z: Floats) -> float:
    r"""Return the variance of :math:`\sum_c z_c^2` as an estimate of a squared distance, from the difference :math:`z` of two sketches.

    Of :math:`n` differing weights two meet in one of :math:`m` buckets with probability :math:`1/m`, which gives at most
    :math:`\tfrac{2}{m} (1 - \tfrac1n) (\sum_c z_c^2)^2`, and just that where they differ alike; :math:`n` is no less than the
    number of buckets that are filled.

    Limits:
        Weights that differ in one column alone of a matrix whose rows have a multiple of 251 entries all meet in one bucket; the error is larger there.
    """
    filled = int((np.abs(z) > FILLED * np.abs(z).max()).sum())
    n_bound = 1 - 1 / max(filled, 1) if filled < z.size else 1.0
    return float(2 / z.size * n_bound * (z @ z) ** 2)


def _share(squares: Floats, norms: Floats, changed: NDArray[np.bool_]) -> Floats:
    """Return each parameter's distance over its norm; over 1 where it is all zeros, as biases are at the start."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(changed, np.sqrt(squares) / np.where(norms > 0, np.sqrt(norms), 1.0), 0.0)


def _shapes(weights: Weights, step: int) -> list[tuple[int, list[tuple[int, ...]]]]:
    """Return the players that a row holds, with the shapes of their parameters and whether they are stored whole."""
    players = sorted({int(name.rpartition("/")[2]) for name in weights.rows[step] if name.rpartition("/")[2].isdigit()})
    whole = 1 if any(name.startswith("weights/") for name in weights.rows[step]) else 0
    return [(2 * player + whole, [shape for _, shape, _ in weights.form(player, step)]) for player in players]
