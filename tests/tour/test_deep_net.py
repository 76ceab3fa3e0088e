"""The network of calm and storm: how it begins, what kazami says of it, and that nothing else is disturbed."""

import numpy as np
import pytest
import torch

from kazami.tour.deep_net import HIDDEN, WIDTH, DeepNet, Setting, held, train


@pytest.mark.parametrize(("how", "deviation"), [("xavier", (1 / WIDTH) ** 0.5), ("he", (2 / WIDTH) ** 0.5), ("too_large", 2 * (2 / WIDTH) ** 0.5)])
def test_weights_begin_as_the_setting_says(how, deviation):
    torch.manual_seed(0)
    net = DeepNet(Setting(initialisation=how))
    spread = torch.cat([net.get_submodule(f"layer{place}").weight.flatten() for place in range(1, HIDDEN + 1)]).std()
    assert spread.item() == pytest.approx(deviation, rel=3 / (2 * HIDDEN * WIDTH**2) ** 0.5)
    assert not net.get_submodule("layer1").bias.any()


def test_a_residual_network_with_silent_layers_hands_its_input_on():
    net = DeepNet(Setting(activation="relu", residual=True))
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if not name.startswith("output"):
                parameter.zero_()
    x = torch.randn(3, WIDTH)
    torch.testing.assert_close(net(x), net.get_submodule("output")(x))


def test_the_calm_is_a_dead_calm_and_one_sigmoid_layer_keeps_less_than_a_quarter():
    outcome = train(Setting(initialisation="xavier"), steps=24)
    kept = np.array(outcome.gradients[: HIDDEN - 1]) / np.array(outcome.gradients[1:HIDDEN])
    assert outcome.wind.word == "dead calm"
    assert outcome.finding == "vanishing_gradient"
    assert (kept < 0.25).all()
    assert outcome.weather.shape == (HIDDEN + 1, len(outcome.steps))
    assert outcome.names[0] == "layer1"


def test_the_storm_loses_its_numbers():
    outcome = train(Setting(activation="relu", initialisation="too_large"), steps=8, every=1)
    assert outcome.wind.value > 0
    assert outcome.accuracy == 0
    assert np.isnan(outcome.loss)
    assert np.isinf(outcome.weather[:, -1]).all()


def test_clipping_clips():
    outcome = train(Setting(activation="relu", initialisation="too_large", clip=1e-9, rate=1e-9), steps=4)
    assert np.isfinite(outcome.loss)  # no step, no overflow


def test_neither_threads_nor_random_numbers_are_disturbed():
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    train(Setting(), steps=2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_a_layer_keeps_its_weather_until_it_is_seen_again():
    wind = np.array([[1.0, np.nan], [np.nan, -25.0], [2.0, np.nan]])
    np.testing.assert_array_equal(held(wind), [[1, np.nan], [1, -np.inf], [2, -np.inf]])
