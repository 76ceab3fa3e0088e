r"""Fits :math:`a\,\varphi(bx + d;\theta) + c` to a function, from simple forms to rich ones, until one of the catalogue is met to the last digits."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import least_squares
from torch import Tensor, nn

from .entries import Activation, activation, all_activations
from .line import RealLine

Floats = npt.NDArray[np.float64]

_TAIL = np.array([12.0, 15.0, 20.0, 30.0, 45.0, 60.0, 80.0, 100.0])
_GRID = np.concatenate([-_TAIL[::-1], np.linspace(-9.987, 9.991, 700), _TAIL])  # not at 0, where a step may take any value
_SAME, _SAME_SINGLE = 1e-8, 2e-6
_WIDEST = 1e3  # input scales beyond this, or below its inverse, only imitate: any smooth function looks straight when magnified
# What is free, simplest first. The cheap forms are tried on everything; then the richest, of which the others are special cases, picks candidates.
_CHEAP: tuple[tuple[str, ...], ...] = ((), ("a",), ("θ",), ("c",), ("a", "c"), ("d",), ("c", "d"), ("a", "θ"), ("a", "c", "d"))
_RICHEST = (("a", "b", "c", "d"), ("a", "b", "c", "d", "θ"))
_FORMS: tuple[tuple[str, ...], ...] = (
    ("a", "b"),
    ("a", "b", "θ"),
    ("a", "b", "c"),
    ("a", "b", "d"),
    *_RICHEST,
)


@dataclass(frozen=True, slots=True)
class Match:
    """A function of the catalogue with scales and shifts.

    Attributes:
        name: Which.
        parameters: Those that are not the defaults.
        output_scale: a.
        input_scale: b.
        input_shift: d.
        output_shift: c.
        error: Largest difference, relative to the function's size.
        also: Other names for the very same function.
    """

    name: str
    parameters: dict[str, float]
    output_scale: float
    input_scale: float
    input_shift: float
    output_shift: float
    error: float
    also: tuple[str, ...] = ()


def best_match(function: Callable[[Tensor], Tensor], *, is_learned: bool, is_single: bool, module: type[nn.Module] | None = None) -> Match | None:
    """Return the simplest form of a catalogue function that equals ``function``, ``None`` where there is none.

    Args:
        function: Elementwise, float64.
        is_learned: Whether it has parameters that are trained; then learned activations come first, and else they are left out.
        is_single: Whether it computes in float32.
        module: Its class where it is a module: of two names for the same function, ELU and CELU with α = 1, its own is preferred.
    """
    line = RealLine(function)
    y = line.value(_GRID)
    if not np.isfinite(y).all() or np.ptp(y) == 0:
        return None
    same = _SAME_SINGLE if is_single else _SAME
    weight = 1 / (np.abs(y) + 0.1 * np.abs(y[np.abs(_GRID) <= 10]).max())
    marks = () if is_single else _marks(line)
    candidates = [one for one in all_activations() if one.kind == "scalar" and (is_learned or not one.declared.is_learned)]
    candidates.sort(key=lambda one: (type(one.module()) is not module, not one.declared.is_learned, len(one.name)))

    def fits(form: Sequence[str], among: Sequence[Activation]) -> list[tuple[Activation, Match]]:
        tried = [(one, _fit(one, form, y, weight, marks, same)) for one in among if "θ" not in form or one.parameters]
        return [(one, match) for one, match in tried if match is not None]

    for form in _CHEAP:
        if found := fits(form, candidates):
            return replace(found[0][1], also=tuple(one.name for one, _ in found[1:] if form == ()))
    shape = None if is_single else _shape(line)

    def likely(form: Sequence[str], among: Sequence[Activation]) -> list[Activation]:
        return [one for one in among if shape is None or _is_like(_shape_of(one.name), shape, may_kink="θ" in form)]

    reached = {one.name for form in _RICHEST for one, _ in fits(form, likely(form, candidates))}
    for form in _FORMS if reached else ():
        if found := fits(form, likely(form, [one for one in candidates if one.name in reached])):
            return found[0][1]
    return None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What scales and shifts leave as it is.

    Attributes:
        bounded: How many of the two ends are bounded.
        smoothness: As in the catalogue.
        breaks: Number of jumps and kinks.
    """

    bounded: int
    smoothness: float
    breaks: int


def _shape(line: RealLine) -> _Shape:
    bounded = sum(not math.isinf(line.limit(0, side)) for side in (-1, 1))
    smoothness = min((one.order for one in line.breaks), default=math.inf)
    return _Shape(bounded, smoothness, sum(one.order <= 1 for one in line.breaks))


def _is_like(own: _Shape, other: _Shape, *, may_kink: bool) -> bool:
    """Return whether two functions can be the same up to scales and shifts; a parameter may change how smooth one is."""
    return own == other or (may_kink and own.bounded == other.bounded and (own.smoothness == math.inf) == (other.smoothness == math.inf))


@cache
def _shape_of(name: str) -> _Shape:
    return _shape(RealLine(activation(name).function))


def _marks(line: RealLine) -> tuple[float, ...]:
    """Return the places by which a shift is guessed: jumps and kinks, or else where the slope changes fastest."""
    kinks = tuple(one.at for one in line.breaks if one.order <= 2)
    if kinks:
        return kinks
    x = np.linspace(-9.99, 9.99, 667)
    bend = np.abs(line.derivative(x, 2))
    return (float(x[int(np.nanargmax(bend))]), float(x[int(np.nanargmax(np.abs(line.derivative(x))))]))


