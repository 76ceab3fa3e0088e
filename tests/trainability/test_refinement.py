"""Refinement on pictures that are known in every pixel."""

import math

import numpy as np
import pytest

from kazami.trainability.refinement import Refined, computed_in_full, refined


def asked(picture):
    """Return a function that computes pixels of a picture, and the list of what it was asked."""
    calls = []

    def compute(rows, columns):
        calls.extend(zip(rows.tolist(), columns.tolist(), strict=True))
        return picture[rows, columns]

    return compute, calls


def disc(shape, centre, radius):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(y - centre[0], x - centre[1]) - radius


@pytest.mark.parametrize("shape", [(200, 200), (129, 77), (65, 64), (17, 40), (2, 2), (3, 50)])
def test_a_smooth_edge_is_found_whole(shape):
    picture = disc(shape, (shape[0] * 0.4, shape[1] * 0.55), 0.3 * min(shape)) - 0.25
    compute, calls = asked(picture)
    found = refined(shape, compute)
    assert ((found.values < 0) == (picture < 0)).all()
    assert np.array_equal(found.values[found.known], picture[found.known])
    assert len(calls) == len(set(calls)) == found.known.sum()  # no pixel twice
    assert found.miss_rate == 0.0 or found.interpolated == 0


def test_it_costs_far_less_than_every_pixel():
    picture = disc((512, 512), (200, 260), 140) - 0.25
    compute, calls = asked(picture)
    found = refined((512, 512), compute)
    assert len(calls) < 0.12 * picture.size
    assert found.interpolated == picture.size - found.known.sum()
    assert found.miss_bound() < 0.003


def test_what_is_filled_in_lies_between_its_corners():
    picture = np.add.outer(3.0 * np.arange(100), 2.0 * np.arange(100)) + 1.0
    found = refined((100, 100), asked(picture)[0])
    assert found.values == pytest.approx(picture, rel=1e-12)  # a plane is filled in exactly


def test_an_edge_is_followed_out_of_a_corner_of_the_coarse_grid():
    """A thin spiral that only one coarse cell sees: the rest must be found by following it."""
    y, x = np.mgrid[:200, :200] - 100.0
    angle = np.arctan2(y, x) % (2 * math.pi)
    picture = np.where(np.abs(np.hypot(x, y) - 10 - angle * 12) < 2.0, -1.0, 1.0)
    found = refined((200, 200), asked(picture)[0], share=0.0)
    assert ((found.values < 0) == (picture < 0)).mean() > 0.999


def test_islands_are_not_hidden():
    """Forty islands between the lines of the grid: the check finds some, and what it reports covers the truth."""
    generator = np.random.default_rng(5)
    picture = np.ones((400, 400))
    for row, column in generator.integers(5, 395, (40, 2)):
        picture[row - 2 : row + 3, column - 2 : column + 3] = -1.0
    found = refined((400, 400), asked(picture)[0], share=0.05)
    wrong = ((found.values < 0) != (picture < 0)) & ~found.known
    assert found.found + found.missed > 0
    assert wrong.sum() < 0.5 * (picture < 0).sum()
    assert wrong.sum() / found.interpolated <= found.miss_bound()


def test_the_bound_holds_as_often_as_it_says():
    """Random specks cannot be followed: the bound must cover their share in 95 of 100 maps."""
    held = 0
    for seed in range(60):
        picture = np.where(np.random.default_rng(seed).random((80, 80)) < 0.02, -1.0, 1.0)
        found = refined((80, 80), asked(picture)[0], share=0.02, seed=seed, coarse=64)
        wrong = ((found.values < 0) != (picture < 0)) & ~found.known
        held += found.interpolated == 0 or wrong.sum() / found.interpolated <= found.miss_bound()
    assert held >= 54  # P(fewer | 95 %) < 0.001


def test_without_a_check_nothing_is_promised():
    found = refined((64, 64), asked(np.ones((64, 64)))[0], share=0.0)
    assert math.isnan(found.miss_rate)
    assert found.miss_bound() == 1.0


def test_in_full():
    picture = np.arange(12.0).reshape(3, 4)
    found = computed_in_full((3, 4), asked(picture)[0])
    assert np.array_equal(found.values, picture)
    assert found.known.all()
    assert found.miss_bound() == 0.0


def test_an_interruption_leaves_gaps_and_ends():
    left = [30]

    def compute(rows, columns):
        found = np.full(len(rows), np.nan)
        count = min(left[0], len(rows))
        found[:count] = np.where((rows + columns) % 3, 1.0, -1.0)[:count]
        left[0] -= count
        return found

    found = refined((64, 64), compute)
    assert found.known.sum() == 30
    assert np.isnan(found.values).any()
    assert isinstance(found, Refined)
