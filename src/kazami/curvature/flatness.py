"""How many directions in the space of weights are flat, and what flat means for a training of so many steps."""

import math
from types import MappingProxyType

import numpy as np

from ..records.estimate import Estimate, Remark
from ..reports.numerals import short
from .density import SpectralDensity
from .training_curvature import TrainingCurvature


def flat_directions(
    curvature: TrainingCurvature, *, threshold: float | None = None, steps: int | None = None, probes: int = 6, density: SpectralDensity | None = None
) -> Estimate:
    r"""Return how many eigenvalues of the Hessian are flat: :math:`|\lambda| \le c`.

    Along a direction of curvature :math:`\lambda` a displacement shrinks by :math:`(1 - \rho\lambda)` per step, with the optimizer's drift rate
    :math:`\rho` (:math:`\eta`; :math:`\eta/(1-\beta)` with momentum). In :math:`T` steps it loses less than a factor e where

    .. math:: |\lambda| \le c = \frac{1}{\rho T}

    so the training cannot tell such a direction from one without curvature; a manifold of minima has as many as its dimension. For an adaptive optimizer
    the preconditioned Hessian is counted. Without an optimizer :math:`c` is what rounding leaves open: the largest eigenvalue times dimension times
    machine precision.

    Args:
        curvature: Of a training at its end point, ``TrainingCurvature.of(training, after=training.steps)``.
        threshold: :math:`c` itself, in units of the eigenvalues.
        steps: :math:`T`; the training's own by default.
        probes: Random vectors for the density, where the whole matrix is too large.
        density: Of ``curvature.stability_products()``, where it is known already.

    Returns:
        The count, with the standard error between probes (0 where all eigenvalues were computed). ``details``: ``flat_threshold``, ``fraction``,
        ``negative`` (how many lie below -c), ``parameters``.

    Example:
        >>> import torch
        >>> x = torch.tensor([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]])  # rank one: two of three directions are flat
        >>> found = flat_directions(TrainingCurvature(torch.nn.Linear(3, 1, bias=False), torch.nn.functional.mse_loss, (x, torch.ones(2, 1))))
        >>> found.value, found.uncertainty
        (2.0, 0.0)
    """
    density = density or curvature.density(probes=probes, products=curvature.stability_products())
    limit, said = _limit(curvature, density, threshold, steps)
    count, error = density.count(-limit, limit)
    negative, _ = density.count(-math.inf, -limit)
    n = curvature.n_entries
    if not density.is_whole:
        fine = f"Counted from a spectral density that resolves about {short(density.resolution)} in the bulk."
        said.append(Remark(fine, f"スペクトル密度から数えた。分解能は約 {short(density.resolution)}。"))
    rough = (
        [Remark("The limit is finer than the density resolves.", "限界が密度の分解能より細かい。")]
        if not density.is_whole and limit < density.resolution
        else []
    )
    details = {"flat_threshold": limit, "fraction": count / n, "negative": negative, "parameters": n}
    return Estimate(
        name="flat_directions",
        value=round(count, 9),
        uncertainty=error,
        local=np.array([count]),
        steps=1,
        unit="directions",
        conditions=tuple(said),
        warnings=tuple(rough),
        details=MappingProxyType(details),
    )


def _limit(curvature: TrainingCurvature, density: SpectralDensity, threshold: float | None, steps: int | None) -> tuple[float, list[Remark]]:
    precision = float(np.finfo(str(curvature.parameters[0].dtype).removeprefix("torch.")).eps)
    rounding = max(map(abs, density.ends)) * curvature.n_entries * precision
    if threshold is not None:
        return threshold, [Remark(f"Flat means |λ| ≤ {short(threshold)}, as asked.", f"平坦とは指定の |λ| ≤ {short(threshold)} のこと。")]
    drift, length = curvature.looked_at.drift, curvature.looked_at.steps if steps is None else steps
    if length and drift > 0.0 and 1.0 / (drift * length) > rounding:
        limit = 1.0 / (drift * length)
        text = f"Flat means |λ| ≤ {short(limit)}: there {length} steps undo less than a factor e of a displacement."
        return limit, [Remark(text, f"平坦とは |λ| ≤ {short(limit)}：{length}ステップで変位が 1/e まで縮まない方向。")]
    text = f"Flat means |λ| ≤ {short(rounding)}: below that there is only rounding."
    return rounding, [Remark(text, f"平坦とは |λ| ≤ {short(rounding)}：それ以下は丸め誤差と区別できない。")]
