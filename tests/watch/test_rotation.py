"""Two players on f = xy: the circle they walk on is the one that the eigenvalues say."""

import math

import pytest
import torch
from torch import nn

from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling


class Move(nn.Module):
    def __init__(self, start):
        super().__init__()
        self.at = nn.Parameter(torch.tensor([[start]]))


def game(steps, rate, damping=0.0):
    first, second = Move(1.0), Move(0.5)
    optimizers = [torch.optim.SGD(move.parameters(), lr=rate) for move in (first, second)]

    def value():
        return (first.at * second.at + damping * (first.at.square() - second.at.square()) / 2).sum()

    observer = Observer([first, second], sampling=Sampling(every=1))
    observer.attach()
    try:
        for _ in range(steps):
            optimizers[0].zero_grad()
            value().backward()
            optimizers[0].step()
            optimizers[1].zero_grad()
            (-value()).backward()
            optimizers[1].step()
    finally:
        observer.detach()
    assert "kazami" not in observer.blind
    return observer.traces()


def test_alternating_steps_stay_on_a_circle():
    """One after the other the map has the trace 2 - η² and the determinant 1: the angle is acos(1 - η²/2), the modulus 1."""
    rate = 0.3
    for trace in game(160, rate):
        told = trace.facts["rotation"]
        assert told["period"] == pytest.approx(2 * math.pi / math.acos(1 - rate**2 / 2), rel=0.05)
        assert told["growth"] == pytest.approx(1.0, abs=0.03)
        assert told["turns"] > 2
        assert told["radius_over_way"] == pytest.approx(1.0, rel=0.3)


def test_friction_closes_it_in():
    told = game(160, 0.3, damping=0.1)[0].facts["rotation"]
    assert told["growth"] < 0.8


def test_a_game_that_does_not_turn_tells_nothing():
    assert "rotation" not in game(160, 0.05, damping=5.0)[0].facts


def test_two_optimizers_of_one_loss_tell_nothing():
    torch.manual_seed(0)
    first, second = nn.Linear(3, 3), nn.Linear(3, 1)
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in (first, second)]
    observer = Observer([first, second], sampling=Sampling(every=1))
    observer.attach()
    for _ in range(60):
        for optimizer in optimizers:
            optimizer.zero_grad()
        second(torch.tanh(first(torch.ones(4, 3)))).square().mean().backward()
        for optimizer in optimizers:
            optimizer.step()
    observer.detach()
    assert all("rotation" not in trace.facts for trace in observer.traces())


def test_the_projections_leave_the_random_streams_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    game(30, 0.3)
    assert torch.equal(before, torch.get_rng_state())


def one_optimizer(steps, friction, *, every=1, momentum=0.0, turn=True):
    """Both sides of xy in one optimizer; simultaneous steps multiply the radius by √(1 + η²) each."""
    first, second = Move(1.0), Move(0.5)
    optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=0.3, momentum=momentum)
    observer = Observer([first, second], sampling=Sampling(every=every))
    observer.attach()
    for _ in range(steps):
        optimizer.zero_grad()
        x, y = first.at, second.at
        if turn:
            (x * y + friction * (x.square() - y.square()) / 2).sum().backward()
            second.at.grad.neg_()
        else:
            (x * y.detach() - x.detach() * y + friction * (x.square() + y.square()) / 2).sum().backward()
        optimizer.step()
    observer.detach()
    assert "kazami" not in observer.blind
    return observer.traces()[0].facts


@pytest.mark.parametrize(("turn", "sides"), [(True, "sides"), (False, "weights")])
def test_one_optimizer_may_hold_both_sides(turn, sides):
    told = one_optimizer(160, 0.0, turn=turn)["rotation"]
    angle = math.atan(0.3)
    assert told["sides"] == sides
    assert told["period"] == pytest.approx(2 * math.pi / angle, rel=0.05)
    assert told["growth"] == pytest.approx(1.09 ** (math.pi / angle), rel=0.1)


def test_steps_that_are_left_out_are_no_obstacle():
    told = one_optimizer(400, 0.15, every=2, turn=False)["rotation"]
    assert told["period"] == pytest.approx(2 * math.pi / math.atan(0.3 / (1 - 0.3 * 0.15)), rel=0.05)


def test_a_memory_can_turn_weights_on_one_loss_so_it_tells_nothing():
    assert "rotation" not in one_optimizer(160, 0.0, momentum=0.5, turn=False)
