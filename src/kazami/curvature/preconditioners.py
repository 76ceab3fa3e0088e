r"""What a torch optimizer divides by: the diagonal :math:`P` that makes its step plain again in rescaled coordinates. Only read, never changed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from .thresholds import KIND_OF_CLASS, PRECONDITIONED, is_decoupled, unit_of

State = Mapping[str, Any]
Group = Mapping[str, Any]


def preconditioner(optimizer: Optimizer, parameters: Sequence[Tensor], group_index: int = 0) -> list[Tensor] | None:
    r"""Return the diagonal :math:`P` by which ``optimizer`` divides its step, as of its last step.

    For Adam :math:`P = (1 - \beta_1^t)(\sqrt{\hat v_t} + \epsilon)`: dividing the raw first moment by it and multiplying by the learning rate *is* torch's
    step. Other groups are folded in: an entry of a group with :math:`\eta_i` and unit :math:`u_i` is multiplied by
    :math:`(\eta / \eta_i)(u_i / u)`, so that one ratio :math:`\eta \lambda_{\max}(P^{-1/2} H P^{-1/2}) / u` holds for all of them. What the optimizer
    does not move (not in a group, learning rate zero, no state because never used) has :math:`P = \infty`.

    Args:
        optimizer: A torch optimizer of a class in :data:`~kazami.curvature.thresholds.KIND_OF_CLASS`.
        parameters: The parameters asked for, in this order.
        group_index: The group whose learning rate and unit are the reference; take one with the largest rate.

    Returns:
        One tensor shaped like each parameter; ``None`` where :math:`P` is the identity (SGD with one rate for all), where the optimizer is unknown,
        or where it is adaptive and has not stepped yet.

    Limits:
        Folding is exact for groups that differ in learning rate; where momenta or decoupled decays differ it is exact only if the Hessian does not
        couple the groups. The denominator the *next* step will use also contains the next gradient. In the first few
        1/(1-β₁) steps the correction of the first moment enlarges the step and with it the ratio: the growth it tells of is real, but passes.

    References:
        Cohen et al. 2022 (arXiv 2207.14484), equation 3, for Adam's P.
    """
    kind = KIND_OF_CLASS.get(type(optimizer).__name__)
    if kind is None:
        return None
    group_of = {parameter: group for group in optimizer.param_groups for parameter in group["params"]}
    reference = optimizer.param_groups[group_index]
    rate = float(reference["lr"])
    unit = unit_of(kind, reference, _momentum_now(kind, reference, _any_state(optimizer, reference)))
    divisors = [_divisor(optimizer, parameter, group_of.get(parameter)) for parameter in parameters]
    factors = [_relative_unit(optimizer, kind, parameter, group_of.get(parameter), rate) / unit for parameter in parameters]
    if kind not in PRECONDITIONED and all(factor == 1.0 for factor in factors):
        return None
    if all(divisor is None for divisor in divisors):
        return None
    rows = zip(divisors, factors, parameters, strict=True)
    return [torch.full_like(parameter, math.inf, requires_grad=False) if divisor is None else divisor * factor for divisor, factor, parameter in rows]


def coupled_decay(optimizer: Optimizer, parameters: Sequence[Tensor]) -> list[float]:
    """Return, for each parameter, the weight decay that enters its gradient and so adds to the Hessian (0 where it is decoupled)."""
    decay = {
        parameter: 0.0 if is_decoupled(group) else float(group.get("weight_decay", 0.0)) for group in optimizer.param_groups for parameter in group["params"]
    }
    return [decay.get(parameter, 0.0) for parameter in parameters]


def scheduled_unit(optimizer: Optimizer, group_index: int) -> float:
    """Return the unit of a group's threshold at the optimizer's present step: NAdam's momentum has a schedule."""
    kind = KIND_OF_CLASS[type(optimizer).__name__]
    group = optimizer.param_groups[group_index]
    return unit_of(kind, group, _momentum_now(kind, group, _any_state(optimizer, group)))


