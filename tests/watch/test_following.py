"""Following the weights: what is stored, when, and that nothing is disturbed by it."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

import kazami
from kazami.records import RunInfo
from kazami.storage import RunWriter, open_run
from kazami.watch.following import Cadence, Follower
from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling
from tests.watch import unusual_trainings
from tests.watch.asserts import footprint
from tests.watch.trainings import TRAININGS

assert unusual_trainings.__doc__  # importing it adds its trainings to the others
NUMBERS = itertools.count()


def place():
    return f"memory://following/{next(NUMBERS)}"


def followed(location, every=1):
    writer = RunWriter(location, RunInfo(id="followed"))
    observer = Observer(sampling=Sampling(every=every))
    observer.follower = Follower(observer, writer)
    return observer, writer


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", TRAININGS)
def test_no_training_is_disturbed(name):
    location = place()
    observer, writer = followed(location)
    plain, _ = footprint(TRAININGS[name], 6)
    watched, _ = footprint(TRAININGS[name], 6, observer, 0)
    observer.follower.finish()
    writer.close()
    assert [key for key in plain if plain[key] != watched[key]] == []
    assert "trajectory" not in observer.blind, observer.blind
    assert not observer.players or len(open_run(location).trajectory().steps) > 0


def train(location, steps=12, every=1, size=8):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(size, size), nn.Tanh(), nn.Linear(size, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = [torch.cat([p.detach().reshape(-1).clone() for p in model.parameters()])]
    with kazami.watch(model, optimizer, run=location, every=every):
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.randn(16, size)), torch.randint(2, (16,))).backward()
            optimizer.step()
            seen.append(torch.cat([p.detach().reshape(-1).clone() for p in model.parameters()]))
    return seen


def test_row_s_holds_the_weights_after_s_steps_first_and_last_included():
    location = place()
    seen = train(location)
    trajectory = open_run(location).trajectory()
    assert trajectory.steps.tolist() == list(range(13))
    for step, tensors in trajectory:
        assert np.array_equal(tensors["weights/0"], seen[step].numpy())


def test_the_parameters_are_described_in_the_order_of_the_row():
    location = place()
    train(location)
    (event,) = [event for event in open_run(location).events() if event["kind"] == "trajectory"]
    assert [one["name"] for one in event["data"]["parameters"]] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert [one["shape"] for one in event["data"]["parameters"]] == [[8, 8], [8], [2, 8], [2]]


def test_each_batch_has_its_own_fingerprint_and_the_loss_is_stored_in_full():
    location = place()
    train(location)
    series = open_run(location).series()
    for name in ("batch_inputs", "batch_targets"):
        assert series[name].steps.tolist() == list(range(1, 13))
        assert len(set(series[name].values)) == 12
    assert series["loss"].values.dtype == np.float64


def test_two_optimizers_share_a_row():
    location = place()
    torch.manual_seed(0)
    left, right = nn.Linear(3, 1), nn.Linear(2, 1)
    optimizers = [torch.optim.SGD(left.parameters(), 0.1), torch.optim.Adam(right.parameters(), 0.1)]
    with kazami.watch(left, right, *optimizers, run=location, every=1):
        for _ in range(4):
            (left(torch.ones(2, 3)) - right(torch.ones(2, 2))).square().mean().backward()
            for optimizer in optimizers:
                optimizer.step()
    trajectory = open_run(location).trajectory()
    assert trajectory.steps.tolist() == [0, 1, 2, 3, 4]
    assert {name: array.shape for name, array in trajectory.at(2).items()} == {"weights/0": (4,), "weights/1": (3,)}


def test_a_mistake_of_ours_ends_the_following_alone(monkeypatch):
    location = place()
    monkeypatch.setattr("kazami.watch.sketching.Sketcher.sketch", lambda self, tensors: 1 / 0)
    train(location)
    run = open_run(location)
    assert any("ZeroDivisionError" in sentence for sentence in run.info.blind)
    assert len(run.series()["loss"]) == 12


def test_a_million_steps_give_some_thousand_rows_and_every_octave_at_least_some_hundred():
    cadence = Cadence()
    due = [step for step in range(2**20) if cadence.is_due(step)]
    assert len(due) < 6500
    assert due[:1024] == list(range(1024))
    assert all(sum(2**k <= step < 2 ** (k + 1) for step in due) == 512 for k in range(10, 20))


@pytest.mark.parametrize("strides", [(1, 4), (4, 64), (8, 16), (16, 1024)])
def test_what_the_dearer_run_records_the_cheaper_one_has_recorded_too(strides):
    cheap, dear = (Cadence(stride=stride) for stride in strides)
    assert [step for step in range(5000) if dear.is_due(step) and not cheap.is_due(step)] == []


def test_the_cost_stays_within_its_share():
    cadence = Cadence()
    for step in range(1, 50_001):  # a step takes 1 ms, a sketch 0.5 ms
        if cadence.is_due(step):
            cadence.spent += 5e-4
            cadence.n += 1
        if step >= 64 and step & (step - 1) == 0:
            cadence.decide(step, step * 1e-3)
    assert cadence.spent <= cadence.grace + cadence.share * 50.0 * 2
    assert cadence.n >= cadence.grace / 5e-4


def test_the_users_stride_is_kept():
    cadence = Cadence(every=10)
    assert [step for step in range(100) if cadence.is_due(step)] == [s for s in range(100) if s % 10 < 2]
