"""How fast a core of this machine can be at best: ceilings measured by micro-kernels, and the floor that they compose for a step."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import unknown_name
from ._activations import FORMS
from ._functions import Functions
from ._machine import Compiled, aligned, compile_program, host_target
from ._program import Builder, Place, Program, Value
from .network import Descent, Network

ROWS = 64  # of a micro-kernel: with its results below any first-level cache
UNROLLED = 4  # rounds written out, so that counting them costs nothing
RUN_SECONDS, REPEATS = 3e-3, 7
PLAIN = ("exp", "log")  # functions of a loss, besides the activations


@dataclass(frozen=True, slots=True)
class Counts:
    """What one step of one member cannot do without.

    Attributes:
        fma: Multiplications with addition, in its products.
        functions: Evaluations by name of the activation, or ``exp`` and ``log``.
        bytes: Read and written: its state, once in and once out.
    """

    fma: float
    functions: Mapping[str, float] = field(default_factory=dict)
    bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What one core reached, each alone, in a second.

    Attributes:
        dtype: ``"float32"`` or ``"float64"``.
        fma: Multiplications with addition, all operands in registers.
        functions: Evaluations by name, arguments and values in the nearest cache.
        bytes: Read plus written, in the nearest cache.
    """

    dtype: str
    fma: float
    functions: Mapping[str, float]
    bytes: float

    def seconds(self, counts: Counts) -> float:
        r"""Return the floor: the time in which a core could do what is counted, if everything else were free.

        .. math:: \max\Bigl(\frac{n_{fma}}{r_{fma}} + \sum_g \frac{n_g}{r_g},\; \frac{bytes}{r_{bytes}}\Bigr)

        Products and functions need the same units of a core, so their times add up; bytes move beside them.

        Raises:
            UnknownName: A function was not measured.

        Example:
            >>> Ceilings("float32", 1e9, {"tanh": 1e8}, 1e10).seconds(Counts(2e9, {"tanh": 1e8}, 4e10))
            4.0
        """
        for name in counts.functions:
            if name not in self.functions:
                raise unknown_name("measured function", name, self.functions)
        arithmetic = counts.fma / self.fma + sum(number / self.functions[name] for name, number in counts.functions.items())
        return max(arithmetic, counts.bytes / self.bytes)


def counts_of(network: Network, descent: Descent, batch: int, itemsize: int, n_tangents: int = 0) -> Counts:
    r"""Return what a step of a network of the family cannot do without.

    With :math:`w` weights, :math:`f` of them in the first layer, the step has :math:`3 w - f` products for each sample and each deviation vector
    :math:`6 w - 4 f`; the functions' values serve both.

    Args:
        network: What is trained.
        descent: The optimizer's rule; its memory is part of the state.
        batch: Samples of a step.
        itemsize: Bytes of a number.
        n_tangents: How many deviation vectors go along.

    Example:
        >>> from kazami.kernels import Layer
        >>> iris = Network((Layer(4, 10, activation="tanh"), Layer(10, 3)), loss="cross_entropy")
        >>> found = counts_of(iris, Descent(), 150, 4, n_tangents=1)
        >>> found.fma == 150 * (170 + 260), found.functions["tanh"], found.functions["exp"], found.functions["log"]
        (True, 1500, 450, 150)
    """
    weights, first = sum(layer.n_weights for layer in network.layers), network.layers[0].n_weights
    functions: dict[str, float] = {}
    for layer in network.layers:
        if layer.activation != "identity":
            functions[layer.activation] = functions.get(layer.activation, 0) + batch * layer.n_outputs
    if network.loss == "cross_entropy":
        functions |= {"exp": batch * network.n_outputs, "log": batch}
    state = network.n_parameters * (1 + descent.n_slots) * (1 + n_tangents)
    return Counts(batch * (3 * weights - first + n_tangents * (6 * weights - 4 * first)), functions, 2 * itemsize * state)


