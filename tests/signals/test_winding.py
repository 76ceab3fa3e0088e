"""Winding of known paths: circles, spirals, and those that do not wind."""

import math

import numpy as np
import pytest

from kazami.signals.winding import winding


def spiral(period, growth, turns=4, *, dimensions=2, seed=0):
    """A spiral of known period and growth a turn, turned into ``dimensions`` dimensions by a random rotation."""
    t = np.arange(round(period * turns))
    flat = growth ** (t[:, None] / period) * np.stack([np.cos(2 * np.pi * t / period), np.sin(2 * np.pi * t / period)], 1)
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((dimensions, dimensions)))
    return flat @ basis[:2]


@pytest.mark.parametrize(("period", "growth"), [(12.0, 1.0), (31.4, 1.3), (25.0, 0.7)])
@pytest.mark.parametrize("dimensions", [2, 7])
def test_a_spiral_has_its_period_and_growth(period, growth, dimensions):
    found = winding(spiral(period, growth, dimensions=dimensions))
    assert found is not None
    assert found.period == pytest.approx(period, rel=0.06)
    assert found.growth == pytest.approx(growth, rel=0.15)
    assert found.turns == pytest.approx(4, abs=0.5)
    assert found.steadiness > 0.95
    assert found.flatness > 0.99
    assert found.loadings.sum() == pytest.approx(2.0)


def test_the_bilinear_game_turns_as_its_eigenvalues_say():
    """Simultaneous steps on f = xy have the eigenvalues 1 ± iη: modulus sqrt(1 + η²), angle atan(η)."""
    rate, points = 0.2, [(1.0, 0.5)]
    for _ in range(90):
        x, y = points[-1]
        points.append((x - rate * y, y + rate * x))
    found = winding(np.array(points))
    period = 2 * math.pi / math.atan(rate)
    assert found is not None
    assert found.period == pytest.approx(period, rel=0.05)
    assert found.growth == pytest.approx(math.sqrt(1 + rate**2) ** period, rel=0.15)


def test_random_walks_wind_less_than_twice():
    """Of a random walk in many dimensions the principal directions are cosines of half a period and of a whole one."""
    walks = [winding(np.cumsum(np.random.default_rng(seed).standard_normal((200, 12)), 0)) for seed in range(40)]
    assert all(found is None or found.turns < 2.0 or found.steadiness < 0.8 for found in walks)


@pytest.mark.parametrize("path", [np.zeros((40, 3)), np.ones((40, 3)), np.arange(120.0).reshape(40, 3), np.zeros((5, 2)), np.full((40, 2), np.nan)])
def test_what_does_not_move_off_its_line_has_none(path):
    assert winding(path) is None


def test_a_line_that_a_circle_lies_on_is_taken_out():
    circle = spiral(20.0, 1.0)
    drifting = circle + 0.02 * np.arange(len(circle))[:, None]
    found = winding(drifting)
    assert found is not None
    assert found.period == pytest.approx(20.0, rel=0.1)
