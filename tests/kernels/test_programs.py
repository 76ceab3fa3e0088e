"""One program, two printers: the machine code does what the NumPy twin does, tiled or written out."""

import numpy as np
import pytest

from kazami.kernels import Descent, Layer, Network
from kazami.kernels._generator import scratch_rows, training_program
from kazami.kernels._machine import aligned, compile_program, host_target
from kazami.kernels._numpy import numpy_function
from kazami.kernels._plan import Plan, plan_for
from tests.kernels.reference import task

pytest.importorskip("llvmlite")
NETWORK = Network((Layer(3, 4, activation="tanh"), Layer(4, 2, group=(1, 0))), loss="cross_entropy")


def buffers_for(network, descent, plan, n_tangents, lanes, *, steps=6, n_samples=11, seed=0):
    """Return the buffers of one block of lanes, and the whole numbers, by name."""
    rng = np.random.default_rng(seed)
    inputs, targets = task(network, n_samples + 16)
    dimension = network.n_parameters * (1 + descent.n_slots)
    shapes = {
        "state": (dimension * (1 + n_tangents), lanes),
        "settings": (descent.n_rows * network.n_groups, lanes),
        "clock": (steps * network.n_groups * 2, lanes),
        "losses": (steps, lanes),
        "norms": (max(1, steps * n_tangents), lanes),
        "scratch": (scratch_rows(network, n_tangents, plan), lanes),
    }
    found = {name: aligned(shape, np.float64) for name, shape in shapes.items()}
    found["state"][:] = rng.normal(size=shapes["state"]) * 0.5
    found["state"][network.n_parameters : dimension] = rng.random((dimension - network.n_parameters, lanes))
    found["settings"][:] = 0.05 + 0.2 * rng.random(shapes["settings"])
    found["clock"][:] = 1.0 + rng.random(shapes["clock"])
    found["inputs"] = aligned(inputs.shape, np.float64)
    found["inputs"][:] = inputs
    found["targets"] = aligned((len(inputs), network.n_outputs), np.float64)
    found["targets"][:] = np.eye(network.n_outputs)[targets] if targets.ndim == 1 else targets
    found["table"] = aligned((steps, 3 + network.n_groups), np.float64)
    found["table"][:] = [1 / 7, 1 / 7, 1.0, *([0.9] * network.n_groups)]
    found["ranges"] = aligned((steps, 2), np.int64)
    found["ranges"][:] = [[0, 7], [2, 9]] * (steps // 2)
    wholes = {"steps": 2, "windows": steps // 2, "closes": 1, "clock_rows": 0, "loss_rows": 0, "norm_rows": 0}
    return found, wholes


@pytest.mark.parametrize("descent", [Descent(momentum=True, nesterov=True, weight_decay="coupled"), Descent("adam", weight_decay="decoupled")], ids=str)
@pytest.mark.parametrize("n_tangents", [0, 2])
def test_machine_code_and_twin_agree(descent, n_tangents):
    target = host_target(8)
    tiled = plan_for(NETWORK, target.width // 8, target.registers, 9)
    results = []
    for plan in (tiled, Plan(1, 20, unrolled=True)):
        program = training_program(NETWORK, descent, np.dtype(np.float64), n_tangents, plan)
        for run in ("machine", "twin"):
            buffers, wholes = buffers_for(NETWORK, descent, plan, n_tangents, target.lanes)
            if run == "machine":
                compile_program(program)(0, 1, wholes, buffers)
            else:
                numpy_function(program)(*(wholes[name] for name in program.wholes), *(buffers[name] for name in program.buffers))
            results.append(buffers)
    for other in results[1:]:
        for name in ("state", "losses", "norms"):
            np.testing.assert_allclose(other[name], results[0][name], rtol=1e-9, atol=1e-12)


def test_written_out_programs_know_every_place_beforehand():
    """What a printer for Triton needs: rows of state and scratch are named by constants, so that they may be variables."""
    program = training_program(NETWORK, Descent(momentum=True), np.dtype(np.float32), 0, Plan(1, 20, unrolled=True))
    places, loops = [], []

    def walk(body):
        for statement in body:
            if hasattr(statement, "body"):
                loops.append(statement)
                walk(statement.body)
            elif hasattr(statement, "buffer"):
                places.append((statement.buffer, statement.place))
            elif statement.operation == "load":
                places.append((statement.data, statement.arguments[0]))

    walk(program.body)
    assert len(places) > 100
    assert {buffer for buffer, place in places if place.terms} == {"losses"}
    assert len(loops) == 3  # windows, steps, samples
