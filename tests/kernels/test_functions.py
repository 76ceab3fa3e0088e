"""Our own elementary functions against mpmath: to the last bits, everywhere."""

import mpmath
import numpy as np
import pytest

from kazami.kernels._functions import Functions
from kazami.kernels._machine import aligned, compile_program
from kazami.kernels._numpy import numpy_function
from kazami.kernels._program import Builder

pytest.importorskip("llvmlite")
SPECIAL = [0.0, -0.0, 1e-40, 1e-300, 3e38, -3e38, np.inf, -np.inf, np.nan]
EXACT = {
    "exp": (mpmath.exp, lambda x: np.abs(x) < 80),
    "tanh": (mpmath.tanh, lambda x: np.abs(x) < 1e30),
    "sigmoid": (lambda v: 1 / (1 + mpmath.exp(-v)), lambda x: (x > -80) & (x < 1e30)),
    "log": (mpmath.log, lambda x: (x > 1e-37) & (x < 1e30)),
    "log_of_one_plus": (mpmath.log1p, lambda x: (x >= 0) & (x <= 1)),
    "erf": (mpmath.erf, lambda x: np.abs(x) < 1e30),
}


def program_of(name, dtype):
    """Return a program that applies one function to a row."""
    b = Builder(np.dtype(dtype))
    b.buffer("x", "rows", 1)
    b.buffer("y", "rows", 1)
    b.store("y", 0, getattr(Functions(b), name)(b.load("x", 0)))
    return b.program()


def applied(name, x):
    """Return the function of ``x``, by machine code."""
    code = compile_program(program_of(name, x.dtype))
    n_blocks = -(-len(x) // code.lanes)
    given, found = (aligned((n_blocks, code.lanes), x.dtype) for _ in range(2))
    given.reshape(-1)[: len(x)] = x
    code(0, n_blocks, {}, {"x": given, "y": found})
    return found.reshape(-1)[: len(x)]


def numbers(dtype):
    """Return numbers of all sizes and both signs, densely around 0 and 1, and special ones."""
    rng = np.random.default_rng(0)
    sizes = [rng.normal(size=300) * size for size in (1e-30, 1e-8, 1e-3, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0)]
    with np.errstate(over="ignore"):
        return np.concatenate([*sizes, 1.0 + 1e-3 * rng.normal(size=100), SPECIAL]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_right_to_two_roundings(name, dtype):
    x = numbers(dtype)
    found = applied(name, x)
    exact, inside = EXACT[name]
    where = np.flatnonzero(inside(x) & np.isfinite(x))
    assert len(where) > 100
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
    with mpmath.workprec(120):
        for index in where:
            wanted = exact(mpmath.mpf(float(x[index])))
            error = abs(mpmath.mpf(float(found[index])) - wanted)
            assert error <= 2 * eps * max(abs(wanted), tiny), (x[index], found[index], wanted)


@pytest.mark.parametrize("name", EXACT)
def test_nan_stays_and_infinity_does_no_harm(name):
    x = np.array([np.nan, np.inf, -np.inf, -np.nan], np.float32)
    found = applied(name, x)
    assert np.isnan(found[[0, 3]]).all()
    limits = {"exp": (None, 0.0), "tanh": (1.0, -1.0), "sigmoid": (1.0, 0.0), "erf": (1.0, -1.0)}.get(name, (None, None))
    for value, limit in zip(found[1:3], limits, strict=True):
        assert limit is None or abs(value - limit) < 1e-37


@pytest.mark.parametrize("name", EXACT)
def test_the_twin_computes_the_same(name):
    x = numbers(np.float64)[:-3]
    y = np.empty((1, len(x)))
    numpy_function(program_of(name, np.float64))(x[None], y)
    inside = EXACT[name][1](x)
    np.testing.assert_allclose(y[0, inside], applied(name, x)[inside], rtol=2e-15, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saturated_tanh_is_one_and_flat(dtype):
    x = np.concatenate([np.linspace(20.0, 60.0, 160), np.geomspace(60.0, 1e30, 160)]).astype(dtype)
    found = applied("tanh", np.concatenate([x, -x]))
    assert np.array_equal(found, np.repeat(np.array([1.0, -1.0], dtype), len(x)))  # else 1 - tanh² times a large input is a slope that is not there
