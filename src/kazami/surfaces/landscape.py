"""The loss over a plane of weights: computed at every grid point, with the path of a training on it and a word on what the slice hides."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import CannotWrite, UsageError, unknown_name
from ..maps import Training
from ..records import Sentence
from .evaluation import BatchNormMode, DropoutMode, Evaluator, gradient_at, losses_along
from .planes import Plane
from .recording import evaluation_batches, recorded
from .weights import Batch, as_batches, flat_weights, sizes_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLANES = ("random", "pca", "hessian")
RESOLUTION = 41
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """The loss on a grid.

    Attributes:
        values: Losses, shape ``(rows, columns)``: rows follow ``b``, columns ``a``; NaN where the loss is or where nothing was computed.
        a: Coordinates of the columns.
        b: Coordinates of the rows.
        labels: Names of the two axes.
        path: Coordinates of a training's steps, shape ``(steps, 2)``, projected on the plane; empty without one.
        path_losses: The true losses at these steps, off the plane; NaN at steps between those that were evaluated.
        path_share: Share of the path's squared distances from the plane's centre that lies in the plane; NaN without a path.
        explained: Share of the path's variance along each axis, for a plane of principal axes.
        eigenvalues: Curvature along each axis, for a plane of eigenvectors.
        points: What else to mark, shape ``(points, 2)``: the three models, or critical points.
        n_weights: Number of weights of the model.
        gradient_share: Share of the squared gradient at the centre that lies in the plane; NaN where the gradient is zero or unknown.
        n_computed: How many rows were computed before an interruption; all of them otherwise.
        engine: How it was computed: ``"stacked"``, ``"pointwise"`` or ``"formula"``.
        plane: The plane, ``None`` for a surface of a formula.
        said: How it was made, sentences for the user.
    """

    values: np.ndarray
    a: np.ndarray
    b: np.ndarray
    labels: tuple[Sentence, Sentence]
    path: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    path_losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    path_share: float = math.nan
    explained: tuple[float, float] | None = None
    eigenvalues: tuple[float, float] | None = None
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    n_weights: int = 2
    gradient_share: float = math.nan
    n_computed: int = 0
    engine: str = "formula"
    plane: Plane | None = None
    said: tuple[Sentence, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every row was computed."""
        return self.n_computed >= len(self.b)

    @property
    def lowest(self) -> tuple[float, float, float]:
        """The smallest finite loss on the grid and its place: ``(loss, a, b)``; NaN where none is finite."""
        if not np.isfinite(self.values).any():
            return math.nan, math.nan, math.nan
        row, column = np.unravel_index(np.nanargmin(np.where(np.isfinite(self.values), self.values, np.nan)), self.values.shape)
        return float(self.values[row, column]), float(self.a[column]), float(self.b[row])

    @property
    def finding(self) -> Sentence:
        """What is to be seen, one sentence."""
        from .finding import finding_of

        return finding_of(self)

    @property
    def hidden(self) -> Sentence:
        """What the slice hides, one sentence."""
        from .finding import hidden_by

        return hidden_by(self)

    def figure(self, *, kind: Literal["contour", "3d"] = "contour", language: str = "en") -> "Figure":
        """Draw it.

        Args:
            kind: ``"contour"`` from above, or ``"3d"`` with the contour on the floor.
            language: ``"en"`` or ``"ja"`` (which needs SVG, or a font with Japanese letters).

        Raises:
            UnknownName: There is no such kind.
        """
        from .landscape_figure import DRAWINGS

        if kind not in DRAWINGS:
            raise unknown_name("kind of figure", kind, DRAWINGS)
        return DRAWINGS[kind](self, language)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data; a value that is not finite is ``None``."""
        return {
            "values": [_numbers(row) for row in self.values],
            "a": _numbers(self.a),
            "b": _numbers(self.b),
            "labels": [label.en for label in self.labels],
            "path": [_numbers(row) for row in self.path],
            "path_losses": _numbers(self.path_losses),
            "path_share": _number(self.path_share),
            "explained": None if self.explained is None else list(self.explained),
            "eigenvalues": None if self.eigenvalues is None else list(self.eigenvalues),
            "points": [_numbers(row) for row in self.points],
            "n_weights": self.n_weights,
            "gradient_share": _number(self.gradient_share),
            "rows_computed": self.n_computed,
            "complete": self.is_complete,
            "engine": self.engine,
            "finding": {"en": self.finding.en, "ja": self.finding.ja},
            "hidden": {"en": self.hidden.en, "ja": self.hidden.ja},
            "said": [sentence.en for sentence in self.said],
        }

    def save(self, path: str, *, kind: Literal["contour", "3d"] = "contour", language: str = "en") -> str:
        """Write the picture (.png, .svg, .pdf) or the numbers (.json), by the ending of ``path``, and return ``path``.

        Raises:
            UsageError: The ending is none of these.
            CannotWrite: The place cannot be written.
        """
        if not path.lower().endswith(".json"):
            from ..reports.figures import save_figure

            return save_figure(self.figure(kind=kind, language=language), path)
        try:
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"schema": 1, **self.to_dict()}, file, ensure_ascii=False, allow_nan=False)
        except OSError as error:
            raise CannotWrite(f"The surface {path} cannot be written ({error.strerror or error}).") from None
        return path


def surface(
    model: nn.Module | Training,
    loss: Any = None,
    batches: Any = None,
    plane: Plane | str = "random",
    *,
    resolution: int | tuple[int, int] = RESOLUTION,
    extent: float | tuple[float, float, float, float] | None = None,
    trajectory: Tensor | None = None,
    steps: int | None = None,
    batch_norm: BatchNormMode = "running",
    dropout: DropoutMode = "off",
    dtype: torch.dtype | None = None,
    seed: int = 0,
    fast: bool = True,
    progress: Progress | None = None,
    keep_partial: bool = False,
) -> Surface:
    r"""Compute :math:`L(\theta_0 + a\,d_1 + b\,d_2)` exactly at every point of a grid; the model stays as it was, bit for bit.

    Args:
        model: A model, or a :class:`kazami.Training`: it is run, and its path recorded.
        loss: ``loss(output, target) -> 0-d tensor``; ``None`` where the model returns its loss itself.
        batches: ``(inputs, target)``, or a sequence of them; the loss is their mean weighted by size. Several inputs are a tuple, named ones a dict.
        plane: A :class:`Plane`, or ``"random"``, ``"pca"`` (needs a trajectory) or ``"hessian"``.
        resolution: Points per side, or ``(rows, columns)``.
        extent: Half the width in units of the directions, or ``(a_min, a_max, b_min, b_max)``; the plane's own by default.
        trajectory: Flat weights of a training's steps, shape ``(steps, weights)``, in the order of ``model.parameters()``.
        steps: Steps of the training to run (all by default), where ``model`` is one.
        batch_norm: ``"running"``: the stored statistics, those of the centre, at every point; ``"batch"``: those of each batch;
            ``"recalibrate"``: estimated anew at every point.
        dropout: ``"off"``, or ``"frozen"``: the same masks at every point.
        dtype: Precision of the evaluation, the model's own by default.
        seed: Of random directions.
        fast: ``False`` asks for the plain loop over the points.
        progress: Called with (rows done, rows).
        keep_partial: On Ctrl-C return what was computed, the other rows NaN.

    Returns:
        The surface. Losses that are not finite are answers, not errors.

    Limits:
        Two directions of thousands: :attr:`Surface.hidden` says how little that may be. Points are stacked for models made of layers on feature
        vectors, everything else is evaluated point by point. The two ways differ by rounding only, which is checked at four points each time.

    References:
        Li et al. 2018, "Visualizing the loss landscape of neural nets", arXiv 1712.09913.

    Raises:
        UsageError: Something needed is missing or does not fit; the message says what.

    Example:
        >>> from kazami.surfaces import Plane
        >>> model = nn.Linear(2, 1, bias=False).double()
        >>> axes = torch.eye(2).double()
        >>> plane = Plane(kind="given", centre=torch.zeros(2).double(), first=axes[0], second=axes[1])
        >>> batch = (torch.ones(4, 2).double(), torch.zeros(4, 1).double())
        >>> surface(model, nn.functional.mse_loss, batch, plane, resolution=3).values.tolist()  # (a + b)²
        [[4.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 4.0]]
    """
    if isinstance(model, Training):
        model, loss, batches, trajectory = _from_training(model, loss, batches, trajectory, steps)
    if batches is None:
        raise UsageError("A surface needs batches to evaluate the loss on: surface(model, loss, (inputs, target)).")
    found = as_batches(batches)
    chosen = _plane(plane, model, loss, found, trajectory, seed)
    if len(chosen.centre) != len(flat_weights(model)):
        raise UsageError(f"The plane is for {len(chosen.centre)} weights, and the model has {len(flat_weights(model))}.")
    a, b = grid(chosen, resolution, extent)
    evaluator = Evaluator(model, loss, found, chosen.centre, chosen.first, chosen.second, batch_norm=batch_norm, dropout=dropout, dtype=dtype, fast=fast)
    values, n_rows = _evaluated(evaluator, a, b, progress, keep_partial)
    return Surface(
        values=values,
        a=a,
        b=b,
        gradient_share=_gradient_share(model, loss, found, chosen),
        n_computed=n_rows,
        engine=evaluator.engine,
        said=(*chosen.said, *how_evaluated(evaluator)),
        **_of_plane(chosen),
        **_path(evaluator, chosen, trajectory),
    )


def grid(plane: Plane, resolution: int | tuple[int, int], extent: float | tuple[float, float, float, float] | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of the columns and of the rows.

    Raises:
        UsageError: There are fewer than two points to a side, or the extent is empty.
    """
    rows, columns = (resolution, resolution) if isinstance(resolution, int) else resolution
    if min(rows, columns) < 2:
        raise UsageError(f"A surface needs two points to a side or more, and the resolution is {resolution}.")
    box = plane.extent if extent is None else (-extent, extent, -extent, extent) if isinstance(extent, int | float) else tuple(extent)
    if len(box) != 4 or not all(map(math.isfinite, box)) or box[0] >= box[1] or box[2] >= box[3]:
        raise UsageError(f"An extent should be a positive number, or (a_min, a_max, b_min, b_max) with each minimum below its maximum, and is {extent}.")
    return np.linspace(box[0], box[1], columns), np.linspace(box[2], box[3], rows)


