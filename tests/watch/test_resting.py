"""A step passed the short way leaves what the long way would have left."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import kazami
from kazami.watch.resting import FARTHEST, Rest

STEPS = 200
EVERY = 50


class Script:
    """A small training with something unusual at some steps; each step is a method, so that a case changes what it must."""

    def __init__(self):
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)
        self.x, self.y = torch.randn(64, 6), torch.randint(0, 3, (64,))
        self.at = 0

    def loss(self):
        rows = torch.randint(64, (16,))
        return F.cross_entropy(self.model(self.x[rows]), self.y[rows])

    def step(self):
        self.optimizer.zero_grad()
        self.loss().backward()
        self.optimizer.step()

    def run(self):
        for self.at in range(1, STEPS + 1):
            self.step()


class NoZeroGrad(Script):
    def step(self):
        self.loss().backward()
        self.optimizer.step()


class Accumulating(Script):
    def step(self):
        self.optimizer.zero_grad()
        for _ in range(1 + self.at % 3):
            self.loss().backward()
        self.optimizer.step()


class Clipping(Script):
    def step(self):
        self.optimizer.zero_grad()
        self.loss().backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 0.1)
        self.optimizer.step()


class Scheduled(Script):
    def step(self):
        for group in self.optimizer.param_groups:
            group["lr"] = 0.05 * (1 + math.cos(self.at / 20))
        super().step()


class TensorRate(Script):
    def step(self):
        self.optimizer.param_groups[0]["lr"] = torch.tensor(0.05 / self.at)
        super().step()


class Leaping(Script):
    def loss(self):
        return super().loss() * (100.0 if self.at in (90, 137) else 1.0)


class TurningNan(Script):
    def loss(self):
        return super().loss() * (math.nan if self.at >= 123 else 1.0)


class Validating(Script):
    def step(self):
        super().step()
        if self.at % 20 == 0:
            with torch.no_grad():
                F.cross_entropy(self.model(self.x), self.y)


class Growing(Script):
    """A frozen head joins at step 110, as a group of its own."""

    def step(self):
        if self.at == 110:
            self.head = nn.Linear(3, 3)
            self.optimizer.add_param_group({"params": list(self.head.parameters()), "lr": 0.2})
        super().step()

    def loss(self):
        rows = torch.randint(64, (16,))
        out = self.model(self.x[rows])
        return F.cross_entropy(self.head(out) if self.at >= 110 else out, self.y[rows])


class SecondOptimizer(Script):
    def step(self):
        super().step()
        if self.at == 105:
            self.other = nn.Linear(6, 3)
            self.second = torch.optim.Adam(self.other.parameters())
        if self.at >= 105:
            self.second.zero_grad()
            F.cross_entropy(self.other(self.x), self.y).backward()
            self.second.step()


class Closures(Script):
    def step(self):
        def closure():
            self.optimizer.zero_grad()
            loss = self.loss()
            loss.backward()
            return loss

        self.optimizer.step(closure)


class LeavingOut(Script):
    """Some batches are thrown away after their backward, some steps taken twice."""

    def step(self):
        self.optimizer.zero_grad()
        self.loss().backward()
        if self.at % 7 == 3:
            return
        self.optimizer.step()
        if self.at % 11 == 5:
            self.optimizer.step()


class Scaling(Script):
    def __init__(self):
        super().__init__()
        self.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)

    def step(self):
        self.optimizer.zero_grad()
        loss = self.loss()
        if self.at < 100:
            loss.backward()
            self.optimizer.step()
        else:
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()


class SeveralLosses(Script):
    def step(self):
        self.optimizer.zero_grad()
        torch.autograd.backward([self.loss(), self.loss()])
        self.optimizer.step()


class Swapped(Script):
    """A new optimizer over the same weights, as after loading a checkpoint."""

    def step(self):
        if self.at == 111:
            self.optimizer = torch.optim.Adam(self.model.parameters())
        super().step()


CASES = [Script, NoZeroGrad, Accumulating, Clipping, Scheduled, TensorRate, Leaping, TurningNan, Validating, Growing, SecondOptimizer, Closures, LeavingOut]
CASES += [Scaling, SeveralLosses, Swapped]


def seen(case, monkeypatch=None):
    """The traces of a watched run, by the short way or (with a patch) all the long way; what the clock decides is switched off."""
    with kazami.watch(every=EVERY) as watch:
        watch.observer.growth._is_possible = watch.observer._reader.curvature.is_possible = False
        if monkeypatch is not None:
            monkeypatch.setattr(watch.observer.rest, "settle", lambda *_: None)
        script = case()
        script.run()
        return watch.observer.traces(), [p.detach().clone() for p in script.model.parameters()]


@pytest.fixture
def passed(monkeypatch):
    """Count the steps that went the short way."""
    count = []
    ended = Rest.ended

    def counting(self):
        is_passed = ended(self)
        count.append(is_passed)
        return is_passed

    monkeypatch.setattr(Rest, "ended", counting)
    return count


@pytest.mark.parametrize("case", CASES)
def test_the_short_way_leaves_what_the_long_way_leaves(case, passed, monkeypatch):
    short, weights = seen(case)
    if case not in (Closures, SeveralLosses):
        assert sum(passed) > 15, "otherwise this compares nothing"
    long, same = seen(case, monkeypatch)
    assert len(short) == len(long)
    for ours, theirs in zip(short, long, strict=True):
        assert ours.step == theirs.step
        assert list(ours.series) == list(theirs.series)
        for name, series in ours.series.items():
            np.testing.assert_array_equal(series.steps, theirs.series[name].steps, err_msg=name)
            np.testing.assert_array_equal(series.values, theirs.series[name].values, err_msg=name)
        assert repr(ours.facts) == repr(theirs.facts)
        assert ours.blind == theirs.blind
    for one, other in zip(weights, same, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


def test_most_steps_of_a_long_training_go_the_short_way(passed):
    seen(Script)
    assert sum(passed) > 0.6 * (STEPS - STEPS // EVERY * 3)


def test_every_step_is_recorded_where_that_was_asked(passed):
    with kazami.watch(every=1) as watch:
        Script().run()
        assert watch.observer.rest.until == 0
    assert not any(passed)


def test_no_rest_reaches_beyond_what_is_due():
    with kazami.watch(every=10 * FARTHEST) as watch:
        watch.observer.growth._is_possible = watch.observer._reader.curvature.is_possible = False
        script = Script()
        reached = []
        for script.at in range(1, STEPS):
            script.step()
            if watch.observer.rest.until:
                reached.append((watch.observer.clock, watch.observer.rest.until))
    powers = {2**n for n in range(20)}
    assert reached
    assert all(until in powers and now <= until for now, until in reached)


def test_a_mistake_of_ours_ends_the_watching_and_not_the_training(monkeypatch):
    def wrong(*_):
        raise ZeroDivisionError("ours")

    with kazami.watch(every=EVERY) as watch:
        watch.observer.growth._is_possible = watch.observer._reader.curvature.is_possible = False
        script = Script()
        script.run()
        monkeypatch.setattr(type(watch.observer.spikes), "took_usual", wrong)
        script.run()
        assert watch.observer.is_off
        assert "ZeroDivisionError" in watch.observer.blind["kazami"]
