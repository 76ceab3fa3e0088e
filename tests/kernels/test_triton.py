"""The Triton source of a program: executed as printed, it does what the other printers' code does; Triton itself takes it, where it is installed."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from kazami.kernels import Descent, Layer, Network, why_not
from kazami.kernels._generator import training_program
from kazami.kernels._machine import aligned, compile_program, host_target
from kazami.kernels._numpy import numpy_function
from kazami.kernels._plan import Plan
from kazami.kernels.device import LANES, REGISTERS, device_plan, device_text, held_numbers
from tests.kernels import on_triton
from tests.kernels.reference import ACTIVATIONS
from tests.kernels.stand_in import module
from tests.kernels.test_programs import NETWORK, buffers_for

HELD, IN_MEMORY = Plan(1, 4, unrolled=True), Plan(4, 16, is_parallel=True)
DESCENTS = [Descent(momentum=True, nesterov=True, weight_decay="coupled"), Descent("adam", weight_decay="decoupled")]
needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed here")


def executed(program, plan, buffers, wholes, n_blocks=1):
    """Execute the printed source as it stands on ``buffers``."""
    triton = module()
    names = {"tl": triton.language}
    exec(device_text(program, plan), names)
    triton.jit(names["train"])[(n_blocks,)](*(buffers[name] for name in program.buffers), *(wholes[name] for name in program.wholes))
    return buffers


@pytest.mark.parametrize("plan", [HELD, IN_MEMORY], ids=["held", "in memory"])
@pytest.mark.parametrize("descent", DESCENTS, ids=str)
@pytest.mark.parametrize("n_tangents", [0, 2])
def test_the_printed_source_does_what_the_twin_does(plan, descent, n_tangents):
    program = training_program(NETWORK, descent, np.dtype(np.float64), n_tangents, plan)
    expected, wholes = buffers_for(NETWORK, descent, plan, n_tangents, LANES)
    numpy_function(program)(*(wholes[name] for name in program.wholes), *(expected[name] for name in program.buffers))
    found = executed(program, plan, buffers_for(NETWORK, descent, plan, n_tangents, LANES)[0], wholes)
    before = buffers_for(NETWORK, descent, plan, n_tangents, LANES)[0]
    for name in ("state", "losses", "norms"):
        assert np.array_equal(found[name], expected[name])
    assert not np.array_equal(found["state"], before["state"])


@pytest.mark.skipif(why_not() is not None, reason="llvmlite is not installed here")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_printed_source_does_what_machine_code_does(activation):
    network = Network((Layer(3, 4, activation=activation, slope=0.2, gain=1.5), Layer(4, 2, bias=False, scale=0.5)))
    program, lanes = training_program(network, Descent(), np.dtype(np.float64), 1, HELD), host_target(8).lanes
    found, wholes = buffers_for(network, Descent(), HELD, 1, LANES)
    parts = [in_lanes(found, slice(begin, begin + lanes)) for begin in range(0, LANES, lanes)]
    executed(program, HELD, found, wholes)
    code = compile_program(program)
    for number, part in enumerate(parts):
        code(0, 1, wholes, part)
        for name in ("state", "losses", "norms"):
            np.testing.assert_allclose(found[name][:, number * lanes : (number + 1) * lanes], part[name], rtol=1e-11, atol=1e-13)


def in_lanes(buffers, columns):
    """Return copies of buffers with some columns of those that have one for each lane."""
    found = {}
    for name, rows in buffers.items():
        chosen = rows if name in ("inputs", "targets", "table", "ranges") else rows[:, columns]
        found[name] = aligned(chosen.shape, chosen.dtype)
        found[name][:] = chosen
    return found


@pytest.mark.parametrize("plan", [HELD, IN_MEMORY], ids=["held", "in memory"])
def test_blocks_do_not_touch_one_another(plan):
    program = training_program(NETWORK, Descent(), np.dtype(np.float64), 0, plan)
    one, wholes = buffers_for(NETWORK, Descent(), plan, 0, LANES)
    other, _ = buffers_for(NETWORK, Descent(), plan, 0, LANES, seed=1)
    shared = ("inputs", "targets", "table", "ranges")
    both = {name: rows if name in shared else np.stack([rows, other[name]]) for name, rows in one.items()}
    several = {**wholes, **{f"{name}_rows": len(one[buffer]) for name, buffer in (("clock", "clock"), ("loss", "losses"), ("norm", "norms"))}}
    executed(program, plan, both, several, n_blocks=2)
    for number, alone in enumerate((one, other)):
        executed(program, plan, alone, wholes)
        for name in ("state", "losses"):
            assert np.array_equal(both[name][number], alone[name])
    assert not np.array_equal(both["state"][0], both["state"][1])


def test_what_is_not_finite_stays_in_its_lane():
    program = training_program(NETWORK, Descent(), np.dtype(np.float64), 0, HELD)
    calm, wholes = buffers_for(NETWORK, Descent(), HELD, 0, LANES)
    wild = {name: rows.copy() for name, rows in calm.items()}
    wild["state"][18, 3], wild["state"][18, 9] = np.nan, np.inf  # of the last layer: a tanh would saturate
    for buffers in (calm, wild):
        executed(program, HELD, buffers, wholes)
    others = [lane for lane in range(LANES) if lane not in (3, 9)]
    assert np.isnan(wild["losses"][:, 3]).all()
    assert not np.isfinite(wild["losses"][-1, 9])
    for name in ("state", "losses"):
        assert np.array_equal(wild[name][:, others], calm[name][:, others])
        assert np.isfinite(calm[name]).all()


def test_float32_keeps_its_own_width():
    program = training_program(NETWORK, Descent(), np.dtype(np.float32), 0, HELD)
    text = device_text(program, HELD)
    assert "float64" not in text
    assert text.count("tl.int64") == 1  # the number of the block


def test_small_networks_are_held_in_registers_and_others_lie_in_memory():
    small, large = on_triton.iris("tanh"), Network((Layer(64, 64, activation="tanh"), Layer(64, 1)))
    assert held_numbers(small, Descent(), 0) < REGISTERS
    plan = device_plan(small, Descent(), 4, 0, 150)
    assert plan.unrolled
    assert "tl.load(state + 2624)" in device_text(training_program(small, Descent(), np.dtype(np.float32), 0, plan), plan)
    beyond = device_plan(large, Descent(), 4, 0, 150)
    assert beyond.is_parallel
    assert not beyond.unrolled
    assert beyond.samples > 1
    assert held_numbers(small, Descent("adam"), 2) > 4 * held_numbers(small, Descent(), 0)


def on_triton_says(what, *more, **variables):
    """Return what a Python of its own found out."""
    command = [sys.executable, "-m", "tests.kernels.on_triton", what, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables}, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@needs_triton
def test_tritons_own_interpreter_does_what_the_twin_does():
    found = on_triton_says("interpret", TRITON_INTERPRET="1")
    assert len(found) == 8
    assert max(found.values()) < 1e-12


@pytest.mark.slow
@needs_triton
def test_compiled_for_a_card_the_small_network_stays_in_registers(tmp_path):
    found = on_triton_says("compile", "iris tanh float32", TRITON_CACHE_DIR=str(tmp_path))["iris tanh float32"]
    assert found["stack"] == found["shared"] == 0  # no thread waits for another, or reads what it wrote
    assert found["reg"] <= REGISTERS
    assert found["from_stack"] == found["to_stack"] == 0
    assert found["fma"] > on_triton.iris("tanh").products_per_sample  # the whole pass of one sample is in the loop, and nothing calls a library
