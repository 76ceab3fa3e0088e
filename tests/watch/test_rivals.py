import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.diagnosis.nan_inf import first_event
from kazami.watch.observer import Observer
from kazami.watch.watching import findings_of


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


def spoiled_game(at: int, *, maker_first: bool, judge_known_first: bool) -> Observer:
    """Play a game in whose round ``at`` a sample of the judge's is not a number."""
    torch.manual_seed(0)
    maker, judge = nn.Linear(4, 2), nn.Linear(2, 1)
    of_maker, of_judge = torch.optim.Adam(maker.parameters(), lr=0.01), torch.optim.Adam(judge.parameters(), lr=0.01)
    observer = Observer([maker, judge])
    for optimizer in (of_judge, of_maker) if judge_known_first else (of_maker, of_judge):
        observer.player_of(optimizer)

    def make(_: torch.Tensor) -> torch.Tensor:
        return F.softplus(-judge(maker(torch.randn(8, 4)))).mean()

    def judged(real: torch.Tensor) -> torch.Tensor:
        return F.softplus(-judge(real)).mean() + F.softplus(judge(maker(torch.randn(8, 4)).detach())).mean()

    turns = [(make, of_maker), (judged, of_judge)]
    observer.attach()
    for round_ in range(1, at + 4):
        real = torch.randn(8, 2)
        real[3, 0] = float("nan") if round_ == at else 0.0
        for loss, optimizer in turns if maker_first else reversed(turns):
            optimizer.zero_grad()
            loss(real).backward()
            optimizer.step()
    observer.detach()
    return observer


@pytest.mark.parametrize("maker_first", [True, False])
@pytest.mark.parametrize("judge_known_first", [True, False])
def test_what_spoils_one_player_is_told_of_the_other_too(maker_first, judge_known_first):
    observer = spoiled_game(5, maker_first=maker_first, judge_known_first=judge_known_first)
    assert [first_event(trace)["source"] for trace in observer.traces()] == ["batch", "batch"]
    found = next(finding for finding in findings_of(observer) if finding.name == "nan_inf")
    assert (found.step, found.place) == (5, "the batch")


def test_what_spoilt_an_earlier_training_is_not_told_of_a_later_one():
    torch.manual_seed(0)
    models = [nn.Linear(4, 1), nn.Linear(4, 1)]
    observer = Observer(models)
    observer.attach()
    for model in models:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for round_ in range(1, 7):
            x, y = torch.randn(8, 4), torch.zeros(8, 1)
            (x if model is models[0] else y)[0] = float("nan") if round_ == 4 else 0.0
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
    observer.detach()
    first, second = observer.traces()
    assert first_event(first)["source"] == "batch"
    assert (first_event(second) or {}).get("source") != "batch"
