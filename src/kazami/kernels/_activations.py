"""Activations as kernels compute them: the value, the slope, and how the slope bends."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

from ._functions import Functions
from ._program import Value


class AbstractForm(ABC):
    """One activation.

    What the backward pass needs is found again from the value where that is cheap, and kept in a row of its own where it is not.

    Class attributes:
        keeps_slope: Whether the slope f'(z) must be kept from the forward pass.
        bends: ``"never"``: f'' is 0; ``"ratio"``: f''/f' follows from value and slope; ``"kept"``: f'' must be kept from the forward pass.
    """

    keeps_slope: ClassVar[bool] = False
    bends: ClassVar[str]

    @abstractmethod
    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        """Return value, and slope and bend where they must be kept."""

    @abstractmethod
    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        """Return the slope from the value; ``None`` if it is 1 everywhere."""


class AbstractRatioForm(AbstractForm):
    """An activation whose bend follows from its value and its slope."""

    bends = "ratio"

    @abstractmethod
    def ratio(self, f: Functions, value: Value, kept_slope: Value | None) -> Value:
        """Return f''/f'."""


class _Identity(AbstractForm):
    bends = "never"

    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        return z, None, None

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        return None


class _Tanh(AbstractRatioForm):
    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        return f.tanh(z), None, None

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        return f.b.fma(f.b.negative(value), value, f.b.constant(1.0))

    def ratio(self, f: Functions, value: Value, kept_slope: Value | None) -> Value:
        return f.b.mul(value, f.b.constant(-2.0))


class _Sigmoid(AbstractRatioForm):
    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        return f.sigmoid(z), None, None

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        return f.b.fma(f.b.negative(value), value, value)

    def ratio(self, f: Functions, value: Value, kept_slope: Value | None) -> Value:
        return f.b.fma(value, f.b.constant(-2.0), f.b.constant(1.0))


class _Relu(AbstractForm):
    bends = "never"

    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        return f.b.at_least(z, f.b.constant(0.0)), None, None

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        b = f.b
        return b.select(b.less(b.constant(0.0), value), b.constant(1.0), b.constant(0.0))


class _LeakyRelu(AbstractForm):
    bends = "never"
    keeps_slope = True  # with slope 0 the value does not tell on which side it was

    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        b = f.b
        steepness = b.select(b.less(b.constant(0.0), z), b.constant(1.0), b.constant(slope))
        return b.mul(z, steepness), steepness, None

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        return None


class _Silu(AbstractForm):
    keeps_slope = True
    bends = "kept"

    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        b = f.b
        s = f.sigmoid(z)
        value = b.mul(z, s)
        other = b.sub(b.constant(1.0), s)
        steepness = b.fma(value, other, s)  # s + z s (1 - s)
        bend = b.mul(b.mul(s, other), b.fma(z, b.fma(s, b.constant(-2.0), b.constant(1.0)), b.constant(2.0)))
        return value, steepness, bend

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        return None


class _Gelu(AbstractForm):
    keeps_slope = True
    bends = "kept"

    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        b = f.b
        half = b.fma(f.erf(b.mul(z, b.constant(math.sqrt(0.5)))), b.constant(0.5), b.constant(0.5))
        bell = b.mul(f.exp(b.mul(b.mul(z, z), b.constant(-0.5))), b.constant(1.0 / math.sqrt(2.0 * math.pi)))
        steepness = b.fma(z, bell, half)
        bend = b.mul(bell, b.fma(b.negative(z), z, b.constant(2.0)))
        return b.mul(z, half), steepness, bend

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        return None


class _GeluTanh(AbstractForm):
    keeps_slope = True
    bends = "kept"

    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        b = f.b
        rate, cubic = math.sqrt(2.0 / math.pi), 0.044715  # Hendrycks and Gimpel 2016
        square = b.mul(z, z)
        t = f.tanh(b.mul(z, b.fma(square, b.constant(rate * cubic), b.constant(rate))))
        inner = b.fma(square, b.constant(3.0 * rate * cubic), b.constant(rate))  # slope of tanh's argument
        rise = b.mul(b.fma(b.negative(t), t, b.constant(1.0)), inner)  # slope of t
        half = b.fma(t, b.constant(0.5), b.constant(0.5))
        steepness = b.fma(b.mul(z, b.constant(0.5)), rise, half)
        turned = b.fma(
            b.mul(b.mul(t, inner), b.constant(-2.0)), rise, b.mul(b.mul(b.fma(b.negative(t), t, b.constant(1.0)), z), b.constant(6.0 * rate * cubic))
        )
        return b.mul(z, half), steepness, b.fma(b.mul(z, b.constant(0.5)), turned, rise)

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        return None


class _Softplus(AbstractRatioForm):
    keeps_slope = True
    linear_beyond: ClassVar = 20.0  # torch's threshold

    def forward(self, f: Functions, z: Value, slope: float) -> tuple[Value, Value | None, Value | None]:
        b = f.b
        zero, one = b.constant(0.0), b.constant(1.0)
        is_positive = b.less(zero, z)
        small = f.exp(b.select(is_positive, b.negative(z), z))
        value = b.add(b.at_least(z, zero), f.log_of_one_plus(small))
        steepness = b.div(b.select(is_positive, one, small), b.add(one, small))
        is_linear = b.less(b.constant(self.linear_beyond), z)
        return b.select(is_linear, z, value), b.select(is_linear, one, steepness), None

    def slope(self, f: Functions, value: Value, slope: float) -> Value | None:
        return None

    def ratio(self, f: Functions, value: Value, kept_slope: Value | None) -> Value:
        return f.b.sub(f.b.constant(1.0), kept_slope if kept_slope is not None else f.b.constant(1.0))


FORMS: dict[str, AbstractForm] = {
    "identity": _Identity(),
    "tanh": _Tanh(),
    "sigmoid": _Sigmoid(),
    "relu": _Relu(),
    "leaky_relu": _LeakyRelu(),
    "silu": _Silu(),
    "gelu": _Gelu(),
    "gelu_tanh": _GeluTanh(),
    "softplus": _Softplus(),
}
