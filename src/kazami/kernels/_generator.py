"""From network and optimizer to a program: many steps of one block of lanes, with or without deviation vectors."""

from functools import lru_cache

import numpy as np

from ._gram_schmidt import orthonormalise
from ._passes import Group, Passes
from ._plan import Plan
from ._program import Builder, Place, Program, Value
from ._rules import TABLE, Rules
from ._tangents import Tangents
from .network import Descent, Network


def training_program(network: Network, descent: Descent, dtype: np.dtype, n_tangents: int, plan: Plan) -> Program:
    """Return the program: ``windows`` times ``steps`` steps, each window closed by a Gram–Schmidt where ``closes`` is 1.

    Its buffers: ``state`` (parameters, slots, then the same for each deviation vector), ``settings`` (by group), ``clock`` (Adam's corrections by step and
    group), ``losses`` (one row a step), ``norms`` (one row for each deviation vector and window), ``scratch``; ``inputs`` and ``targets`` (sample by
    sample), ``table`` (scales and factors by step); ``ranges`` (begin and count of each step's batch).
    """
    builder = Builder(dtype, unrolled=plan.unrolled)
    passes = Passes(builder, network, plan, n_tangents)
    rules = Rules(builder, network, descent, passes.scratch, n_tangents)
    _declare(builder, network, descent, rules.dimension * (1 + n_tangents), passes.scratch.rows if plan.is_parallel else 0)
    steps, windows, closes = builder.whole("steps"), builder.whole("windows"), builder.whole("closes")
    for window, _ in builder.rounds(windows):
        begin = builder.product_whole(window, steps)
        for number, _ in builder.rounds(steps):
            _step(passes, rules, begin + number, n_tangents)
        if n_tangents:
            for _ in builder.rounds(closes):
                orthonormalise(builder, n_tangents, rules.dimension, rules.dimension, window * n_tangents)
    return builder.program()


@lru_cache(maxsize=64)
def scratch_rows(network: Network, n_tangents: int, plan: Plan) -> int:
    """Return how many rows of scratch memory the program needs."""
    return Passes(Builder(np.dtype(np.float64)), network, plan, n_tangents).scratch.rows


def _declare(builder: Builder, network: Network, descent: Descent, n_rows: int, own_scratch: int) -> None:
    builder.buffer("state", "rows", n_rows)
    builder.buffer("settings", "rows", descent.n_rows * network.n_groups)
    builder.buffer("clock", "rows", "clock_rows")
    builder.buffer("losses", "rows", "loss_rows")
    builder.buffer("norms", "rows", "norm_rows")
    for name in ("clock_rows", "loss_rows", "norm_rows"):
        builder.whole(name)
    builder.buffer("scratch", "rows", own_scratch)
    builder.buffer("inputs", "shared")
    builder.buffer("targets", "shared")
    builder.buffer("table", "shared")
    builder.buffer("ranges", "whole")


def _step(passes: Passes, rules: Rules, time: Place, n_tangents: int) -> None:
    b, samples = passes.b, passes.plan.samples
    n_cleared = passes.network.n_parameters * (1 + n_tangents)
    for row, _ in b.rounds(n_cleared):
        b.store("scratch", row + passes.scratch.gradient, passes.zero)
    begin, count = b.load_whole("ranges", time * 2), b.load_whole("ranges", time * 2 + 1)
    rounds = b.rounds(b.tiles(count, samples), [passes.zero])
    for number, (total,) in rounds:
        left = count + number * -samples
        group = Group(begin + number * samples, Place(1) if samples == 1 else b.smaller_whole(Place(samples), left))
        rounds.go_on([_group(passes, rules, group, total, n_tangents)])
    b.store("losses", time, b.mul(rounds.last[0], rules.table(time, TABLE.index("loss_scale"))))
    rules.update(time)


def _group(passes: Passes, rules: Rules, group: Group, total: Value, n_tangents: int) -> Value:
    n_layers = len(passes.network.layers)
    for index in range(n_layers):
        passes.forward(index, group)
    total = passes.losses(group, total)
    for index in range(n_layers - 1, -1, -1):
        passes.gradient(index, group)
        if index:
            passes.backward(index, group)
    if n_tangents:
        tangents = Tangents(passes, rules.dimension)
        for tangent, _ in passes.b.rounds(n_tangents, unroll=n_tangents == 1):
            tangents.write(tangent, group)
    return total
