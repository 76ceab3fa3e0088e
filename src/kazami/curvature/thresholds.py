r"""Where an optimizer turns unstable: the largest curvature at which its step still contracts.

Every rule here is linear on a quadratic. Along an eigendirection of curvature :math:`\lambda`, with the adaptive scaling held still,

.. math:: m' = \beta m + c \lambda x, \qquad x' = d x - \eta (a m' + b \lambda x)

for a momentum :math:`\beta`, an intake :math:`c`, the weights :math:`a` of the momentum and :math:`b` of the bare gradient in the step, and the
shrinkage :math:`d` of decoupled weight decay. The step matrix has trace :math:`d + \beta - \eta\lambda(b + ac)` and determinant
:math:`\beta (d - \eta b \lambda)`; for :math:`\lambda > 0` it first loses stability through the multiplier -1 (a flip), where 1 + trace + determinant = 0:

.. math:: \lambda^* = \frac{(1 + d)(1 + \beta)}{\eta\, [\, b (1 + \beta) + a c\, ]}

References:
    Polyak 1964; Cohen et al. 2021, "Gradient descent on neural networks typically occurs at the edge of stability" (arXiv 2103.00065), appendix B;
    Cohen et al. 2022, "Adaptive gradient methods at the edge of stability" (arXiv 2207.14484), section 2.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

# A method is its coefficients (a, b, c) as functions of its momentum and of torch's `dampening`; derived in the module's docstring.
KINDS = ("gradient_descent", "heavy_ball", "nesterov", "adam", "nadam", "rmsprop", "adagrad")
KIND_OF_CLASS = {
    "SGD": "heavy_ball",
    "Adam": "adam",
    "AdamW": "adam",
    "RAdam": "adam",
    "Adamax": "adam",
    "NAdam": "nadam",
    "RMSprop": "rmsprop",
    "Adagrad": "adagrad",
}
PRECONDITIONED = frozenset({"adam", "nadam", "rmsprop", "adagrad"})


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where an optimizer's step turns unstable, as ``unit / learning_rate``.

    Args:
        kind: One of :data:`KINDS`.
        unit: The largest stable ``learning_rate * sharpness``: 2 for gradient descent, 38 for Adam with its defaults.
        learning_rate: Of the parameter group read.
        is_preconditioned: Whether the sharpness meant is that of the preconditioned Hessian.
    """

    kind: str
    unit: float
    learning_rate: float
    is_preconditioned: bool

    @property
    def value(self) -> float:
        """The largest stable sharpness; infinite at a learning rate of zero."""
        return self.unit / self.learning_rate if self.learning_rate > 0.0 else math.inf

    def stability_ratio(self, sharpness: float) -> float:
        """Return ``sharpness`` in units of the threshold; above 1 the linearised step grows."""
        return self.learning_rate * sharpness / self.unit


def stability_threshold(
    kind: str,
    learning_rate: float | Tensor,
    *,
    momentum: float = 0.0,
    dampening: float = 0.0,
    coupled_decay: float = 0.0,
    decoupled_decay: float = 0.0,
    momentum_now: float | None = None,
) -> float:
    r"""Return the largest stable eigenvalue of the (preconditioned) Hessian of the loss.

    ============================ =========================================================== =====================================
    ``kind``                     step                                                        threshold
    ============================ =========================================================== =====================================
    ``gradient_descent``         :math:`x - \eta g`                                          :math:`2/\eta`
    ``heavy_ball``               buffer :math:`\beta m + (1-\tau) g`                         :math:`2(1+\beta)/((1-\tau)\eta)`
    ``nesterov`` (torch's)       :math:`g + \beta m`                                         :math:`2(1+\beta)/((1+\beta+\beta(1-\tau))\eta)`
    ``adam``                     average :math:`\beta m + (1-\beta) g`                       :math:`2(1+\beta)/((1-\beta)\eta)`
    ``nadam``                    :math:`(1-\mu) g + \mu m`, the same average                 :math:`2(1+\beta)/([(1-\mu)(1+\beta)+\mu(1-\beta)]\eta)`
    ``rmsprop``                  heavy ball on the scaled gradient                           :math:`2(1+\beta)/\eta`
    ``adagrad``                  :math:`x - \eta g` on the scaled gradient                   :math:`2/\eta`
    ============================ =========================================================== =====================================

    Args:
        kind: One of :data:`KINDS`; the last four speak of the preconditioned Hessian.
        learning_rate: :math:`\eta`, also as a 0-dimensional tensor; 0 gives infinity.
        momentum: :math:`\beta`, or Adam's :math:`\beta_1`.
        dampening: :math:`\tau`, torch's ``dampening``.
        coupled_decay: An :math:`L_2` penalty :math:`w`: the step sees :math:`\lambda + w`, so the loss may have :math:`w` less. Exact without a preconditioner.
        decoupled_decay: AdamW's: the weights shrink by :math:`d = 1 - \eta w` in each step.
        momentum_now: NAdam's scheduled :math:`\mu`; :math:`\beta` (its limit) if not given.

    Raises:
        ValueError: For an unknown ``kind``.

    Limits:
        Full batch and frozen scaling. With mini-batches the plateau lies lower; above the threshold a non-quadratic loss need not diverge.

    References:
        In the module's docstring.

    Example:
        >>> round(stability_threshold("heavy_ball", 0.1, momentum=0.9), 9), round(stability_threshold("adam", 1.0, momentum=0.9), 9)
        (38.0, 38.0)
    """
    if kind not in KINDS:
        raise ValueError(f"The kind of optimizer should be one of {', '.join(KINDS)}, but it is {kind!r}.")
    rate = float(learning_rate)
    if rate == 0.0:
        return math.inf
    after, bare, intake = _coefficients(kind, momentum, dampening, momentum if momentum_now is None else momentum_now)
    kept = 1.0 - rate * decoupled_decay
    memory = 0.0 if kind in ("gradient_descent", "adagrad") else momentum
    return (1.0 + kept) * (1.0 + memory) / (rate * (bare * (1.0 + memory) + after * intake)) - coupled_decay


