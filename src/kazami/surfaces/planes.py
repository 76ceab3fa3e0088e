"""Planes through the space of weights: at random, along a training's path, towards the steepest curvature, through three models."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..records import Sentence
from ..reports.numerals import short
from .directions import filter_normalised, hessian_directions, principal_directions, random_direction
from .weights import as_batches, flat_weights

Kind = Literal["random", "pca", "hessian", "three_points", "given"]
MARGIN = 0.2  # how much wider than what it must hold a plane is, at each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    r"""The plane :math:`\theta(a,b) = \theta_0 + a\,d_1 + b\,d_2` in the space of weights.

    Attributes:
        kind: How it was chosen.
        centre: :math:`\theta_0`, shape ``(weights,)``, in the order of ``model.parameters()``.
        first: :math:`d_1`, same shape.
        second: :math:`d_2`, same shape.
        extent: ``(a_min, a_max, b_min, b_max)`` that suits it.
        labels: What the two axes are.
        explained: Share of the path's variance along each axis (``"pca"`` only).
        eigenvalues: Curvature along each axis (``"hessian"`` only).
        points: Coordinates of what the plane was laid through, shape ``(points, 2)``.
        said: How it was made, sentences for the user.

    References:
        Li et al. 2018, "Visualizing the loss landscape of neural nets", sections 3 and 7; Garipov et al. 2018, appendix A.1 (three points).

    Example:
        >>> model = nn.Linear(3, 2)
        >>> plane = Plane.random(model, seed=0)
        >>> rows = plane.first[:6].view(2, 3)  # each row of the weight as long as the model's own, the bias at rest
        >>> torch.allclose(rows.norm(dim=1), model.weight.norm(dim=1)), float(plane.first[6:].abs().sum())
        (True, 0.0)
    """

    kind: Kind
    centre: Tensor
    first: Tensor
    second: Tensor
    extent: tuple[float, float, float, float] = (-1.0, 1.0, -1.0, 1.0)
    labels: tuple[Sentence, Sentence] = (Sentence("a", "a"), Sentence("b", "b"))
    explained: tuple[float, float] | None = None
    eigenvalues: tuple[float, float] | None = None
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    said: tuple[Sentence, ...] = ()

    def __post_init__(self) -> None:
        """Refuse directions that span no plane.

        Raises:
            UsageError: A direction has another length than the weights, is zero or not finite, or both point the same way.
        """
        if not self.centre.shape == self.first.shape == self.second.shape:
            raise UsageError(
                f"Centre and directions of a plane should have one shape, and have {[tuple(x.shape) for x in (self.centre, self.first, self.second)]}."
            )
        gram = self._gram()
        if not np.isfinite(gram).all():
            raise UsageError("The plane's directions are not finite: the weights themselves may be NaN or Inf.")
        if not np.linalg.det(gram) > 1e-10 * gram[0, 0] * gram[1, 1]:
            raise UsageError("The two directions span no plane: one is zero, or both point the same way. Use kazami.surfaces.line for one direction.")

    @classmethod
    def random(
        cls,
        model: nn.Module,
        *,
        seed: int = 0,
        normalise: Literal["filter", "layer", "none"] = "filter",
        biases: Literal["rest", "move"] = "rest",
        extent: float = 1.0,
    ) -> "Plane":
        """Lay a plane through the model's weights along two random directions.

        Args:
            model: The model; frozen parameters do not move.
            seed: Of the directions; the global generators are not touched.
            normalise: ``"filter"``: each filter (row of a linear layer, output channel of a convolution, word of an embedding) of a direction is as
                long as the model's own; ``"layer"``: each parameter as a whole; ``"none"``: plain Gaussian.
            biases: ``"rest"``: biases and the parameters of normalisations (all of at most one dimension) do not move, as in the paper;
                ``"move"``: each is normalised as a whole. Where nothing else can move, they do.
            extent: Half the width in units of the directions; 1 reaches as far as the weights are long.

        Limits:
            The two directions are orthogonal only up to chance, one part in the root of the number of weights.
        """
        generator = torch.Generator().manual_seed(seed)
        centre = flat_weights(model)
        directions = [random_direction(model, generator) for _ in range(2)]
        first, second = (filter_normalised(direction, model, normalise=normalise, biases=biases) for direction in directions)
        said = Sentence(
            f"Two random directions (seed {seed}), normalised per {normalise}; biases and normalisation parameters {biases}.",
            f"ランダムな 2 方向（シード {seed}、正規化: {normalise}、バイアスと正規化層のパラメータ: {'固定' if biases == 'rest' else '動かす'}）。",
        )
        labels = (Sentence("random direction 1", "ランダム方向 1"), Sentence("random direction 2", "ランダム方向 2"))
        return cls(kind="random", centre=centre, first=first, second=second, extent=(-extent, extent, -extent, extent), labels=labels, said=(said,))

    @classmethod
    def from_trajectory(cls, trajectory: Tensor, *, through: Literal["end", "mean"] = "end") -> "Plane":
        r"""Lay a plane along the two directions in which a training's path varies most.

        The axes are the leading eigenvectors of the covariance of the rows (principal components about their mean); ``explained`` is the share of
        the variance along each.

        Args:
            trajectory: Flat weights, shape ``(steps, weights)``, three rows or more.
            through: The plane holds the ``"end"`` of the path, so that the model's own loss lies on it, or the ``"mean"``.

        Limits:
            A random walk in many dimensions has 61 % and 15 % of its variance along its first two components (:math:`6/\pi^2 k^2`) and looks like a
            neat curve: shares near these are no sign of structure.

        References:
            Antognini and Sohl-Dickstein 2018, "PCA of high dimensional random walks", arXiv 1806.08805.

        Raises:
            UsageError: There are fewer than three rows, or the path is a point or a straight line.
        """
        first, second, shares = principal_directions(trajectory)
        centre = trajectory[-1] if through == "end" else trajectory.double().mean(0).to(trajectory.dtype)
        plane = cls(
            kind="pca",
            centre=centre.clone(),
            first=first,
            second=second,
            explained=shares,
            labels=tuple(  # type: ignore[arg-type]
                Sentence(f"principal axis {k + 1} ({shares[k]:.0%} of the variance)", f"第 {k + 1} 主成分（分散の {shares[k]:.0%}）") for k in (0, 1)
            ),
        )
        path = plane.project(trajectory)
        return replace(plane, extent=around(path), points=path[[0, -1]])

    @classmethod
    def towards_eigenvectors(cls, model: nn.Module, loss: Any, batches: Any, *, seed: int = 0) -> "Plane":
        r"""Lay a plane along the two eigenvectors of the loss's Hessian with the largest eigenvalues.

        The extent is where the quadratic part alone would double the loss, :math:`s=\sqrt{2L/\lambda}`, at most the length of the weights.

        Args:
            model: The model.
            loss: ``loss(output, target)``.
            batches: ``(inputs, target)`` or several; the Hessian is that of their mean loss, dropout off and stored BatchNorm statistics.
            seed: Of the start vector.

        Raises:
            UsageError: The model has fewer than two weights.
        """
        centre = flat_weights(model)
        found = hessian_directions(model, loss, as_batches(batches), seed=seed)
        length = float(centre.norm()) or 1.0
        sides = [min(length, (2 * max(abs(found.loss), 1e-12) / max(abs(value), 1e-12)) ** 0.5) for value in found.eigenvalues]
        labels = tuple(
            Sentence(f"eigenvector {k + 1} (curvature {short(v)})", f"固有ベクトル {k + 1}（曲率 {short(v)}）") for k, v in enumerate(found.eigenvalues)
        )
        return cls(
            kind="hessian",
            centre=centre,
            first=found.vectors[0],
            second=found.vectors[1],
            extent=(-sides[0], sides[0], -sides[1], sides[1]),
            eigenvalues=found.eigenvalues,
            labels=labels,  # type: ignore[arg-type]
            said=(Sentence(found.said, found.said_ja),),
        )

    @classmethod
    def through(cls, one: nn.Module, two: nn.Module, three: nn.Module) -> "Plane":
        """Lay the plane that holds the weights of three models of one architecture; the axes are orthonormal, the first points from ``one`` to ``two``.

        Raises:
            UsageError: Their weights differ in number, or lie on one line.
        """
        start, second, third = (flat_weights(model) for model in (one, two, three))
        if not start.shape == second.shape == third.shape:
            raise UsageError(f"Three models of one architecture are needed, and theirs have {len(start)}, {len(second)} and {len(third)} weights.")
        across = second.double() - start.double()
        up = third.double() - start.double()
        first = across / max(float(across.norm()), 1e-300)
        up = up - first * float(first @ up)
        if not float(up.norm()) > 1e-6 * float(across.norm()) > 0.0:
            raise UsageError("The three models lie on one line (two of them may be equal), so they span no plane. Use kazami.surfaces.line.")
        plane = cls(
            kind="three_points",
            centre=start,
            first=first.to(start.dtype),
            second=(up / up.norm()).to(start.dtype),
            labels=(Sentence("distance from model 1 towards model 2", "モデル 1 から 2 への距離"), Sentence("distance towards model 3", "モデル 3 への距離")),
        )
        points = plane.project(torch.stack([start, second, third]))
        return replace(plane, extent=around(points), points=points)

    def project(self, weights: Tensor) -> np.ndarray:
        """Return the coordinates of the nearest points on the plane, shape ``(rows, 2)``, of flat ``weights``, shape ``(rows, weights)``."""
        basis = torch.stack([self.first, self.second]).double()
        right = torch.stack([basis @ (row.double() - self.centre.double()) for row in weights]).cpu().numpy()  # row by row: a path may be large
        return np.asarray(np.linalg.solve(self._gram(), right.T).T)

    def at(self, a: float, b: float) -> Tensor:
        """Return the flat weights at coordinates ``a``, ``b``."""
        return self.centre + a * self.first + b * self.second

    def share_of(self, vector: Tensor) -> float:
        """Return which share of a vector's squared length lies in the plane; NaN for a vector of length 0."""
        flat = vector.double()
        length = float(flat @ flat)
        right = np.array([float(self.first.double() @ flat), float(self.second.double() @ flat)])
        return float(right @ np.linalg.solve(self._gram(), right)) / length if length > 0.0 else float("nan")

    def path_share(self, trajectory: Tensor) -> float:
        """Return which share of the squared distances of a path from the plane's centre lies in the plane."""
        total = inside = 0.0
        for row in trajectory:
            away = row.double() - self.centre.double()
            length = float(away @ away)
            total += length
            inside += self.share_of(away) * length if length > 0.0 else 0.0
        return inside / total if total > 0.0 else float("nan")

    def _gram(self) -> np.ndarray:
        basis = torch.stack([self.first, self.second]).double()
        return np.asarray((basis @ basis.t()).cpu().numpy())


def around(points: np.ndarray | Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """Return the box around ``points``, wider by a fifth at each side and never flat."""
    found = np.asarray(points, dtype=float)
    found = found[np.isfinite(found).all(1)]
    low, high = found.min(0), found.max(0)
    width = np.maximum(high - low, 1e-3 * max(float((high - low).max()), 1e-12))
    low, high = low - MARGIN * width, high + MARGIN * width
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])
