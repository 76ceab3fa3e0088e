"""The pixels of a map handed to a runner in parts, with progress, and an end at Ctrl-C that keeps what is done."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name
from ._base import AbstractRunner, Floats
from .problem import Problem
from .window import Window

Progress = Callable[[int, int], None]
Integers = NDArray[np.int64]

PARTS = 64  # at least so many parts a map has, so that progress is seen and Ctrl-C is heard


def chosen_runner(problem: Problem, dtype: str, engine: str = "auto") -> tuple[AbstractRunner, str]:
    """Return what trains the pixels, and one sentence on why.

    Args:
        problem: What is trained.
        dtype: ``"float32"`` or ``"float64"``.
        engine: ``"auto"``, ``"kernels"`` or ``"reference"``.

    Raises:
        UnknownName: There is no such engine, or no such precision.
        UsageError: The engine asked for cannot run this problem.
    """
    from .kernels import Kernels
    from .reference import Reference

    if dtype not in ("float32", "float64"):
        raise unknown_name("precision", dtype, ("float32", "float64"))
    runners: dict[str, AbstractRunner] = {runner.name: runner for runner in (Kernels(), Reference())}
    if engine != "auto":
        if engine not in runners:
            raise unknown_name("engine", engine, ("auto", *runners))
        reason = runners[engine].refusal(problem, dtype)
        if reason is not None:
            raise UsageError(f"The engine {engine} cannot run this map: {reason} Ask for engine='auto'.")
        return runners[engine], f"{engine}, as asked for."
    said = ""
    for name, runner in runners.items():
        reason = runner.refusal(problem, dtype)
        if reason is None:
            return runner, f"{name}.{said}"
        said += f" Not {name}: {reason}"
    raise UsageError(f"No engine can run this map:{said}")


class Computer:
    """Computes pixels of one problem, wherever they are, until it is interrupted; from then on pixels are NaN.

    Args:
        problem: What is trained.
        runner: What trains.
        dtype: Precision.
        progress: Called with the number of pixels done, and how many are asked for so far.
    """

    def __init__(self, problem: Problem, runner: AbstractRunner, dtype: str, progress: Progress | None = None) -> None:
        """Begin with nothing done."""
        self._problem, self._runner, self._dtype, self._progress = problem, runner, dtype, progress
        self.is_interrupted = False
        self.done = 0
        self.asked = 0
        self.retired = 0

    def values(self, settings: Floats) -> Floats:
        """Return the paper's measure of pixels with these settings, shape ``(pixels, 3)``; NaN for those not reached before Ctrl-C."""
        found = np.full(len(settings), np.nan)
        if self.is_interrupted:
            return found
        self.asked += len(settings)
        size = max(-(-len(settings) // PARTS), self._runner.part)
        try:
            for start in range(0, len(settings), size):
                sums = self._runner.run(self._problem, settings[start : start + size], self._dtype)
                found[start : start + size] = sums.values()
                self.done += len(sums.total)
                self.retired += int((sums.stopped_at >= 0).sum())
                if self._progress is not None:
                    self._progress(self.done, self.asked)
        except KeyboardInterrupt:
            self.is_interrupted = True
        return found

    def on_grid(self, x: Floats, y: Floats, window: Window) -> Callable[[Integers, Integers], Floats]:
        """Return a function of rows and columns of pixels on the grid of ``x`` and ``y``."""
        return lambda rows, columns: self.values(window.settings(x[columns], y[rows]))
