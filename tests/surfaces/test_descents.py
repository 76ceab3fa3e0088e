"""Walks: each method equals torch.optim; samples are samples; basins are those of the minima."""

import numpy as np
import pytest
import torch

from kazami.errors import UsageError
from kazami.surfaces import animate, basins, descend
from kazami.surfaces.descents import starts_around
from kazami.surfaces.destinations import destinations
from kazami.surfaces.two_weights import two_weights

STARTS = [(-1.2, 0.9), (0.4, -1.1), (1.5, 1.4)]
RIVALS = {
    "gradient_descent": lambda weights, rate: torch.optim.SGD(weights, rate),
    "momentum": lambda weights, rate: torch.optim.SGD(weights, rate, momentum=0.9),
    "nesterov": lambda weights, rate: torch.optim.SGD(weights, rate, momentum=0.9, nesterov=True),
    "rmsprop": lambda weights, rate: torch.optim.RMSprop(weights, rate),
    "adam": lambda weights, rate: torch.optim.Adam(weights, rate),
}


@pytest.mark.parametrize("name", ["tanh", "double_well", "bent_valley"])
@pytest.mark.parametrize("method", RIVALS)
def test_steps_are_those_of_torch_optim(method, name):
    rate = 1e-3 if name == "bent_valley" else 0.05
    loss = two_weights(name)
    found = descend(loss, STARTS, method=method, learning_rate=rate, steps=50)
    for start, path in zip(STARTS, found.paths, strict=True):
        weights = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer = RIVALS[method]([weights], rate)
        expected = [weights.detach().numpy().copy()]
        for _ in range(50):
            optimizer.zero_grad()
            loss.value(weights).backward()
            optimizer.step()
            expected.append(weights.detach().numpy().copy())
        np.testing.assert_allclose(path, expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(found.losses, loss.value(torch.as_tensor(found.paths)).numpy())


def test_torchs_other_settings_are_taken():
    found = descend("double_well", STARTS[0], method="adam", learning_rate=0.1, betas=(0.5, 0.7), eps=1e-3, steps=5)
    weights = torch.tensor(STARTS[0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weights], 0.1, betas=(0.5, 0.7), eps=1e-3)
    for _ in range(5):
        optimizer.zero_grad()
        two_weights("double_well").value(weights).backward()
        optimizer.step()
    np.testing.assert_allclose(found.ends[0], weights.detach().numpy(), rtol=1e-12)


def test_newton_solves_a_quadratic_in_one_step_and_runs_to_a_saddle():
    assert descend("quadratic", (1.0, -2.0), method="newton", learning_rate=1.0, steps=1).ends[0] == pytest.approx([0.0, 0.0], abs=1e-14)
    assert descend("double_well", (0.3, 1.0), method="newton", learning_rate=1.0, steps=20).ends[0] == pytest.approx([0.0, 0.0], abs=1e-12)


def test_sgd_steps_along_the_gradient_of_its_sample():
    loss = two_weights("tanh")
    found = descend(loss, STARTS, method="sgd", learning_rate=0.1, steps=1, batch=1, seed=3)
    steps = torch.as_tensor((found.paths[:, 0] - found.paths[:, 1]) / 0.1)
    every = torch.stack([loss.sampled_gradient(torch.tensor(STARTS, dtype=torch.float64), torch.full((3, 1), k)) for k in range(loss.n_examples)])
    nearest = (every - steps).norm(dim=-1).min(0).values
    torch.testing.assert_close(nearest, torch.zeros(3).double(), atol=1e-12, rtol=0.0)
    again, other = (descend(loss, STARTS, method="sgd", learning_rate=0.1, steps=9, seed=seed).ends for seed in (3, 4))
    assert not np.allclose(again, other)
    whole = descend(loss, STARTS, method="sgd", learning_rate=0.1, steps=9, batch=10_000)
    np.testing.assert_allclose(whole.ends, descend(loss, STARTS, learning_rate=0.1, steps=9).ends, rtol=1e-10)


def test_the_generators_of_the_user_stay():
    state = torch.get_rng_state()
    descend("tanh", STARTS, method="sgd", steps=3).fates()
    assert torch.equal(torch.get_rng_state(), state)


def test_an_escaped_walk_is_nan_and_leaves_the_others_alone():
    found = descend("quadratic", [(1.0, 1.0), (0.0, 1.0)], learning_rate=0.5, steps=60)  # (1 - 10 η) = -4
    assert np.isnan(found.ends[0]).all()
    assert found.ends[1] == pytest.approx([0.0, 0.5**60])
    assert found.to_dict()["paths"][0][-1] == [None, None]


def test_each_start_is_in_the_basin_of_its_well():
    found = basins("double_well", resolution=20, learning_rate=0.1)
    columns = np.broadcast_to(found.a, (20, 20))
    np.testing.assert_array_equal(found.owners, (columns > 0).astype(int))
    assert found.places[:, 0] == pytest.approx([-1.0, 1.0], abs=1e-6)
    assert not any(found.is_valley)
    assert "2 basins (50%, 50%)" in found.finding.en
    found.figure()
    assert found.to_dict()["owners"][0][0] == 0


def test_a_valley_is_one_place_and_what_does_not_rest_is_nowhere():
    found = basins("product", data=([1.0], [1.0]), resolution=20, learning_rate=0.1, extent=(0.2, 2.0, 0.2, 2.0))
    assert len(found.places) == 1
    assert found.is_valley == [True]
    wild = basins("quadratic", resolution=4, learning_rate=0.5, steps=50)
    assert (wild.owners == -1).all()
    assert "do not come to rest" in wild.finding.en
    wild.figure(language="ja")
    assert destinations(np.full((2, 2), np.nan), two_weights("quadratic")).tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"starts": "a"}, "two numbers"),
        ({"starts": (np.inf, 0.0)}, "finite"),
        ({"starts": []}, "at least one"),
        ({"learning_rate": 0.0}, "positive"),
        ({"learning_rate": float("nan")}, "positive"),
        ({"method": "adma"}, 'Did you mean "adam"'),
        ({"method": "sgd"}, "has none"),
        ({"steps": 0}, "one step"),
    ],
)
def test_what_cannot_work_is_said(asked, words):
    with pytest.raises(UsageError, match=words):
        descend("quadratic", **{"starts": (1.0, 1.0), **asked})


def test_basins_of_chance_are_refused():
    with pytest.raises(UsageError, match="chance"):
        basins("tanh", method="sgd")


def test_walks_are_drawn_and_animated(tmp_path):
    one = descend("double_well", (-1.5, 1.0), learning_rate=0.2, steps=3)
    title = one.figure().get_suptitle()
    assert "gradient descent, η = 0.2: converges" in title
    many = descend("double_well", starts_around((-1.8, 1.8, -1.5, 1.5), 3), learning_rate=0.2, steps=60)
    assert "9 of 9 walks come to rest, at 3 places" in many.figure().get_suptitle()  # the middle column rests on the saddle
    many.figure(language="ja")
    for name, start in (("a.gif", b"GIF8"), ("a.html", b"\n<link")):
        path = animate(one, str(tmp_path / name))
        assert (tmp_path / name).read_bytes()[: len(start)] == start, path
    with pytest.raises(UsageError, match="should end in"):
        animate(one, str(tmp_path / "a.mp4"))