def ceilings(dtype: str, functions: Iterable[str] = ()) -> Ceilings:
    """Measure what one core can do now; some tens of milliseconds for each.

    Args:
        dtype: ``"float32"`` or ``"float64"``.
        functions: Names of activations, and ``exp`` or ``log``.

    Raises:
        UsageError: Nothing can be compiled here.
        UnknownName: There is no such function.

    Limits:
        The best of several runs, of one core while the others do what they do: on a machine that is busy, or that clocks down, all of it is less. Functions
        are the kernels' own; a library with better ones would have a lower floor.
    """
    kind = np.dtype(dtype)
    lanes, registers = host_target(kind.itemsize).lanes, host_target(kind.itemsize).registers
    chains = min(16, registers - 4)  # independent sums: more than the delay of an fma times how many begin in a cycle
    fma = lanes * _rate(_products(kind, chains), chains * UNROLLED)
    moved = 2 * kind.itemsize * lanes * _rate(_applied(kind, _shifted), ROWS)
    return Ceilings(dtype, fma, {name: lanes * _rate(_applied(kind, _written(name)), ROWS) for name in dict.fromkeys(functions)}, moved)


def _products(kind: np.dtype, chains: int) -> Program:
    """Return ``times`` rounds of x <- a x + b in independent chains."""
    b = Builder(kind)
    x = b.buffer("x", "rows")
    b.buffer("y", "rows")
    factor, summand = b.load(x, chains), b.load(x, chains + 1)
    rounds = b.rounds(b.whole("times"), [b.load(x, chain) for chain in range(chains)])
    for _, carried in rounds:
        values = list(carried)
        for _ in range(UNROLLED):
            values = [b.fma(value, factor, summand) for value in values]
        rounds.go_on(values)
    for chain, value in enumerate(rounds.last):
        b.store("y", chain, value)
    return b.program()


def _applied(kind: np.dtype, write: Callable[[Functions, Value], list[Value]]) -> Program:
    """Return ``times`` rounds over rows in the cache: load, compute, store."""
    b = Builder(kind)
    b.buffer("x", "rows")
    b.buffer("y", "rows")
    functions = Functions(b)
    for _ in b.rounds(b.whole("times")):
        for number, _ in b.rounds(ROWS // UNROLLED):
            _written_out(b, [number * UNROLLED + part for part in range(UNROLLED)], lambda x: write(functions, x))
    return b.program()


def _written_out(b: Builder, rows: list[Place], write: Callable[[Value], list[Value]]) -> None:
    for row in rows:
        for place, value in enumerate(write(b.load("x", row))):
            b.store("y", row + place * ROWS, value)


def _shifted(functions: Functions, x: Value) -> list[Value]:
    return [functions.b.add(x, functions.b.constant(1.0))]


def _written(name: str) -> Callable[[Functions, Value], list[Value]]:
    """Return what writes a function into a program, with all that the backward pass needs of it."""
    if name in PLAIN:
        return lambda functions, x: [getattr(functions, name)(x)]
    if name not in FORMS:
        raise unknown_name("function", name, (*FORMS, *PLAIN))
    return lambda functions, x: [value for value in FORMS[name].forward(functions, x, 0.01) if value is not None]


def _rate(program: Program, operations: int) -> float:
    """Return how many vector operations a second the best of several runs did, ``operations`` in each of ``times`` rounds."""
    code = compile_program(program)
    x, y = aligned((ROWS, code.lanes), program.dtype), aligned((3 * ROWS, code.lanes), program.dtype)
    x[:] = np.linspace(0.25, 0.75, x.size).reshape(x.shape)  # products converge, logarithms exist
    buffers = {"x": x, "y": y}
    times, taken = 64, 0.0
    while taken < RUN_SECONDS:
        times *= 2
        taken = _timed(code, times, buffers)
    return operations * times / min(taken, *(_timed(code, times, buffers) for _ in range(REPEATS - 1)))


def _timed(code: Compiled, times: int, buffers: dict[str, np.ndarray]) -> float:
    """Return the time of this thread alone: what others do to the machine is not counted."""
    began = time.thread_time()
    code(0, 1, {"times": times}, buffers)
    return time.thread_time() - began