def _relative_unit(optimizer: Optimizer, kind: str, parameter: Tensor, group: Group | None, rate: float) -> float:
    """Return the unit of the parameter's own group at the reference learning ``rate``; infinite for one that does not move."""
    if group is None:
        return math.inf
    own_rate = float(group["lr"])
    own_unit = unit_of(kind, group, _momentum_now(kind, group, _state_of(optimizer, parameter)))
    if own_rate == rate:  # also where both are zero, at the start of a warm-up: then the bare sharpness is meant
        return own_unit
    return own_unit * (rate / own_rate) if own_rate > 0.0 else math.inf


def _divisor(optimizer: Optimizer, parameter: Tensor, group: Group | None) -> Tensor | None:
    """Return what the step of ``parameter`` is divided by, or ``None`` if it is not stepped."""
    name = type(optimizer).__name__
    if group is None:
        return None
    if name == "SGD":
        return torch.ones_like(parameter, requires_grad=False)
    state = _state_of(optimizer, parameter)
    return None if state is None else _DIVISORS[name](state, group)


def _state_of(optimizer: Optimizer, parameter: Tensor) -> State | None:
    state: State = optimizer.state.get(parameter, {})
    return state if "step" in state and float(state["step"]) >= 1.0 else None


def _any_state(optimizer: Optimizer, group: Group) -> State | None:
    states = (_state_of(optimizer, parameter) for parameter in group["params"])
    return next((state for state in states if state is not None), None)


def _momentum_now(kind: str, group: Group, state: State | None) -> float | None:
    """Return NAdam's momentum at its present step, as torch schedules it."""
    if kind != "nadam" or state is None:
        return None
    settled = float(group["betas"][0])
    return settled * (1.0 - 0.5 * math.pow(0.96, float(state["step"]) * float(group["momentum_decay"])))


def _corrections(state: State, group: Group) -> tuple[float, float]:
    step = float(state["step"])
    beta_one, beta_two = (float(beta) for beta in group["betas"])
    return 1.0 - beta_one**step, 1.0 - beta_two**step


def _adam(state: State, group: Group) -> Tensor:
    first, second = _corrections(state, group)
    squares: Tensor = state["max_exp_avg_sq"] if group["amsgrad"] else state["exp_avg_sq"]
    return (squares.sqrt() / math.sqrt(second)).add_(group["eps"]).mul_(first)


def _nadam(state: State, group: Group) -> Tensor:
    """NAdam divides its two parts by corrections that differ while its momentum grows; both tend to 1, and are left out."""
    squares: Tensor = state["exp_avg_sq"]
    return squares.div(_corrections(state, group)[1]).sqrt_().add_(group["eps"])


def _adamax(state: State, group: Group) -> Tensor:
    largest: Tensor = state["exp_inf"]
    return largest * _corrections(state, group)[0]


def _radam(state: State, group: Group) -> Tensor:
    first, second = _corrections(state, group)
    squares: Tensor = state["exp_avg_sq"]
    step, beta_two = float(state["step"]), float(group["betas"][1])
    longest = 2.0 / (1.0 - beta_two) - 1.0
    length = longest - 2.0 * step * beta_two**step / second
    if length <= 5.0:  # too short a history for a variance: the step is plain momentum
        return torch.full_like(squares, first)
    rectifier = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
    return squares.sqrt().add_(group["eps"]).mul_(first / (math.sqrt(second) * rectifier))


def _rmsprop(state: State, group: Group) -> Tensor:
    squares: Tensor = state["square_avg"]
    if group["centered"]:
        squares = squares.addcmul(state["grad_avg"], state["grad_avg"], value=-1.0)
    return squares.sqrt().add_(group["eps"])


def _adagrad(state: State, group: Group) -> Tensor:
    squares: Tensor = state["sum"]
    slowed = 1.0 + (float(state["step"]) - 1.0) * float(group["lr_decay"])
    return squares.sqrt().add_(group["eps"]).mul_(slowed)


_DIVISORS = {"Adam": _adam, "AdamW": _adam, "NAdam": _nadam, "Adamax": _adamax, "RAdam": _radam, "RMSprop": _rmsprop, "Adagrad": _adagrad}
