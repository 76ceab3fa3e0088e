"""The computed properties behind one name each, for a function of the catalogue and for a user's own alike."""

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from .interval import Extreme, Interval
from .losses import GradientLoss, InformationLoss
from .profile import ScalarProfile
from .vectors import VectorProfile

NUMBERS = ("lipschitz", "derivative_max", "derivative_min", "at_zero", "mean", "second_moment", "slope_second_moment", "gain", "gradient_gain", "smoothness")
FACTS = ("monotone", "parity", "is_monotone", "is_smooth", "is_zero_centred", "is_backward_right", "kinks", "jumps")
ZONES = ("saturation", "dead_zones", "fixed_points")


class AbstractDescribed(ABC):
    """A function with its computed properties; each is computed on first use, in float64, and kept.

    What does not exist for a function is NaN or empty: slopes of gates and of softmax, which have :attr:`jacobian_norm_max` instead.
    """

    @property
    @abstractmethod
    def profile(self) -> ScalarProfile | VectorProfile:
        """Where the properties are computed."""

    @abstractmethod
    def function(self, x: Tensor) -> Tensor:
        """Return φ(x)."""

    def derivative(self, x: Tensor) -> Tensor:
        """Return φ'(x) for a scalar activation, elementwise, in the type of ``x``; at a kink the value that autograd takes."""
        line = self._scalar.line
        return torch.as_tensor(line.derivative(x.detach().double().reshape(-1).cpu().numpy()).reshape(x.shape)).to(x)

    @property
    def _scalar(self) -> ScalarProfile:
        from ...errors import UsageError

        if isinstance(self.profile, VectorProfile):
            raise UsageError("This activation takes several numbers at a time and has a Jacobian instead of a slope; see jacobian_norm_max.")
        return self.profile

    @property
    def range(self) -> Interval:
        """All values between the smallest and the largest; an end is closed where it is reached. For a vector, of one component."""
        return self.profile.range

    @property
    def derivative_maximum(self) -> Extreme:
        """The largest slope, where, and whether it is reached there; at a kink the one-sided slopes count."""
        return self.profile.derivative_maximum

    @property
    def derivative_minimum(self) -> Extreme:
        """The smallest slope, where, and whether it is reached there."""
        return self.profile.derivative_minimum

    @property
    def derivative_max(self) -> float:
        """Supremum of the slope."""
        return self.profile.derivative_max

    @property
    def derivative_min(self) -> float:
        """Infimum of the slope."""
        return self.profile.derivative_min

    @property
    def lipschitz(self) -> float:
        """The Lipschitz constant: the largest absolute slope, infinite with a jump; of a vector function the largest spectral norm of its Jacobian."""
        return self.profile.lipschitz

    @property
    def jacobian_norm_max(self) -> float:
        """Supremum of the spectral norm of the Jacobian; for a scalar activation its Lipschitz constant."""
        return self.profile.lipschitz

    @property
    def invariances(self) -> tuple[str, ...]:
        """Of a gate or vector: what leaves its output as it is, or moves it in a known way."""
        return self.profile.invariances if isinstance(self.profile, VectorProfile) else ()

    @property
    def saturation(self) -> tuple[Interval, ...]:
        """Intervals on which the slope is below 1 % of the largest, turning points included."""
        return self.profile.saturation

    @property
    def dead_zones(self) -> tuple[Interval, ...]:
        """Intervals on which the slope is exactly zero."""
        return self.profile.dead_zones

    @property
    def jumps(self) -> tuple[float, ...]:
        """Where the function jumps."""
        return self.profile.jumps

    @property
    def kinks(self) -> tuple[float, ...]:
        """Where the slope jumps."""
        return self.profile.kinks

    @property
    def smoothness(self) -> float:
        """How many continuous derivatives it has: −1 with jumps, 0 with kinks, 1, 2, ∞."""
        return self.profile.smoothness

    @property
    def is_smooth(self) -> bool:
        """Whether no jump was found up to the third derivative."""
        return self.profile.is_smooth

    @property
    def monotone(self) -> str:
        """``"strictly increasing"``, ``"increasing"``, ``"strictly decreasing"``, ``"decreasing"``, ``"constant"`` or ``"no"``."""
        return self.profile.monotone

    @property
    def is_monotone(self) -> bool:
        """Whether it never turns back."""
        return self.profile.is_monotone

    @property
    def parity(self) -> str:
        """``"odd"``, ``"even"`` or ``"neither"``."""
        return self.profile.parity

    @property
    def at_zero(self) -> float:
        """φ(0)."""
        return self.profile.at_zero

    @property
    def fixed_points(self) -> tuple[Interval, ...]:
        """All x with φ(x) = x."""
        return self.profile.fixed_points

    @property
    def mean(self) -> float:
        """E φ(z), z standard normal."""
        return self.profile.mean

    @property
    def is_zero_centred(self) -> bool:
        """Whether the outputs of standard normal inputs average to zero."""
        return self.profile.is_zero_centred

    @property
    def second_moment(self) -> float:
        """E φ(z)², z standard normal."""
        return self.profile.second_moment

    @property
    def slope_second_moment(self) -> float:
        """E φ'(z)², z standard normal."""
        return self.profile.slope_second_moment

    @property
    def gain(self) -> float:
        """1/sqrt(E φ(z)²): weights of standard deviation gain/sqrt(fan_in) keep the size of a signal."""
        return self.profile.gain

    @property
    def gradient_gain(self) -> float:
        """1/sqrt(E φ'(z)²): the gain that keeps the size of gradients."""
        return self.profile.gradient_gain

    @property
    def is_backward_right(self) -> bool:
        """Whether autograd's slope is that of the function: not so for straight-through estimators."""
        return self.profile.is_backward_right

    def information_loss(self, *, bits: int = 8, depth: int = 1) -> InformationLoss:
        """Return what is lost of a standard normal input read with ``bits`` binary places; see :mod:`.activation_losses`."""
        return self._scalar.information_loss(bits=bits, depth=depth)

    def gradient_loss(self, *, depth: int = 1, weight_variance: float = 1.0) -> GradientLoss:
        """Return by how many decades gradients fade through ``depth`` layers; see :mod:`.activation_losses`."""
        return self._scalar.gradient_loss(depth=depth, weight_variance=weight_variance)

    def computed(self) -> dict[str, Any]:
        """Return all computed properties as plain data: ±∞ as the strings ``"Infinity"`` and ``"-Infinity"``, what does not exist as ``None``."""
        found: dict[str, Any] = {"range": self.range.to_dict()}
        found |= {name: getattr(self, name) for name in (*NUMBERS, *FACTS)}
        if isinstance(self.profile, VectorProfile):
            found |= {"jacobian_norm_max": self.jacobian_norm_max, "invariances": list(self.invariances), "size": self.profile.size}
            return dict(plain(found))
        found |= {name: [piece.to_dict() for piece in getattr(self, name)] for name in ZONES}
        found |= {"derivative_maximum": self.derivative_maximum.to_dict(), "derivative_minimum": self.derivative_minimum.to_dict()}
        found |= {"information_loss": self.information_loss().to_dict(), "gradient_loss": self.gradient_loss().to_dict()}
        found["gradient_loss_of_10_layers"] = self.gradient_loss(depth=10).decades
        return dict(plain(found))


def plain(value: Any) -> Any:
    """Return data that strict JSON can hold: infinities as words, NaN as ``None``."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
