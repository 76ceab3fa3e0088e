"""Norm of the gradient the optimizer consumed."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment


class GradientNorm(AbstractObservable):
    """Euclidean norm of ∂L/∂W, exact, as the optimizer saw it (averaged over ranks, unscaled, clipped)."""

    name: ClassVar = "gradient_norm"
    unit: ClassVar = "loss per weight"
    moment: ClassVar[Moment] = "before_step"

    def measure(self, sight: Sight) -> float:
        """Return the norm, NaN where no gradient arrived."""
        return sight.gradient_norm
