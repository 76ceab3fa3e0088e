"""Histograms of activations, gradients and weights: right, ever further apart, within their budget, and never in the training's way."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import kazami
from kazami.storage import BINS, open_run
from kazami.watch import distributions
from kazami.watch.distributions import DistributionReader, histograms


def test_a_histogram_counts_as_numpy_does():
    samples = [torch.randn(1024, generator=torch.Generator().manual_seed(one)) * (one + 1) for one in range(3)]
    shares, ends = histograms(samples)
    for row, one in enumerate(samples):
        counts, edges = np.histogram(one.numpy(), bins=BINS, range=(float(one.min()), float(one.max())))
        assert np.abs(shares[row].astype(float) - np.ceil(counts * 255 / counts.max())).max() <= 255 / counts.max() + 1  # float32 may move one to its neighbour
        assert ends[row].tolist() == pytest.approx([edges[0], edges[-1], 0, 0], abs=1e-6)


def test_sizes_are_counted_by_their_logarithm_zeros_and_nan_apart():
    shares, ends = histograms([torch.tensor([0.0, -1e-3, 1.0, math.nan]), None, torch.zeros(3), torch.tensor([math.inf])], is_logarithmic=True)
    assert ends[0].tolist() == pytest.approx([-3.0, 0.0, 0.25, 0.25])
    assert (shares[0, 0], shares[0, -1], int(shares[0, 1:-1].sum())) == (255, 255, 0)
    assert np.isnan(ends[1]).all()
    assert np.isnan(ends[2:, :2]).all()
    assert ends[2:, 2:].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert not shares[1:].any()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A run whose sigmoids sit at one half, and whose last weights do not move."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x, y = torch.randn(32, 6), torch.randint(3, (32,))
    place = str(tmp_path_factory.mktemp("runs") / "one")
    with kazami.watch(model, optimizer, run=place):
        for _ in range(60):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    return open_run(place), model, x


def test_the_run_directory_holds_them_at_steps_ever_further_apart(stored):
    run, _, _ = stored
    assert run.problems == []
    for layer in range(3):
        found = run.distributions(layer)
        assert set(found) == {"activation", "gradient", "weight"}
        steps = found["weight"].steps
        assert steps[0] == 1
        assert 8 <= len(steps) <= 30
        assert np.diff(steps).max() == np.diff(steps)[-3:].max()
    assert run.distributions(99) == {}


def test_they_show_what_the_layers_hold(stored):
    run, model, x = stored
    sigmoid, relu, head = (run.distributions(layer) for layer in range(3))
    assert 0 < sigmoid["activation"].low.min() <= sigmoid["activation"].high.max() < 1
    assert relu["activation"].low.min() == 0
    assert 0 < relu["activation"].zeros[-1] < 1
    hidden = torch.relu(model[2](torch.sigmoid(model[0](x)))).detach()
    assert relu["activation"].zeros[-1] == pytest.approx(float((hidden == 0).float().mean()), abs=0.1)
    assert head["gradient"].is_logarithmic
    assert head["gradient"].high[-1] < 1
    assert head["weight"].high[-1] == pytest.approx(float(model[4].weight.detach().max()), abs=0.1)


class Writer:
    def __init__(self):
        self.steps = []

    def append_distributions(self, step, tensors):
        self.steps.append(step)


def watched(monkeypatch, cost, n_layers=3):
    """Return the steps at which a reader whose work takes ``cost`` seconds stores something in 20 000 steps."""
    clock, writer = [0.0], Writer()
    monkeypatch.setattr(distributions.time, "thread_time", lambda: clock[0])
    monkeypatch.setattr(distributions.time, "perf_counter", lambda: 0.0)
    reader = DistributionReader(writer)

    def work(player, sights, step):
        clock[0] += cost
        writer.append_distributions(step, {})

    monkeypatch.setattr(reader, "_store", work)
    player = SimpleNamespace(layers=[None] * n_layers)
    observer = SimpleNamespace(began=0.0, moment=1, players=[player], blind={})
    for step in range(1, 20_001):
        observer.moment = step
        reader.step_begins(player, [], observer)
    return writer.steps, reader.spent


@pytest.mark.parametrize(("cost", "n_layers"), [(0.0, 3), (0.003, 30), (0.015, 100), (0.0, 2000)])
def test_however_much_they_cost_they_reach_the_end_within_their_budget(monkeypatch, cost, n_layers):
    steps, spent = watched(monkeypatch, cost, n_layers)
    assert spent <= distributions.SECONDS + cost + 1e-9
    assert len(steps) <= 60
    assert steps[-1] > 20_000 / 16
    assert len(steps) * n_layers < 20_000  # bounded on the disk: 150 bytes each


def test_a_mistake_ends_them_alone_and_is_said(monkeypatch):
    reader = DistributionReader(Writer())
    monkeypatch.setattr(reader, "_store", lambda *arguments: 1 / 0)
    player = SimpleNamespace(layers=[])
    observer = SimpleNamespace(began=0.0, moment=1, players=[player], blind={})
    reader.step_begins(player, [], observer)
    assert reader.is_off
    assert "ZeroDivisionError" in observer.blind["distributions"]
