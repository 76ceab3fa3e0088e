"""What kernels run on: something that makes machine code of a program. The cores of this machine are one, a graphics card another."""

from abc import ABC, abstractmethod

import numpy as np

from ._plan import Plan
from ._program import Program
from .network import Descent, Network

__all__ = ["AbstractCode", "AbstractMachine", "Plan", "Program"]


class AbstractCode(ABC):
    """One program as machine code.

    Attributes:
        program: What was compiled.
        lanes: Numbers in one row.
    """

    program: Program
    lanes: int

    @abstractmethod
    def __call__(self, first: int, end: int, wholes: dict[str, int], buffers: dict[str, np.ndarray]) -> None:
        """Compute blocks of lanes from ``first`` to before ``end``.

        Args:
            first: First block.
            end: Behind the last one.
            wholes: The program's run-time integers.
            buffers: Its buffers; those of rows have the shape ``(blocks, rows, lanes)``, scratch memory ``(rows, lanes)``.
        """


class AbstractMachine(ABC):
    """Makes machine code; two machines that are equal make the same."""

    @property
    @abstractmethod
    def workers(self) -> int | None:
        """How many blocks of lanes one call computes at the same time; ``None`` where each thread of the caller computes its own."""

    @abstractmethod
    def why_not(self) -> str | None:
        """Return why nothing can be compiled; ``None`` if it can."""

    @abstractmethod
    def lanes(self, itemsize: int) -> int:
        """Return how many numbers of ``itemsize`` bytes are side by side."""

    @abstractmethod
    def plan(self, network: Network, descent: Descent, itemsize: int, n_tangents: int, batch: int) -> Plan:
        """Return how a program for batches of about ``batch`` samples is cut."""

    @abstractmethod
    def compile(self, program: Program, plan: Plan) -> AbstractCode:
        """Return machine code for ``program``, which was generated with ``plan``.

        Raises:
            UsageError: It cannot be compiled.
        """