def _coefficients(kind: str, momentum: float, dampening: float, momentum_now: float) -> tuple[float, float, float]:
    """Return the weight of the momentum in the step, that of the bare gradient, and the momentum's intake: (a, b, c) of the module's docstring."""
    table = {
        "gradient_descent": (0.0, 1.0, 0.0),
        "heavy_ball": (1.0, 0.0, 1.0 - dampening),
        "nesterov": (momentum, 1.0, 1.0 - dampening),
        "adam": (1.0, 0.0, 1.0 - momentum),
        "nadam": (momentum_now, 1.0 - momentum_now, 1.0 - momentum),
        "rmsprop": (1.0, 0.0, 1.0),
        "adagrad": (0.0, 1.0, 0.0),
    }
    return table[kind]


def drift_rate(optimizer: Optimizer, group_index: int = 0) -> float:
    r"""Return how far a step goes in the long run along a constant (preconditioned) gradient, per unit of it: :math:`\eta\,(b + ac/(1 - \beta))`.

    A displacement along a direction of small curvature :math:`\lambda` decays at this rate times :math:`\lambda` per step: :math:`\eta` for plain descent and
    for Adam, :math:`\eta/(1-\beta)` for heavy ball. NaN where the optimizer's rule is not known.

    Example:
        >>> import torch
        >>> round(drift_rate(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)), 9)
        1.0
    """
    kind = KIND_OF_CLASS.get(type(optimizer).__name__)
    group = optimizer.param_groups[group_index]
    if kind is None:
        return math.nan
    kind = exact_kind(kind, group)
    beta = float(group["betas"][0]) if "betas" in group else float(group.get("momentum", 0.0))
    after, bare, intake = _coefficients(kind, beta, float(group.get("dampening", 0.0)), beta)
    memory = 0.0 if kind in ("gradient_descent", "adagrad") else beta
    return float(group["lr"]) * (bare + after * intake / (1.0 - memory))


def optimizer_threshold(optimizer: Optimizer, group_index: int = 0) -> Threshold | None:
    """Return where ``optimizer`` turns unstable for one of its parameter groups, or ``None`` if its rule is not known.

    Coupled weight decay is *not* taken off here: add it to the Hessian (:func:`~kazami.curvature.preconditioners.coupled_decay`), which is
    exact for adaptive methods too.

    Args:
        optimizer: Any torch optimizer; known by class name: SGD, Adam, AdamW, RAdam, NAdam, Adamax, RMSprop, Adagrad.
        group_index: Which parameter group to read.

    Returns:
        The threshold, for the sharpness of the Hessian preconditioned by :func:`~kazami.curvature.preconditioners.preconditioner`.

    Limits:
        Ascent (``maximize=True``) gives ``None``. Gradient clipping and step hooks cannot be seen from here; clipping makes the step stabler.
    """
    kind = KIND_OF_CLASS.get(type(optimizer).__name__)
    group = optimizer.param_groups[group_index]
    if kind is None or group.get("maximize", False):
        return None
    return Threshold(exact_kind(kind, group), unit_of(kind, group), float(group["lr"]), kind in PRECONDITIONED)


def fastest_group(optimizer: Optimizer) -> int:
    """Return the place of the parameter group with the largest learning rate; an optimizer of somebody's own may have none."""
    return max(range(len(optimizer.param_groups)), key=lambda at: float(optimizer.param_groups[at].get("lr", 0.0)))


def unit_of(kind: str, group: Mapping[str, Any], momentum_now: float | None = None) -> float:
    """Return the largest stable ``learning_rate * sharpness`` for the settings in a torch parameter ``group``."""
    decay = float(group.get("weight_decay", 0.0)) * float(group["lr"]) if is_decoupled(group) else 0.0
    beta = float(group["betas"][0]) if "betas" in group else float(group.get("momentum", 0.0))
    return stability_threshold(
        exact_kind(kind, group), 1.0, momentum=beta, dampening=float(group.get("dampening", 0.0)), decoupled_decay=decay, momentum_now=momentum_now
    )


def exact_kind(kind: str, group: Mapping[str, Any]) -> str:
    """Return which of SGD's three rules a parameter ``group`` asks for; other kinds are returned as they are."""
    if kind != "heavy_ball":
        return kind
    if not float(group["momentum"]):
        return "gradient_descent"
    return "nesterov" if group["nesterov"] else "heavy_ball"


def is_decoupled(group: Mapping[str, Any]) -> bool:
    """Return whether weight decay shrinks the weights beside the gradient step (AdamW) instead of entering the gradient."""
    return bool(group.get("decoupled_weight_decay", False))
