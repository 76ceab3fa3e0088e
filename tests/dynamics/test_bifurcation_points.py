"""Changes along a diagram."""

import numpy as np
import pytest

from kazami.dynamics.bifurcation_points import bifurcation_points


def test_a_doubling_is_where_the_multipliers_pass_one():
    """Quadratic family near a doubling at 2: multipliers 1 - 3 d below and 1 - 6 d above."""
    values = np.array([1.90, 1.94, 1.98, 2.03, 2.07])
    motions = np.array([1, 1, 1, 2, 2])
    exponents = np.array([np.log(1 - 3 * abs(v - 2)) if v < 2 else np.log(1 - 6 * abs(v - 2)) / 2 for v in values])
    (point,) = bifurcation_points(values, motions, exponents)
    assert (point.kind, point.interval, point.before, point.after) == ("doubling", (1.98, 2.03), 1, 2)
    assert point.estimate == pytest.approx(2.0, abs=1e-12)


def test_undecided_columns_widen_the_interval():
    values, motions = np.arange(6.0), np.array([1, -2, -2, 2, 0, -1])
    points = bifurcation_points(values, motions, np.zeros(6))
    assert [(p.kind, p.low, p.high) for p in points] == [("doubling", 0.0, 3.0), ("chaos", 3.0, 4.0), ("lost", 4.0, 5.0)]
    assert all(p.low <= p.estimate <= p.high for p in points)


@pytest.mark.parametrize(
    ("pair", "kind"), [((0, 3), "window"), ((2, 1), "change"), ((3, 5), "change"), ((4, 0), "chaos"), ((0, -1), "lost"), ((-1, 1), "change")]
)
def test_kinds(pair, kind):
    (point,) = bifurcation_points(np.array([0.0, 1.0]), np.array(pair), np.array([-0.1, -0.1]))
    assert point.kind == kind
    assert point.sentence("en") != point.sentence("ja")
    assert point.to_dict()["kind"] == kind


def test_nothing_changes():
    assert bifurcation_points(np.arange(3.0), np.array([2, 2, 2]), np.zeros(3)) == ()