def how_evaluated(evaluator: Evaluator) -> tuple[Sentence, ...]:
    """Return how the points were evaluated, for the user."""
    said = [Sentence(sentence, sentence) for sentence in evaluator.said]
    n_batches, n_examples = len(evaluator.batches), sum(sizes_of(evaluator.batches))
    said.append(
        Sentence(f"The loss is the mean over {n_batches} batch(es), {n_examples} examples.", f"損失は {n_batches} バッチ（{n_examples} 例）の平均です。")
    )
    norms = {"running": "stored statistics", "batch": "statistics of each batch", "recalibrate": "statistics estimated anew at each point"}
    norms_ja = {"running": "保存された統計量", "batch": "各バッチの統計量", "recalibrate": "各点で推定し直した統計量"}
    mode = evaluator.batch_norm
    dropout, dropout_ja = ("off", "オフ") if evaluator.dropout == "off" else ("with the same masks at each point", "全点で同じマスク")
    said.append(Sentence(f"BatchNorm: {norms[mode]}; dropout: {dropout}.", f"BatchNorm: {norms_ja[mode]}、ドロップアウト: {dropout_ja}。"))
    if evaluator.engine == "stacked":
        said.append(Sentence("Grid points were stacked, the first layer computed once.", "格子点をまとめ、第 1 層は一度だけ計算しました。"))
    elif evaluator.fast and evaluator.why_pointwise:
        said.append(Sentence(f"Evaluated point by point: {evaluator.why_pointwise}.", f"1 点ずつ評価しました（{evaluator.why_pointwise}）。"))
    return tuple(said)


