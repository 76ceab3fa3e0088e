"""A script that trains one model after another is seen to its end."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.diagnosis import examine
from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling

X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)


def fit(steps, rate=0.05, model=None):
    torch.manual_seed(0)
    model = nn.Linear(4, 1) if model is None else model
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        loss = F.mse_loss(model(X), Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


def watching(train):
    observer = Observer(sampling=Sampling(every=1))
    observer.attach()
    try:
        kept = train()
    finally:
        observer.detach()
    assert "kazami" not in observer.blind, observer.blind["kazami"]
    return observer, kept


def test_each_training_is_recorded_from_its_first_step_on():
    observer, ((_, first), (_, second), (_, third)) = watching(lambda: (fit(30), fit(40), fit(20)))
    a, b, c = observer.traces()
    assert a["loss"].values.tolist() == first
    assert b["loss"].values.tolist() == second
    assert c["loss"].values.tolist() == third
    assert (a.step, b.step, c.step) == (30, 40, 20)
    assert b["loss"].steps.tolist() == list(range(1, 41))
    assert "one after another" in observer.blind["one_after_another"]


def test_a_fault_of_the_second_training_is_found():
    observer, _ = watching(lambda: (fit(30), fit(80, rate=1.2)))
    healthy, ill = observer.traces()
    assert examine(healthy) == []
    assert examine(ill)[0].name == "lr_too_high"


@pytest.mark.parametrize("critic_steps", [1, 5])
def test_players_of_one_game_share_a_clock(critic_steps):
    def game():
        maker, judge = nn.Linear(3, 3), nn.Linear(3, 1)
        first, second = torch.optim.SGD(maker.parameters(), lr=0.01), torch.optim.SGD(judge.parameters(), lr=0.01)
        for _ in range(8):
            first.zero_grad()
            judge(maker(torch.randn(8, 3))).mean().backward()
            first.step()
            for _ in range(critic_steps):
                second.zero_grad()
                judge(torch.randn(8, 3)).square().mean().backward()
                second.step()

    observer, _ = watching(game)
    maker, judge = observer.traces()
    assert len(maker["loss"]) == 8
    assert len(judge["loss"]) >= 8 * critic_steps - 1
    assert abs(maker.step - judge.step) <= critic_steps
    assert "one_after_another" not in observer.blind


def test_validation_belongs_to_the_training_it_followed():
    def folds():
        values = []
        for fold in range(2):
            model, _ = fit(20)
            for _ in range(3):
                fit(20, model=model)
                with torch.no_grad():
                    values.append(float(F.mse_loss(model(X) + fold, Y)))
        return values

    observer, values = watching(folds)
    a, b = observer.traces()
    assert a["validation_loss"].values.tolist() == pytest.approx(values[:3])
    assert b["validation_loss"].values.tolist() == pytest.approx(values[3:])
