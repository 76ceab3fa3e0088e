"""Plasticity rules as maps, against what linear algebra says about them."""

import numpy as np
import pytest
import torch

from kazami.dynamics import lyapunov_spectrum
from kazami.errors import UnknownName
from kazami.maps import PlasticityMap
from tests.maps.properties import assert_round_trips, assert_stacks, assert_tangents_are_differences

INPUTS = torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * torch.tensor([1.5, 1.0, 0.7, 0.4])
MOMENTS = np.sort(np.linalg.eigvalsh((INPUTS.T @ INPUTS / 50).numpy()))[::-1]


@pytest.mark.parametrize("rule", ["hebb", "oja", "subspace"])
@pytest.mark.parametrize("batch", [None, 20])
def test_conforms(rule, batch):
    m = PlasticityMap(INPUTS, rule, learning_rate=0.05, n_neurons=2, batch=batch)
    assert m.is_deterministic()
    assert_round_trips(m)
    m.step(4)
    assert_tangents_are_differences(m)
    assert_stacks(m)


def test_hebbs_exponents_are_those_of_the_moments():
    found = lyapunov_spectrum(PlasticityMap(INPUTS, "hebb", learning_rate=0.05), steps=200, transient=400)
    assert found.value == pytest.approx(np.log(1 + 0.05 * MOMENTS), abs=1e-6)


def test_ojas_rule_ends_at_the_principal_axis_with_the_exponents_of_theory():
    m = PlasticityMap(INPUTS, "oja", learning_rate=0.05)
    m.step(3000)
    principal = np.linalg.eigh((INPUTS.T @ INPUTS).numpy())[1][:, -1]
    assert abs(float(m.current_state().numpy() @ principal)) == pytest.approx(1.0, abs=1e-9)
    expected = np.log(np.abs(np.concatenate([[1 - 2 * 0.05 * MOMENTS[0]], 1 + 0.05 * (MOMENTS[1:] - MOMENTS[0])])))
    assert lyapunov_spectrum(m, steps=200, transient=400).value == pytest.approx(np.sort(expected)[::-1], abs=1e-4)


def test_what_is_unknown_is_refused():
    with pytest.raises(UnknownName, match="plasticity rule"):
        PlasticityMap(INPUTS, "ojas")
    with pytest.raises(ValueError, match=r"\(samples, features\)"):
        PlasticityMap(INPUTS[0])
