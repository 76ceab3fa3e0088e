"""What runs the pixels of a map: it takes their settings and returns what decides their colour."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .problem import Problem

Floats = NDArray[np.float64]

CLIP = 1e6  # a loss this many times the first, or one that is no number, counts as this


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    r"""What is kept of a pixel's losses :math:`v_t = L_t / L_0`, clipped at :math:`10^6`, :math:`t = 0 \dots T - 1`.

    Attributes:
        total: :math:`\sum v_t`, shape ``(pixels,)``.
        inverse: :math:`\sum 1 / v_t`.
        tail: Mean of the last 20 :math:`v_t`.
        stopped_at: First step from which on no loss is finite any more; -1 where the last one is.
    """

    total: Floats
    inverse: Floats
    tail: Floats
    stopped_at: NDArray[np.int64]

    def values(self) -> Floats:
        r"""Return the paper's measure: :math:`-\sum v_t` where the mean of the last 20 is below 1, else :math:`\sum 1 / v_t`."""
        return np.where(self.tail < 1.0, -self.total, self.inverse)


class AbstractRunner(ABC):
    """A way to train pixels.

    Class attributes:
        name: What users call it.
        part: How many pixels at a time are worth its while.
    """

    name: ClassVar[str]
    part: ClassVar[int]

    @abstractmethod
    def refusal(self, problem: Problem, dtype: str) -> str | None:
        """Return why it cannot run ``problem``; ``None`` if it can."""

    @abstractmethod
    def run(self, problem: Problem, settings: Floats, dtype: str, *, is_retiring: bool = True) -> Sums:
        r"""Train every pixel.

        Args:
            problem: What is trained.
            settings: Learning rates of both layers and weight offset, shape ``(pixels, 3)``.
            dtype: ``"float32"`` or ``"float64"``.
            is_retiring: Stop a pixel as soon as an output weight is no longer finite. That is exact: such a weight stays so
                (:math:`\pm\infty - g` and NaN :math:`- g` are never finite), and :math:`h \cdot \infty` is never finite either, so that no output of any point,
                and no later loss, is finite again. Nothing less will do: an infinite loss may come back (ReLU units die), and an infinite weight of the *first*
                layer only saturates a tanh.
        """
