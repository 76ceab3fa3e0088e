"""Ceilings and floors: what is counted against closed forms and against torch, what is measured against what its micro-kernels compute."""

import numpy as np
import pytest

from kazami.errors import UnknownName
from kazami.kernels import Descent, Layer, Network
from kazami.kernels import ceilings as measured
from kazami.kernels._machine import aligned, compile_program
from kazami.kernels.ceilings import ROWS, UNROLLED, Ceilings, Counts, ceilings, counts_of

DEEP = Network((Layer(5, 7, activation="gelu"), Layer(7, 6, activation="tanh"), Layer(6, 2, activation="tanh")), loss="mse")


def test_counts_of_a_deep_network_layer_by_layer():
    forward = [35, 42, 12]
    plain = sum(forward) + sum(forward) + sum(forward[1:])  # values, gradients of weights, gradients of inputs
    tangent = (sum(forward) + sum(forward[1:])) + 2 * sum(forward[1:]) + (sum(forward) + sum(forward[1:]))
    found = counts_of(DEEP, Descent(rule="adam"), 10, 8, n_tangents=3)
    assert found.fma == 10 * (plain + 3 * tangent)
    assert found.functions == {"gelu": 70, "tanh": 80}
    assert found.bytes == 2 * 8 * DEEP.n_parameters * 3 * 4


def test_the_floor_is_the_sum_of_the_arithmetic_or_the_bytes():
    limits = Ceilings("float32", 2.0, {"exp": 4.0, "log": 8.0}, 1.0)
    assert limits.seconds(Counts(2.0, {"exp": 4.0, "log": 16.0}, 1.0)) == 1.0 + 1.0 + 2.0
    assert limits.seconds(Counts(2.0, {}, 100.0)) == 100.0
    with pytest.raises(UnknownName, match="log"):
        limits.seconds(Counts(1.0, {"lag": 1.0}))


def test_the_micro_kernel_of_products_really_multiplies_and_adds():
    pytest.importorskip("llvmlite")
    chains, times = 4, 3
    code = compile_program(measured._products(np.dtype(np.float64), chains))
    x, y = aligned((ROWS, code.lanes), np.float64), aligned((3 * ROWS, code.lanes), np.float64)
    x[:chains], x[chains], x[chains + 1] = np.arange(chains)[:, None], 0.5, 3.0
    code(0, 1, {"times": times}, {"x": x, "y": y})
    wanted = np.arange(chains, dtype=float)
    for _ in range(times * UNROLLED):
        wanted = 0.5 * wanted + 3.0
    np.testing.assert_array_equal(y[:chains], np.broadcast_to(wanted[:, None], (chains, code.lanes)))


@pytest.mark.parametrize(("name", "truth"), [("tanh", np.tanh), ("exp", np.exp), ("log", np.log), ("relu", lambda x: np.maximum(x, 0.0))])
def test_the_micro_kernel_of_a_function_computes_it_on_every_row(name, truth):
    pytest.importorskip("llvmlite")
    code = compile_program(measured._applied(np.dtype(np.float64), measured._written(name)))
    x, y = aligned((ROWS, code.lanes), np.float64), aligned((3 * ROWS, code.lanes), np.float64)
    x[:] = np.random.default_rng(0).uniform(0.1, 2.0, x.shape)
    code(0, 1, {"times": 2}, {"x": x, "y": y})
    np.testing.assert_allclose(y[:ROWS], truth(x), rtol=1e-14)


def test_time_is_counted_once_for_each_operation(monkeypatch):
    """A clock on which every round takes a second gives one round's operations as the rate."""
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(measured, "_timed", lambda code, times, buffers: float(times))
    found = ceilings("float32", ["tanh"])
    lanes = compile_program(measured._applied(np.dtype(np.float32), measured._shifted)).lanes
    assert found.functions["tanh"] == ROWS * lanes
    assert found.bytes == 2 * 4 * ROWS * lanes
    assert found.fma % (UNROLLED * lanes) == 0
    assert found.fma >= 4 * UNROLLED * lanes


def test_an_unknown_function_is_named():
    pytest.importorskip("llvmlite")
    with pytest.raises(UnknownName, match="tanh"):
        ceilings("float32", ["tanhh"])
