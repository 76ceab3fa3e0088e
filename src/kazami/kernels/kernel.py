"""Thousands of small trainings, each member in a lane of the machine's vectors."""

import os
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..errors import UsageError
from ._course import Course, Recipe
from ._generator import training_program
from ._given import Chosen, Data, Settings, settings_rows, target_rows
from ._machine import Host
from ._plan import Plan
from ._records import KernelRun, Records
from .machines import AbstractCode, AbstractMachine
from .network import Descent, Network

HOST = Host()


class Kernel:
    """A training of the MLP family, compiled for a machine; get one from `compiled`.

    Limits:
        Members are blocks of as many lanes as the widest vector has: fewer members than lanes leave lanes idle.
    """

    def __init__(self, network: Network, descent: Descent, dtype: np.dtype, n_tangents: int, machine: AbstractMachine) -> None:
        """Nothing is compiled yet: that waits for the size of the batches."""
        self.network, self.descent, self.dtype, self.n_tangents = network, descent, np.dtype(dtype), n_tangents
        self.machine = machine
        self._codes: dict[Plan, AbstractCode] = {}

    @property
    def dimension(self) -> int:
        """Coordinates of the phase space: parameters, then the optimizer's memory slot after slot."""
        return self.network.n_parameters * (1 + self.descent.n_slots)

    def code(self, batch: int) -> tuple[Plan, AbstractCode]:
        """Return the tiles and the machine code for batches of about ``batch`` samples, compiled on first use."""
        plan = self.machine.plan(self.network, self.descent, self.dtype.itemsize, self.n_tangents, batch)
        if plan not in self._codes:
            program = training_program(self.network, self.descent, self.dtype, self.n_tangents, plan)
            self._codes[plan] = self.machine.compile(program, plan)
        return plan, self._codes[plan]

    def run(
        self,
        parameters: np.ndarray,
        inputs: np.ndarray,
        targets: np.ndarray,
        steps: int,
        *,
        settings: Settings,
        memory: np.ndarray | None = None,
        start: int = 0,
        batches: np.ndarray | None = None,
        indices: np.ndarray | None = None,
        factors: np.ndarray | None = None,
        weight: float | np.ndarray = 1.0,
        record_every: int = 1,
        mean_of_last: int = 0,
        deviation: np.ndarray | None = None,
        orthonormalise_every: int = 1,
        threads: int | None = None,
        should_stop: Callable[[], bool] | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> KernelRun:
        """Train all members for ``steps`` steps.

        The same members, states and steps give the same bits however the steps are cut into runs (with deviation vectors: into runs of whole windows) and
        whatever else is in the ensemble. A member whose loss is NaN is retired: a NaN in the loss is one in every weight of the last layer after the step.

        Args:
            parameters: Shape ``(members, n_parameters)``.
            inputs: Samples, shape ``(samples, n_inputs)``.
            targets: Class numbers, shape ``(samples,)``, or outputs, shape ``(samples, n_outputs)``.
            steps: Optimizer steps.
            settings: By name a number, or an array of shape ``(members,)`` or ``(members or 1, groups)``.
            memory: The optimizer's, shape ``(members, slots * n_parameters)``; zeros by default.
            start: Number of steps taken before.
            batches: First sample and number of samples of each step's batch, shape ``(steps, 2)``; all samples by default.
            indices: Instead of ``batches``: the samples of each step's batch, shape ``(steps, batch)``.
            factors: Of the learning rate in each step, shape ``(steps,)`` or ``(steps, groups)``.
            weight: A factor of the loss, which is the mean over the batch (and outputs): a number, or one for each step.
            record_every: After how many steps a loss is kept; 0: none.
            mean_of_last: How many of the last losses are averaged.
            deviation: Deviation vectors, shape ``(members, k, dimension)``.
            orthonormalise_every: Steps of a window, at whose end they are made orthonormal; also after the last step.
            threads: As many as this process may use by default.
            progress: Told as often how many steps were taken.
            should_stop: Asked every tenth of a second or so; a run that is stopped tells how far it came.

        Raises:
            UsageError: A shape does not fit, or nothing can be compiled here.
        """
        ensemble = np.ascontiguousarray(parameters)
        samples = np.asarray(inputs).reshape(len(inputs), -1)
        self._check(ensemble, samples, memory, deviation)
        rows, numbers = target_rows(self.network, targets, len(samples)), settings_rows(self.network, self.descent, settings, len(ensemble))
        chosen = Chosen(steps, len(samples), batches, indices)
        data = Data(self.network, self.dtype, samples, rows, chosen, factors=factors, start=start, weight=weight)
        records = Records(len(ensemble), steps, start, record_every, mean_of_last, self.dtype)
        state = self._state(ensemble, memory, deviation)
        recipe = Recipe(self.network, self.descent, self.n_tangents, *self.code(data.largest), self.machine.workers)
        course = Course(recipe, data, numbers, records, start=start, every=orthonormalise_every, threads=_threads(threads))
        done = course.go(state, steps, should_stop, progress)
        return self._result(state, records, done)

    def _check(self, parameters: np.ndarray, inputs: np.ndarray, memory: np.ndarray | None, deviation: np.ndarray | None) -> None:
        n, dimension = len(parameters), self.dimension
        wanted = (
            ("parameters", np.shape(parameters), (n, self.network.n_parameters)),
            ("inputs", inputs.shape, (len(inputs), self.network.n_inputs)),
            ("memory", None if memory is None else np.shape(memory), (n, dimension - self.network.n_parameters)),
            ("deviation", None if deviation is None else np.shape(deviation), (n, self.n_tangents, dimension)),
        )
        for name, found, right in wanted:
            if found is not None and found != right:
                raise UsageError(f"{name} should have the shape {right}, but its shape is {found}.")
        if self.n_tangents and deviation is None:
            raise UsageError(f"This kernel carries {self.n_tangents} deviation vectors: give deviation=, shape {(n, self.n_tangents, dimension)}.")
        if not n or not len(inputs):
            raise UsageError("A run should have at least one member and one sample.")

    def _state(self, parameters: np.ndarray, memory: np.ndarray | None, deviation: np.ndarray | None) -> np.ndarray:
        """Return one row for each member: parameters, memory, deviation vectors."""
        found = np.zeros((len(parameters), self.dimension * (1 + self.n_tangents)), self.dtype)
        found[:, : self.network.n_parameters] = parameters
        if memory is not None:
            found[:, self.network.n_parameters : self.dimension] = memory
        if deviation is not None:
            found[:, self.dimension :] = np.asarray(deviation).reshape(len(parameters), -1)
        return found

    def _result(self, state: np.ndarray, records: Records, done: int) -> KernelRun:
        n, size = self.network.n_parameters, self.dimension
        deviation = state[:, size:].reshape(len(state), self.n_tangents, size) if self.n_tangents else None
        growth = np.concatenate(records.growth) if records.growth else None
        return KernelRun(state[:, :n].copy(), state[:, n:size].copy(), records.losses, records.mean(done), records.first_bad, done, deviation, growth)


@lru_cache(maxsize=32)
def compiled(network: Network, descent: Descent, dtype: str = "float64", n_tangents: int = 0, machine: AbstractMachine = HOST) -> Kernel:
    """Return the kernel of a network and an optimizer; the same one whenever it is asked for again.

    Args:
        network: What is trained.
        descent: The optimizer's rule.
        dtype: ``"float64"`` or ``"float32"``.
        n_tangents: How many deviation vectors go along.
        machine: What runs it; by default the cores of this machine.

    Raises:
        UsageError: Nothing can be compiled here, or the precision is another one.

    Example:
        >>> from kazami.kernels import Descent, Layer, Network
        >>> line = compiled(Network((Layer(1, 1, bias=False),)), Descent())  # loss (w - 0)^2, so w shrinks by 1 - 2 * 0.1
        >>> run = line.run(np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 1)), 2, settings={"learning_rate": 0.1})
        >>> [round(float(number), 12) for number in (*run.losses[:, 0], run.parameters[0, 0])]
        [1.0, 0.64, 0.64]
    """
    reason = machine.why_not()
    if reason is not None:
        raise UsageError(f"Kernels should be compiled, but {reason}")
    if dtype not in ("float32", "float64"):
        raise UsageError(f"Kernels run in float32 or float64, not in {dtype}.")
    return Kernel(network, descent, np.dtype(dtype), n_tangents, machine)


def _threads(asked: int | None) -> int:
    if asked is not None:
        return max(1, asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
