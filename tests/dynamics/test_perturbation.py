"""Twin runs: right where they can be, and frank where they cannot."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from torch import nn

from kazami.dynamics import finite_perturbation_exponent
from kazami.dynamics.perturbation import best_window
from kazami.maps import CubicDescent, Logistic, Training

SHORT = {"steps": 60, "starts": range(6), "widths": range(25, 36, 5)}


def iris(rate: float) -> Training:
    """The setup of Danovski, Soriano and Lacasa 2024."""
    features, labels = load_iris(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(150)[:120]
    inputs, targets = torch.tensor(features[chosen]), torch.tensor(labels[chosen])

    def model() -> nn.Module:
        made = nn.Sequential(nn.Linear(4, 10), nn.Sigmoid(), nn.Linear(10, 3)).double()
        for layer in (made[0], made[2]):
            nn.init.normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        return made

    return Training(
        model=model, optimizer=lambda m: torch.optim.SGD(m.parameters(), rate), loss=nn.functional.cross_entropy, batches=lambda: [(inputs, targets)], steps=200
    )


def test_an_exactly_exponential_curve_is_read_exactly():
    curve = 1e-8 * np.exp(0.2 * np.arange(100))
    slope, r2, window = best_window(curve, [(0, 30), (5, 40)])
    assert slope == pytest.approx(0.2)
    assert r2 == pytest.approx(1.0)
    assert window in [(0, 30), (5, 40)]


def test_curves_that_say_nothing_keep_nothing():
    assert best_window(np.zeros(50), [(0, 30)])[1] == 0.0
    assert best_window(np.full(50, np.nan), [(0, 30)])[1] == 0.0
    assert best_window(np.ones(50), [(0, 30)])[1] == 0.0


def test_agrees_with_the_tangent_exponent_where_the_perturbation_is_tiny():
    found = finite_perturbation_exponent(Logistic(), 1e-15, **SHORT)
    assert found.value == pytest.approx(math.log(2), abs=0.05)
    assert found.details["null_kept_fraction"] == 0.0


def test_a_large_perturbation_saturates_and_says_so():
    found = finite_perturbation_exponent(Logistic(), 1e-6, least_r2=0.5, **SHORT)
    assert found.value < 0.65
    assert any("saturation" in text for text in found.warnings)


def test_quiet_motion_has_no_exponent_of_this_kind():
    found = finite_perturbation_exponent(CubicDescent(a=0.5), 1e-8, initialisations=3, **SHORT)
    assert math.isnan(found.value)
    assert found.details["kept_fraction"] == 0.0
    assert any("no exponent" in text for text in found.warnings)


def test_no_window_fits_into_too_few_steps():
    with pytest.raises(ValueError, match="ends at 30"):
        finite_perturbation_exponent(Logistic(), steps=20)


def test_a_small_sample_of_the_published_experiment():
    found = finite_perturbation_exponent(iris(1.0), 1e-8, initialisations=12)
    assert 0.2 < found.value < 0.45
    assert found.details["distances"][:, 0] == pytest.approx(np.full(12, 0.5 * 70 * 1e-8), rel=0.15)


@pytest.mark.slow
def test_the_published_experiment():
    """0.27 ± 0.05 at 1e-8, falling from about 0.34 to about 0.07 over twelve decades of epsilon (arXiv 2404.05782)."""
    values = [finite_perturbation_exponent(iris(1.0), epsilon, initialisations=100) for epsilon in (1e-14, 1e-8, 1e-2)]
    assert values[1].value == pytest.approx(0.27, abs=0.05)
    assert 0.8 < values[1].details["kept_fraction"] < 0.95
    assert values[0].value > values[1].value > values[2].value
    assert values[2].value == pytest.approx(0.07, abs=0.02)
