import pytest
import torch
from torch import nn

from kazami.watch.observer import Observer


def players(separately: bool, switched_off: bool = False) -> list[dict[str, object]]:
    """Train two networks on shared graphs, stepping on separate losses (a game) or on one loss, and return the facts of both.

    With ``switched_off`` the judge's weights require no gradient in the maker's turn.
    """
    torch.manual_seed(0)
    maker, judge = nn.Linear(4, 2), nn.Linear(2, 1)
    first, second = torch.optim.SGD(maker.parameters(), lr=0.01), torch.optim.SGD(judge.parameters(), lr=0.01)
    observer = Observer([maker, judge])
    observer.attach()
    for _ in range(6):
        for optimizer in (first, second):
            optimizer.zero_grad()
        judge.requires_grad_(not switched_off)
        judge(maker(torch.randn(8, 4))).mean().backward()
        judge.requires_grad_(True)
        first.step()
        if separately:
            second.zero_grad()
            (-judge(maker(torch.randn(8, 4)).detach()).mean()).backward()
        second.step()
    observer.detach()
    return [dict(trace.facts) for trace in observer.traces()]


@pytest.mark.parametrize("switched_off", [False, True])
def test_a_loss_that_reaches_a_player_who_does_not_step_on_it_is_a_game(switched_off):
    assert all("adversarial" in facts for facts in players(separately=True, switched_off=switched_off))


def test_two_optimizers_of_one_loss_are_no_game():
    assert not any("adversarial" in facts for facts in players(separately=False))


def test_one_that_climbs_where_the_other_descends_is_a_game():
    torch.manual_seed(0)
    maker, judge = nn.Linear(4, 2), nn.Linear(2, 1)
    first, second = torch.optim.SGD(maker.parameters(), lr=0.01), torch.optim.SGD(judge.parameters(), lr=0.01, maximize=True)
    observer = Observer([maker, judge])
    observer.attach()
    for _ in range(4):
        for optimizer in (first, second):
            optimizer.zero_grad()
        judge(maker(torch.randn(8, 4))).mean().backward()
        first.step()
        second.step()
    observer.detach()
    assert all("adversarial" in trace.facts for trace in observer.traces())
