"""Elementary functions out of additions, multiplications and bit patterns, so that every printer gives the same ones and none calls a library."""

import math
from decimal import Decimal

import numpy as np

from ._polynomials import MIDDLE, Function, atanh_ratio, coefficients, erf_ratio, erfc_scaled, exp_ratio, expm1_of_double, log_of_two
from ._program import Builder, Value


class Functions:
    """Writes elementary functions into a program; all carry NaN through, and none meets an overflow on its way.

    Args:
        builder: Of the program.
    """

    def __init__(self, builder: Builder) -> None:
        """Look up the precision."""
        self.b = builder
        kind = np.finfo(builder.dtype)
        self._itemsize = builder.dtype.itemsize
        self._n_mantissa = int(kind.nmant)
        self._one = int(np.ones((), builder.dtype).view(self._whole))
        self._half_root = int(np.sqrt(np.full((), 0.5, builder.dtype)).view(self._whole))
        self._low, self._high = int(kind.minexp) * math.log(2.0), (int(kind.maxexp) - 1) * math.log(2.0)
        self._saturated = -math.log(float(kind.eps) / 16.0) / 2.0  # there e + 2 is e: tanh is 1, and its slope 0
        scale = 2.0 ** (self._n_mantissa - int(kind.iexp) - 2)  # so many bits that n times them is exact
        nearest, exact = log_of_two()
        self._log_2_high = math.floor(nearest * scale) / scale
        self._log_2_low = float(exact - Decimal(self._log_2_high))

    @property
    def _whole(self) -> type[np.signedinteger]:
        return np.int32 if self._itemsize == 4 else np.int64

    def exp(self, x: Value) -> Value:
        r"""Return :math:`e^x = 2^n e^r`, :math:`|r| \le \ln 2 / 2`; outside the range of normal numbers the value at its edge (half of it above)."""
        b = self.b
        inside = b.at_most(b.at_least(x, b.constant(self._low)), b.constant(self._high))
        n, power = self._nearest(inside, 1.0 / math.log(2.0))
        r = b.fma(n, b.constant(-self._log_2_low), b.fma(n, b.constant(-self._log_2_high), inside))
        grown = b.fma(r, self._fitted(r, exp_ratio, -math.log(2.0) / 2, math.log(2.0) / 2), b.constant(1.0))
        return b.mul(grown, power)

    def tanh(self, x: Value) -> Value:
        r"""Return :math:`\tanh x = e / (e + 2)` with :math:`e = e^{2x} - 1`, to the last bits also near 0."""
        b = self.b
        inside = b.at_most(b.at_least(x, b.constant(-self._saturated)), b.constant(self._saturated))
        n, power = self._nearest(inside, 2.0 / math.log(2.0))
        r = b.fma(n, b.constant(-math.log(2.0) / 2.0), inside)
        beyond = b.mul(r, self._fitted(r, expm1_of_double, -math.log(2.0) / 4, math.log(2.0) / 4))
        e = b.fma(power, beyond, b.sub(power, b.constant(1.0)))
        return b.div(e, b.add(e, b.constant(2.0)))

    def sigmoid(self, x: Value) -> Value:
        """Return ``1 / (1 + exp(-x))``."""
        b = self.b
        return b.div(b.constant(1.0), b.add(b.constant(1.0), self.exp(b.negative(x))))

    def log(self, x: Value) -> Value:
        """Return the natural logarithm of positive normal numbers; NaN for infinity and NaN."""
        b = self.b
        pattern = b.bits(x)
        shift = b.pattern(self._n_mantissa)
        exponent = b.bits_operation("right", b.bits_operation("minus", pattern, b.pattern(self._half_root)), shift)
        mantissa = b.floating(b.bits_operation("minus", pattern, b.bits_operation("left", exponent, shift)))
        s = b.div(b.sub(mantissa, b.constant(1.0)), b.add(mantissa, b.constant(1.0)))
        n = b.converted(exponent)
        small = b.fma(n, b.constant(self._log_2_low), self._twice_atanh(s, (math.sqrt(2.0) - 1.0) / (math.sqrt(2.0) + 1.0)))
        return b.fma(x, b.constant(0.0), b.fma(n, b.constant(self._log_2_high), small))

    def log_of_one_plus(self, u: Value) -> Value:
        """Return ``log(1 + u)`` for ``u`` between 0 and 1, to the last bits also near 0."""
        b = self.b
        return self._twice_atanh(b.div(u, b.add(b.constant(2.0), u)), 1.0 / 3.0)

    def erf(self, x: Value) -> Value:
        """Return the error function: a polynomial up to 1, ``1 - erfc`` beyond."""
        b = self.b
        size = b.select(b.less(x, b.constant(0.0)), b.negative(x), x)
        square = b.mul(x, x)
        near = b.mul(x, self._fitted(square, erf_ratio, 0.0, 1.0))
        far_edge = math.sqrt(-math.log(float(np.finfo(self.b.dtype).eps) / 8.0))
        outside = b.at_most(b.at_least(size, b.constant(1.0)), b.constant(far_edge))
        inverse = b.div(b.constant(1.0), b.fma(outside, b.constant(0.5), b.constant(1.0)))
        middle = float(MIDDLE)
        scaled = self._fitted(b.sub(inverse, b.constant(middle)), erfc_scaled, 1.0 / (1.0 + far_edge / 2.0) - middle, 2.0 / 3.0 - middle)
        far = b.sub(b.constant(1.0), b.mul(self.exp(b.negative(b.mul(outside, outside))), scaled))
        signed = b.select(b.less(x, b.constant(0.0)), b.negative(far), far)
        return b.select(b.less(b.constant(1.0), size), signed, near)

    def _nearest(self, x: Value, factor: float) -> tuple[Value, Value]:
        """Return the whole number ``n`` nearest to ``factor * x``, and ``2**n``: adding 3/2 · 2**mantissa leaves n in the lowest bits."""
        b = self.b
        large = b.constant(1.5 * 2.0**self._n_mantissa)
        shifted = b.fma(x, b.constant(factor), large)
        exponent = b.bits_operation("left", b.bits(shifted), b.pattern(self._n_mantissa))
        return b.sub(shifted, large), b.floating(b.bits_operation("plus", exponent, b.pattern(self._one)))

    def _twice_atanh(self, s: Value, largest: float) -> Value:
        b = self.b
        return b.mul(s, self._fitted(b.mul(s, s), atanh_ratio, 0.0, largest**2))

    def _fitted(self, x: Value, function: Function, low: float, high: float) -> Value:
        margin = 0.01 * (high - low)  # the reduced argument may lie a rounding outside its interval
        found = coefficients(function, low - margin * (low < 0.0), high + margin, self._n_mantissa + 1)
        total = self.b.constant(found[-1])
        for coefficient in reversed(found[:-1]):
            total = self.b.fma(total, x, self.b.constant(coefficient))
        return total
