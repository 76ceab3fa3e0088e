"""The values of factors: grids, points, zipped factors, and what is refused."""

import numpy as np
import pytest

from kazami.errors import UsageError
from kazami.sweeps.choices import cells, label_of, linear, log, random, sobol, values_of, zipped


def test_grids_hit_their_ends():
    assert log(1e-3, 1.0, 4) == pytest.approx([1e-3, 1e-2, 1e-1, 1.0])
    assert linear(0.0, 1.0, 5) == (0.0, 0.25, 0.5, 0.75, 1.0)


def test_a_grid_has_every_combination_once():
    found = cells([{"a": [1, 2, 3], "b": "xy", "c": range(2)}])
    assert len(found) == 6
    assert len({tuple(cell.values()) for cell in found}) == 6


def test_sobol_points_are_spread_better_than_random_ones_and_stay_together():
    def emptiness(make):
        found = cells([{"a": make(0.0, 1.0, 64), "b": make(0.0, 1.0, 64)}])
        assert len(found) == 64
        counts, _, _ = np.histogram2d([cell["a"] for cell in found], [cell["b"] for cell in found], bins=8, range=[[0, 1], [0, 1]])
        return int((counts == 0).sum())

    assert emptiness(sobol) == 0  # 64 points of a (0, 6, 2)-net: one in each of 8 × 8 cells
    assert emptiness(random) > 5


def test_drawn_values_are_the_same_twice_and_others_with_another_seed():
    first, second, other = (cells([{"a": random(1e-3, 1.0, 9, scale="log", seed=seed)}]) for seed in (0, 0, 1))
    assert first == second != other
    assert all(1e-3 <= cell["a"] <= 1.0 for cell in first)


def test_whole_numbers_reach_both_ends():
    found = {cell["width"] for cell in cells([{"width": random(2, 4, 60, whole=True)}])}
    assert found == {2, 3, 4}


def test_zipped_factors_are_crossed_with_the_others_only():
    found = cells([zipped(width=[8, 16], learning_rate=[0.1, 0.05]), {"seed": [0, 1]}])
    assert [(cell["width"], cell["learning_rate"], cell["seed"]) for cell in found] == [(8, 0.1, 0), (8, 0.1, 1), (16, 0.05, 0), (16, 0.05, 1)]


def test_values_become_plain_python():
    assert values_of("a", np.float32([0.5, 1.0])) == (0.5, 1.0)
    assert [type(value) for value in values_of("a", np.arange(2))] == [int, int]
    assert values_of("a", "relu") == ("relu",)
    assert values_of("betas", [[0.9, 0.99], [0.8, 0.9]]) == ((0.9, 0.99), (0.8, 0.9))


def test_lambdas_are_named_by_their_line():
    assert label_of(lambda: None).startswith("lambda, line ")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: values_of("a", []), "at least one value"),
        (lambda: values_of("a", [1.0, float("nan")]), "NaN"),
        (lambda: values_of("a", [1, 2, 1]), "1 comes twice"),
        (lambda: values_of("a", np.ones((2, 2))), r"shape \(2, 2\)"),
        (lambda: cells([{}]), "at least one factor"),
        (lambda: cells([{"a": [1]}, zipped(a=[2])]), "a is named twice"),
        (lambda: zipped(a=[1, 2], b=[1]), "a has 2, b has 1"),
        (lambda: log(0.0, 1.0, 3), "above zero"),
        (lambda: linear(1.0, 0.0, 3), "rising order"),
        (lambda: sobol(0.0, 1.0, 0), "count is 0"),
        (lambda: sobol(0.0, 1.0, 4, scale="cubic"), "scale"),
        (lambda: cells([{"a": range(10_000), "b": range(10_000)}]), "100,000,000"),
    ],
)
def test_what_is_no_choice_is_refused(make, said):
    with pytest.raises(UsageError, match=said):
        make()


@pytest.mark.parametrize("asked", [lambda: values_of("seed", range(10**12)), lambda: log(0.1, 1.0, 10**12), lambda: sobol(0.1, 1.0, 10**12)])
def test_too_many_values_are_refused_before_they_are_laid_out(asked):
    with pytest.raises(UsageError, match="at most 10,000,000 members, but these factors make 1,000,000,000,000"):
        asked()
