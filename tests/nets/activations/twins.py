"""Every scalar activation a second time, written down from its definition for mpmath, with its kinks; the truth that the catalogue is held against."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp

mp.mp.dps = 30


@dataclass(frozen=True)
class Twin:
    """A definition and where it is not smooth."""

    formula: Callable[[Any], Any]
    kinks: tuple[float, ...] = ()

    def slope(self, x: Any) -> Any:
        """The derivative, to about 20 digits, from the side away from the nearest kink."""
        side = next(((1 if x > kink else -1) for kink in self.kinks if abs(x - kink) < mp.mpf("0.01")), 0)
        return mp.diff(self.formula, x, direction=side)

    def mean(self, of: Callable[[Any], Any]) -> Any:
        """E of(z), z standard normal, with the integral split at the kinks."""
        cuts = sorted({mp.mpf(cut) for cut in (-14, -9, -6, -4, -2, -1, 0, 1, 2, 4, 6, 9, 14, *self.kinks)})
        return mp.quad(lambda z: of(z) * mp.npdf(z), cuts)


def leaky(slope: str) -> Callable[[Any], Any]:
    """A ReLU with a leak."""
    return lambda x: x if x > 0 else mp.mpf(slope) * x


def clipped(x: Any, low: int, high: int) -> Any:
    """x between two bounds."""
    return min(mp.mpf(high), max(mp.mpf(low), x))


def elu(x: Any, alpha: Any = 1) -> Any:
    """The exponential linear unit."""
    return x if x > 0 else alpha * mp.expm1(x)


def sigmoid(x: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + mp.exp(-x))


# Klambauer et al. 2017, equation 14: the two constants that make mean 0 and variance 1 a fixed point, in closed form.
_ALPHA = -mp.sqrt(2 / mp.pi) / (mp.erfc(1 / mp.sqrt(2)) * mp.exp(mp.mpf(1) / 2) - 1)
_LAMBDA = (1 - mp.erfc(1 / mp.sqrt(2)) * mp.sqrt(mp.e)) * mp.sqrt(2 * mp.pi)
_LAMBDA /= mp.sqrt(
    2 * mp.erfc(mp.sqrt(2)) * mp.e**2 + mp.pi * mp.erfc(1 / mp.sqrt(2)) ** 2 * mp.e - 2 * (2 + mp.pi) * mp.erfc(1 / mp.sqrt(2)) * mp.sqrt(mp.e) + mp.pi + 2
)
SELU = (_LAMBDA, _ALPHA)

TWINS = {
    "step": Twin(lambda x: mp.mpf(x >= 0), (0,)),
    "sign": Twin(lambda x: mp.mpf(mp.sign(x)), (0,)),
    "identity": Twin(lambda x: x),
    "sigmoid": Twin(sigmoid),
    "hard_sigmoid": Twin(lambda x: clipped(x / mp.mpf(6) + mp.mpf(1) / 2, 0, 1), (-3, 3)),
    "tanh": Twin(mp.tanh),
    "hard_tanh": Twin(lambda x: clipped(x, -1, 1), (-1, 1)),
    "relu": Twin(leaky("0"), (0,)),
    "leaky_relu": Twin(leaky("0.01"), (0,)),
    "prelu": Twin(leaky("0.25"), (0,)),
    "relu6": Twin(lambda x: clipped(x, 0, 6), (0, 6)),
    "elu": Twin(elu, (0,)),
    "celu": Twin(elu, (0,)),
    "selu": Twin(lambda x: _LAMBDA * elu(x, _ALPHA), (0,)),
    "softplus": Twin(lambda x: mp.log1p(mp.exp(x))),
    "softsign": Twin(lambda x: x / (1 + abs(x)), (0,)),
    "silu": Twin(lambda x: x * sigmoid(x)),
    "hard_swish": Twin(lambda x: x * clipped(x + 3, 0, 6) / 6, (-3, 3)),
    "mish": Twin(lambda x: x * mp.tanh(mp.log1p(mp.exp(x)))),
    "gelu": Twin(lambda x: x * mp.ncdf(x)),
    "gelu_tanh": Twin(lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)))),
    "quick_gelu": Twin(lambda x: x * sigmoid(mp.mpf("1.702") * x)),
    "log_sigmoid": Twin(lambda x: -mp.log1p(mp.exp(-x))),
    "tanh_shrink": Twin(lambda x: x - mp.tanh(x)),
    "soft_shrink": Twin(lambda x: mp.sign(x) * max(abs(x) - mp.mpf("0.5"), mp.mpf(0)), (-0.5, 0.5)),
}