@cache
def _marks_of(name: str) -> tuple[float, ...]:
    return _marks(RealLine(activation(name).function))


def _fit(one: Activation, form: Sequence[str], y: Floats, weight: Floats, marks: tuple[float, ...], same: float) -> Match | None:
    for start in _starts(one, form, marks):
        free = [name for name in ("b", "d") if name in form] + ([f"θ{name}" for name in one.parameters] if "θ" in form else [])
        values = _solved(one, form, y, weight, start, free) if free else start
        if not math.isfinite(values["b"]) or not 1 / _WIDEST <= abs(values["b"]) <= _WIDEST:
            continue
        match = _accepted(one, form, y, weight, values, same)
        if match is not None:
            return match
    return None


def _starts(one: Activation, form: Sequence[str], marks: tuple[float, ...]) -> Iterator[dict[str, float]]:
    """Yield first guesses: input scales of both signs and several sizes, shifts that bring the kinks together, parameters as they are by default."""
    parameters = {f"θ{name}": value for name, value in one.parameters.items()}
    scales = (1.0, -1.0) if "b" not in form else (1.0, -1.0, 0.3, -0.3, 3.0, -3.0)
    for b in scales if "a" in form or "b" in form else (1.0,):
        shifts = {0.0}
        if "d" in form:
            shifts |= {round(own - b * mark, 12) for own in _marks_of(one.name)[:1] for mark in marks[:2]}
        for d in sorted(shifts, key=abs):
            yield {"b": b, "d": d, **parameters}


def _basis(one: Activation, values: dict[str, float]) -> Floats:
    parameters = {name[1:]: value for name, value in values.items() if name.startswith("θ")}
    with torch.no_grad():
        return np.asarray(one.declared.function(torch.as_tensor(values["b"] * _GRID + values["d"]), **parameters).numpy(), dtype=np.float64)


def _linear(form: Sequence[str], basis: Floats, y: Floats, weight: Floats) -> tuple[float, float]:
    """Return the best output scale and shift for a basis: the part of the problem that is linear."""
    basis = np.clip(np.nan_to_num(basis), -1e150, 1e150)
    if "a" in form and "c" in form:
        columns = np.stack([basis * weight, weight], axis=1)
        a, c = np.linalg.lstsq(columns, y * weight, rcond=None)[0]
        return float(a), float(c)
    if "a" in form:
        scaled = basis * weight
        size = float(np.abs(scaled).max())
        return (float(((scaled / size) * y * weight).sum() / ((scaled / size) ** 2).sum() / size) if size > 0 else 0.0), 0.0
    return 1.0, (float(np.average(y - basis, weights=weight**2)) if "c" in form else 0.0)


def _solved(one: Activation, form: Sequence[str], y: Floats, weight: Floats, start: dict[str, float], free: list[str]) -> dict[str, float]:
    def residual(vector: Any) -> Floats:
        values = start | dict(zip(free, vector.tolist(), strict=True))
        try:
            basis = _basis(one, values)
        except (RuntimeError, ValueError):  # a parameter outside what torch allows
            return np.full_like(y, 1e3)
        a, c = _linear(form, basis, y, weight)
        return np.nan_to_num((a * basis + c - y) * weight, nan=1e3, posinf=1e3, neginf=-1e3)

    first = np.array([start[name] for name in free])
    rough = least_squares(residual, first, method="lm", max_nfev=40, xtol=1e-4, ftol=1e-4, gtol=1e-12)
    if rough.cost > 0.5 * 1e-2 * y.size:  # nowhere near
        return start
    fine = least_squares(residual, rough.x, method="lm", max_nfev=150, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return start | dict(zip(free, fine.x.tolist(), strict=True))


def _accepted(one: Activation, form: Sequence[str], y: Floats, weight: Floats, values: dict[str, float], same: float) -> Match | None:
    """Return the match if it is one, with numbers as a person would have typed them where these fit as well."""

    def error(values: dict[str, float], a: float, c: float) -> float:
        try:
            return float(np.nan_to_num(np.abs((a * _basis(one, values) + c - y) * weight), nan=np.inf).max())
        except (RuntimeError, ValueError):
            return math.inf

    a, c = _linear(form, _basis_or_zero(one, values), y, weight)
    found = error(values, a, c)
    is_beyond_sight = any(abs(value) > 0.99 * _TAIL[-1] for name, value in values.items() if name.startswith("θ"))
    if found > same or a == 0 or is_beyond_sight:
        return None
    short_values = {name: _typed(value, same) for name, value in values.items()}
    short_a, short_c = _typed(a, same), _typed(c, same)
    if error(short_values, short_a, short_c) <= max(same * 0.1, found):
        values, a, c, found = short_values, short_a, short_c, error(short_values, short_a, short_c)
    parameters = {name: values[f"θ{name}"] for name, default in one.parameters.items() if values[f"θ{name}"] != default}
    return Match(one.name, parameters, a, values["b"], values["d"], c, found)


def _basis_or_zero(one: Activation, values: dict[str, float]) -> Floats:
    try:
        return _basis(one, values)
    except (RuntimeError, ValueError):
        return np.zeros_like(_GRID)


def _typed(value: float, same: float) -> float:
    """Return the number with the fewest digits that is as good as ``value``; a shift that is only rounding becomes 0."""
    if abs(value) < 10 * same:
        return 0.0
    for digits in range(1, 10):
        rounded = float(f"{value:.{digits}g}")
        if abs(rounded - value) <= (1e-11 if same == _SAME else _SAME_SINGLE) * abs(value):
            return rounded
    return value
