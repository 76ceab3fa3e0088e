"""What holds for every activation: its numbers agree with mpmath, its texts are there, and its module is the same function."""

import json
import math

import mpmath as mp
import numpy as np
import pytest
import torch
from torch import nn

from kazami.nets.activations._base import AbstractActivation
from kazami.nets.catalogue.entries import Activation, activation, all_activations
from kazami.nets.catalogue.recognition import recognise
from kazami.registry import plugins

from .twins import TWINS

ALL = [one.name for one in all_activations()]
SCALAR = [one.name for one in all_activations() if one.kind == "scalar"]
POINTS = (-12.3, -5.1, -2.9, -1.7, -0.6, -0.31, 0.2, 0.77, 1.3, 2.4, 4.9, 7.7)


def test_every_scalar_activation_has_a_twin_and_every_file_an_activation():
    assert set(TWINS) == set(SCALAR)
    assert len(ALL) == len(plugins("kazami.nets.activations", AbstractActivation)) == len(set(ALL))


@pytest.mark.parametrize("name", SCALAR)
def test_formula_and_module_are_the_function_that_mpmath_computes(name):
    expected = torch.tensor([float(TWINS[name].formula(mp.mpf(x))) for x in POINTS], dtype=torch.float64)
    x = torch.tensor(POINTS, dtype=torch.float64)
    one = activation(name)
    torch.testing.assert_close(one.function(x), expected, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(one.module().double()(x), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", SCALAR)
def test_slope_is_the_derivative_that_mpmath_computes(name):
    expected = [float(TWINS[name].slope(mp.mpf(x))) for x in POINTS]
    np.testing.assert_allclose(activation(name).derivative(torch.tensor(POINTS, dtype=torch.float64)), expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", SCALAR)
def test_extreme_slopes_are_those_of_mpmath(name):
    """No slope on a fine grid, or on either side of a kink, goes beyond the extremes; and each extreme is a slope at the place it names."""
    one, twin = activation(name), TWINS[name]
    grid = [mp.mpf(k) / 10 + mp.mpf("0.0123") for k in range(-90, 90, 3)]
    beside = [mp.mpf(kink) + side * mp.mpf("1e-9") for kink in twin.kinks for side in (-1, 1)]
    slopes = [float(twin.slope(x)) for x in grid + beside]
    assert max(slopes) <= one.derivative_max + 1e-12
    assert min(slopes) >= one.derivative_min - 1e-12
    for extreme, sign in ((one.derivative_maximum, 1), (one.derivative_minimum, -1)):
        near = [max(min(at, 1e6), -1e6) for at in extreme.at]
        values = [float(twin.slope(mp.mpf(x) + side * mp.mpf("1e-12"))) for x in near for side in (-1, 1)]
        assert sign * max(sign * value for value in values) == pytest.approx(extreme.value, abs=1e-10)


@pytest.mark.parametrize("name", SCALAR)
def test_moments_and_gains_are_the_integrals_that_mpmath_computes(name):
    one, twin = activation(name), TWINS[name]
    mean, second = twin.mean(twin.formula), twin.mean(lambda z: twin.formula(z) ** 2)
    assert one.mean == pytest.approx(float(mean), rel=1e-12, abs=1e-14)
    assert one.second_moment == pytest.approx(float(second), rel=1e-12)
    assert one.gain == pytest.approx(float(1 / mp.sqrt(second)), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCALAR)
def test_slope_moment_is_the_integral_that_mpmath_computes(name):
    one, twin = activation(name), TWINS[name]
    with mp.workdps(20):
        second = float(twin.mean(lambda z: twin.slope(z) ** 2))
    assert one.slope_second_moment == pytest.approx(second, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("name", SCALAR)
def test_values_stay_in_the_range_and_reach_its_closed_ends(name):
    one, twin = activation(name), TWINS[name]
    values = [twin.formula(mp.mpf(x)) for x in (*POINTS, -40, 40, -0.75, -1.28, -1.5, -1.19)]
    low, high = one.range
    assert all(low - 1e-12 <= value <= high + 1e-12 for value in values)
    for end, is_closed, extreme in ((low, one.range.is_low_closed, one.profile.infimum), (high, one.range.is_high_closed, one.profile.supremum)):
        assert is_closed == extreme.is_attained
        if is_closed:
            beside = [mp.mpf(x) + step for x in extreme.at for step in (0, mp.mpf("1e-20"), -mp.mpf("1e-20"))]
            assert min(abs(float(twin.formula(x)) - end) for x in beside) < 1e-14
        elif math.isfinite(end):  # only approached: far out the distance is small, and positive
            distances = [abs(twin.formula(side * mp.mpf(10**4)) - mp.mpf(end)) for side in (-1, 1)]
            assert min(distances) < 1e-3


@pytest.mark.parametrize("name", SCALAR)
def test_slope_crosses_one_per_cent_at_the_ends_of_saturation(name):
    one, twin = activation(name), TWINS[name]
    bound = 0.01 * max(abs(one.derivative_max), abs(one.derivative_min))
    for zone in one.saturation:
        for end, outwards in ((zone.low, -1), (zone.high, 1)):
            if math.isinf(end) or bound == 0:
                continue
            inside, outside = (abs(twin.slope(mp.mpf(end) + side * outwards * mp.mpf("1e-7"))) for side in (-1, 1))
            assert inside < bound <= outside


@pytest.mark.parametrize("name", SCALAR)
def test_dead_zones_are_dead_and_reach_as_far_as_they_can(name):
    one, twin = activation(name), TWINS[name]
    for zone in one.dead_zones:
        low, high = max(zone.low, -50.0), min(zone.high, 50.0)
        assert all(twin.slope(mp.mpf(low) + (mp.mpf(high) - low) * k / 7) == 0 for k in range(1, 7))
        finite = [end for end in zone if math.isfinite(end)]
        assert set(finite) <= set(twin.kinks)
    flat = {x for x in POINTS if twin.slope(mp.mpf(x)) == 0}
    assert flat == {x for x in POINTS if any(x in zone for zone in one.dead_zones)}


@pytest.mark.parametrize("name", SCALAR)
def test_fixed_points_are_fixed(name):
    one, twin = activation(name), TWINS[name]
    for piece in one.fixed_points:
        low, high = max(piece.low, -50.0), min(piece.high, 50.0)
        for x in (low, 0.5 * (low + high), high):
            assert abs(twin.formula(mp.mpf(x)) - mp.mpf(x)) < 1e-14
    fixed = {x for x in POINTS if twin.formula(mp.mpf(x)) == mp.mpf(x)}
    assert fixed == {x for x in POINTS if any(x in piece for piece in one.fixed_points)}


@pytest.mark.parametrize("name", ALL)
def test_texts_are_there_in_both_languages(name):
    one = activation(name)
    for sentence in (one.trait, one.advantage, one.disadvantage, one.suits):
        assert sentence.en.endswith(".")
        assert sentence.ja.endswith("。")
        assert any("\u3040" <= letter <= "\u9fff" for letter in sentence.ja)
    assert one.references
    assert all(len(reference) > 10 for reference in one.references)


@pytest.mark.parametrize("name", ALL)
def test_formula_can_be_typeset(name):
    from matplotlib.mathtext import MathTextParser

    box = MathTextParser("path").parse(f"${activation(name).formula}$")
    assert box.width > 20


@pytest.mark.parametrize("name", ALL)
def test_module_is_new_each_time_keeps_type_and_shape_and_leaves_its_input(name):
    one = activation(name)
    first, second = one.module(), one.module()
    assert isinstance(first, nn.Module)
    assert first is not second
    for dtype in (torch.float32, torch.float64):
        x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0), dtype=dtype)
        kept = x.clone()
        y = first.to(dtype)(x)
        assert y.dtype == dtype
        assert torch.equal(x, kept)
        assert y.shape == (x.shape if one.kind == "scalar" or "softmax" in name else (4, 3))
        torch.testing.assert_close(y, one.function(x))


@pytest.mark.parametrize("name", ALL)
def test_module_survives_being_copied_and_pickled(name):
    import copy
    import pickle

    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    module = activation(name).module()
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin(x), module(x))


@pytest.mark.parametrize("name", ALL)
def test_to_dict_is_strict_json(name):
    language = "ja" if len(name) % 2 else "en"
    data = activation(name).to_dict(language)
    again = json.loads(json.dumps(data, allow_nan=False))
    assert again["name"] == name
    assert again["property"] == activation(name).trait.in_language(language)


@pytest.mark.parametrize("name", ALL)
def test_every_module_is_recognised_as_itself(name):
    found = recognise(activation(name).module())
    assert found.name == name
    assert found.parameters == {}
    assert found.error < 1e-8  # nn.Softplus is linear from 20 on


def test_no_name_means_two_things():
    names = [name for one in all_activations() for name in (one.name, *one.aliases)]
    assert len(names) == len(set(names))


def test_pytorch_gains_agree_or_the_difference_is_explained():
    known: list[Activation] = [one for one in all_activations() if not math.isnan(one.torch_gain)]
    assert {one.name for one in known} == {"identity", "sigmoid", "tanh", "relu", "leaky_relu", "selu"}
    for one in known:
        agrees = math.isclose(one.gain, one.torch_gain, rel_tol=1e-12)
        assert agrees is (one.gain_note is None)
