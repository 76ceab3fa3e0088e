"""Which steps are recorded depends on the step number, and on cost at fixed steps only."""

import pytest
import torch

from kazami.watch import observer as observer_module
from kazami.watch.observer import Observer
from kazami.watch.sampling import BURST, FIRST, Sampling, several_ranks


def recorded(sampling, last):
    return [step for step in range(1, last + 1) if sampling.is_sampled(step)]


@pytest.mark.parametrize(
    ("every", "steps"),
    [(1, list(range(1, 13))), (2, [1, 2, 4, 6, 8, 10, 12]), (3, [1, 3, 4, 6, 7, 9, 10, 12]), (5, [1, 5, 6, 10, 11])],
)
def test_a_fixed_stride(every, steps):
    assert recorded(Sampling(every=every), 12) == steps


def test_a_fixed_stride_never_changes():
    sampling = Sampling(every=10)
    sampling.spend(1e6)
    sampling.decide(64, 1e6)
    assert recorded(sampling, 30) == [1, 10, 11, 20, 21, 30]


def test_the_first_steps_are_all_recorded():
    sampling = Sampling()
    sampling.stride = 64
    assert recorded(sampling, FIRST) == list(range(1, FIRST + 1))


def run(cost, pace, steps, **settings):
    sampling, strides, seconds = Sampling(**settings), [], 0.0
    for step in range(1, steps + 1):
        seconds += pace
        if sampling.is_sampled(step):
            sampling.spend(cost)
            sampling.steps_recorded += 1
            seconds += cost
        sampling.decide(step, seconds)
        strides.append(sampling.stride)
    return sampling, strides, seconds


def test_the_stride_changes_at_powers_of_two_only():
    _, strides, _ = run(0.05, 0.01, 1100)
    changes = [step for step in range(2, 1101) if strides[step - 1] != strides[step - 2]]
    assert changes
    assert all(step >= FIRST and step & (step - 1) == 0 for step in changes)


def test_what_watching_costs_stays_within_its_share():
    sampling, strides, seconds = run(0.01, 0.01, 20000)
    assert strides[-1] > 1
    assert sampling.spent < sampling.grace + FIRST * 0.01 + 0.02 * seconds


def test_a_short_training_is_recorded_in_full():
    _, strides, _ = run(0.001, 0.001, 1000)
    assert set(strides) == {1}


def test_steps_come_in_bursts_so_that_an_oscillation_of_period_two_shows():
    sampling = Sampling()
    sampling.stride = 16
    steps = recorded(sampling, 401)
    assert all(step + 1 in steps or step - 1 in steps for step in steps)
    assert len([step for step in steps if step > FIRST]) == (400 - FIRST) // 16 * BURST + 1


def test_ranks_agree_whatever_they_cost():
    slow, fast = Sampling(is_shared=True), Sampling(is_shared=True)
    slow.spend(1000.0)
    for step in range(1, 2000):
        assert slow.is_sampled(step) == fast.is_sampled(step)
        slow.decide(step, 2000.0 + step)
        fast.decide(step, 0.001 * step)
    assert slow.stride == fast.stride == 64


def test_the_same_costs_give_the_same_steps():
    assert run(0.02, 0.01, 3000)[1] == run(0.02, 0.01, 3000)[1]


def test_an_observer_notices_other_ranks(monkeypatch):
    assert not several_ranks()
    monkeypatch.setattr(observer_module, "several_ranks", lambda: True)
    observer = Observer()
    observer.attach()
    try:
        torch.ones(1, requires_grad=True).sum().backward()
    finally:
        observer.detach()
    assert observer.sampling.is_shared
