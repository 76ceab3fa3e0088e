"""Formulas are read as Python's own arithmetic reads them, and nothing else is ever run."""

import math

import numpy as np
import pytest

from kazami.derivatives import parse_formula
from kazami.errors import UsageError

POINTS = np.linspace(0.1, 2, 7)


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("sin(3*x) + 0.2*x**2", lambda x: math.sin(3 * x) + 0.2 * x**2),
        ("-x^2", lambda x: -(x**2)),
        ("2^-x", lambda x: 2**-x),
        ("exp(-x) * cos(pi*x) / (1 + abs(x))", lambda x: math.exp(-x) * math.cos(math.pi * x) / (1 + abs(x))),
        ("log(x) + sqrt(x) - tanh(x) + e", lambda x: math.log(x) + math.sqrt(x) - math.tanh(x) + math.e),
        ("+x - -x", lambda x: 2 * x),
        ("7", lambda x: 7.0),
    ],
)
def test_values(text, function):
    np.testing.assert_allclose(parse_formula(text)(POINTS), [function(x) for x in POINTS], rtol=1e-14)


def test_several_variables_are_columns_in_order():
    formula = parse_formula("x2 - 10*x1")
    assert formula.variables == ("x1", "x2")
    np.testing.assert_array_equal(formula([[1.0, 2.0], [3.0, 4.0]]), [-8.0, -26.0])
    assert parse_formula("x3").variables == ("x1", "x2", "x3")
    with pytest.raises(UsageError, match=r"\(points, 2\)"):
        formula([1.0, 2.0])


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "x.__class__", "open('f')", "lambda: 1", "[x for x in (1,)]", "x if x else 1", "x and 1", "x == 1", "x[0]", "'a'",
        "True", "x, x", "sin(x, x)", "sin(x=1)", "sin()", "sin", "x1 + x", "y", "x0", "x12", "1e999", "", "   ", "(", "x +", "x" * 600, "1j*x", "x // 2",
        "x % 2", "~1", "f'{x}'", "(" * 90 + "x" + ")" * 90 + "+" + "-" * 90 + "x", "import os", "sin(*[x])", "...", "x := 1",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text):
    with pytest.raises(UsageError):
        parse_formula(text)


def test_a_misspelt_function_gets_the_closest_one():
    with pytest.raises(UsageError, match=r"Did you mean sqrt\?"):
        parse_formula("sqrtt(x)")


def test_huge_powers_end_at_once():
    assert parse_formula("9**9**9**9")([0.0])[0] == math.inf


def test_outside_the_domain_is_not_a_number():
    assert math.isnan(parse_formula("log(x)")([-1.0])[0])
    assert math.isnan(parse_formula("(-x)**0.5")([1.0])[0])
