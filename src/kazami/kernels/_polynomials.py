"""Coefficients of the elementary functions, computed: interpolation at Chebyshev points in decimal arithmetic of many digits."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from functools import cache

DIGITS = 60
LARGEST_DEGREE = 40
SHARE = Decimal("0.05")  # of the precision that the polynomial may err; the arithmetic behind it adds about one
Function = Callable[[Decimal], Decimal]


@cache
def coefficients(function: Function, low: float, high: float, mantissa: int) -> tuple[float, ...]:
    """Return the coefficients, the constant first, of the shortest polynomial that agrees with ``function`` on ``[low, high]`` to ``mantissa`` bits.

    Limits:
        ``function`` should not be small anywhere in the interval: the error is relative to its value in the middle.
    """
    with localcontext() as context:
        context.prec = DIGITS
        middle, half = (Decimal(low) + Decimal(high)) / 2, (Decimal(high) - Decimal(low)) / 2
        allowed = SHARE * Decimal(2) ** -mantissa * abs(function(middle))
        between = [middle + half * Decimal(math.cos(math.pi * (k + 0.25) / 24.5)) for k in range(24)]
        wanted = [function(point) for point in between]
        for degree in range(1, LARGEST_DEGREE):
            nodes = [middle + half * Decimal(math.cos(math.pi * (k + 0.5) / (degree + 1))) for k in range(degree + 1)]
            found = _interpolated(nodes, [function(node) for node in nodes])
            if all(abs(_value(found, point) - value) <= allowed for point, value in zip(between, wanted, strict=True)):
                break
    return tuple(float(coefficient) for coefficient in found)


def _interpolated(nodes: list[Decimal], values: list[Decimal]) -> list[Decimal]:
    """Return the polynomial through all points, by Newton's divided differences multiplied out."""
    differences = list(values)
    for order in range(1, len(nodes)):
        for k in range(len(nodes) - 1, order - 1, -1):
            differences[k] = (differences[k] - differences[k - 1]) / (nodes[k] - nodes[k - order])
    found = [differences[-1]]
    for k in range(len(nodes) - 2, -1, -1):
        shifted = [Decimal(0), *found]
        found = [a - nodes[k] * b for a, b in zip(shifted, [*found, Decimal(0)], strict=True)]
        found[0] += differences[k]
    return found


def _value(found: list[Decimal], point: Decimal) -> Decimal:
    total = Decimal(0)
    for coefficient in reversed(found):
        total = total * point + coefficient
    return total


@cache
def log_of_two() -> tuple[float, Decimal]:
    """Return ln 2 as the nearest double, and with many digits."""
    with localcontext() as context:
        context.prec = DIGITS
        exact = Decimal(2).ln()
    return float(exact), exact


def exp_ratio(r: Decimal) -> Decimal:
    """Return ``(exp(r) - 1) / r``, 1 at 0."""
    return _series(r, lambda k: Decimal(1) / math.factorial(k + 1))


def expm1_of_double(r: Decimal) -> Decimal:
    """Return ``(exp(2 r) - 1) / r``, 2 at 0."""
    return 2 * exp_ratio(2 * r)


def atanh_ratio(square: Decimal) -> Decimal:
    """Return ``2 atanh(s) / s`` as a function of ``s²``, 2 at 0."""
    return _series(square, lambda k: Decimal(2) / (2 * k + 1))


def erf_ratio(square: Decimal) -> Decimal:
    """Return ``erf(x) / x`` as a function of ``x²``."""
    return _series(-square, lambda k: Decimal(1) / (math.factorial(k) * (2 * k + 1))) * 2 / _root_of_pi()


def erfc_scaled(scaled: Decimal) -> Decimal:
    """Return ``erfc(x) exp(x²)`` as a function of ``u``, where ``1 / (1 + x / 2) = t`` is ``u`` plus the middle of t for x from 1 to infinity."""
    t = scaled + MIDDLE
    x = 2 / t - 2
    with localcontext() as context:
        context.prec = DIGITS + 40  # erf is 1 to as many digits as erfc is small
        return (1 - x * erf_ratio(x * x)) * (x * x).exp()


MIDDLE = Decimal(1) / 3  # t is 2/3 at 1 and 0 at infinity


def _series(x: Decimal, term: Callable[[int], Decimal]) -> Decimal:
    total, power, k = Decimal(0), Decimal(1), 0
    while k < 4 or abs(power) > Decimal(10) ** -(DIGITS + 40):
        part = power * term(k)
        total, power, k = total + part, power * x, k + 1
        if abs(part) < Decimal(10) ** -(DIGITS + 40):
            break
    return total


def _root_of_pi() -> Decimal:
    """Return the root of pi; pi by Machin's formula."""

    def arctan(inverse: int) -> Decimal:
        return _series(-Decimal(1) / inverse**2, lambda k: Decimal(1) / (2 * k + 1)) / inverse

    return (16 * arctan(5) - 4 * arctan(239)).sqrt()