def _of_plane(plane: Plane) -> dict[str, Any]:
    """Return what a surface takes over from its plane."""
    own = {name: getattr(plane, name) for name in ("labels", "explained", "eigenvalues")}
    return {**own, "plane": plane, "n_weights": len(plane.centre)}


def _path(evaluator: Evaluator, plane: Plane, trajectory: Tensor | None) -> dict[str, Any]:
    """Return what is to be said of a training's path; without one, the points that the plane was laid through."""
    if trajectory is None:
        return {"points": plane.points}
    losses = losses_along(evaluator.model, evaluator.loss, evaluator.batches, trajectory, batch_norm=evaluator.batch_norm)
    return {"path": plane.project(trajectory), "path_losses": losses, "path_share": plane.path_share(trajectory)}


def _from_training(training: Training, loss: Any, batches: Any, trajectory: Tensor | None, steps: int | None) -> tuple[nn.Module, Any, Any, Tensor]:
    model, path, _ = recorded(training, steps=steps)
    return (
        model,
        training.loss if loss is None else loss,
        evaluation_batches(training) if batches is None else batches,
        path if trajectory is None else trajectory,
    )


def _plane(plane: Plane | str, model: nn.Module, loss: Any, batches: list[Batch], trajectory: Tensor | None, seed: int) -> Plane:
    if isinstance(plane, Plane):
        return plane
    if plane == "random":
        return Plane.random(model, seed=seed)
    if plane == "hessian":
        return Plane.towards_eigenvectors(model, loss, batches, seed=seed)
    if plane == "pca" and trajectory is not None:
        return Plane.from_trajectory(trajectory)
    if plane == "pca":
        raise UsageError('The plane "pca" needs the path of a training: give trajectory=, flat weights of shape (steps, weights), or a kazami.Training.')
    raise unknown_name("plane", plane, PLANES)


def _evaluated(evaluator: Evaluator, a: np.ndarray, b: np.ndarray, progress: Progress | None, keep_partial: bool) -> tuple[np.ndarray, int]:
    """Return the values and how many whole rows of them were computed."""
    columns, rows = np.meshgrid(a, b)
    flat = np.full(columns.size, math.nan)
    done = 0
    try:
        for start, losses in evaluator.losses(np.stack([columns.ravel(), rows.ravel()], 1)):
            flat[start : start + len(losses)] = losses
            done = start + len(losses)
            if progress is not None and (done % len(a) < len(losses)):
                progress(done // len(a), len(b))
    except KeyboardInterrupt:
        if not keep_partial:
            raise
    n_rows = done // len(a)
    flat[n_rows * len(a) :] = math.nan
    return flat.reshape(columns.shape), n_rows


def _gradient_share(model: nn.Module, loss: Any, batches: list[Batch], plane: Plane) -> float:
    """Return the share of the squared gradient at the centre that lies in the plane; NaN where there is no gradient."""
    try:
        _, gradient = gradient_at(model, loss, batches, plane.centre)
    except RuntimeError:  # a loss without a derivative is allowed: 1 - accuracy has a surface, too
        return math.nan
    return plane.share_of(gradient) if bool(gradient.isfinite().all()) else math.nan


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _numbers(values: np.ndarray) -> list[float | None]:
    return [_number(value) for value in values.tolist()]
