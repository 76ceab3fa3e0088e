"""Targets that move with the network, told from those that only are noisy."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import trained

X = torch.randn(24, 4, generator=torch.Generator().manual_seed(1))


def fact(target, steps=12, x=X):
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    count = iter(range(1, steps + 1))
    inputs = x if callable(x) else lambda: x

    def loss():
        rows = inputs()
        with torch.no_grad():
            wanted = target(model, rows, next(count))
        return F.mse_loss(model(rows), wanted)

    return trained(loss, model.parameters(), [model], lr=0.01, steps=steps).facts.get("moving_targets")


def test_targets_that_grow_with_the_network_move():
    told = fact(lambda model, x, step: 1.0 + 2.0 * model(x).abs() + 0.1 * step)
    assert told is not None
    assert told["changed"] > 0.9
    assert told["coherence"] > 0.5
    assert told["repeated"] >= 16


def noisy(model, x, step):
    del model
    return torch.randn(len(x), 1, generator=torch.Generator().manual_seed(step))


@pytest.mark.parametrize("target", [lambda model, x, step: x.sum(1, keepdim=True), noisy], ids=["fixed", "noisy"])
def test_data_does_not_move(target):
    assert fact(target) is None


def test_samples_that_never_come_again_tell_nothing():
    generator = torch.Generator().manual_seed(2)
    assert fact(lambda model, x, step: step * x.sum(1, keepdim=True), x=lambda: torch.randn(24, 4, generator=generator)) is None


def torn(classes, *, steps=12, loss=F.cross_entropy, forward=None):
    torch.manual_seed(0)
    model = nn.Linear(4, 5)
    count = iter(range(1, steps + 1))
    forward = forward or (lambda model: model(X))
    return trained(lambda: loss(forward(model), classes(next(count))), model.parameters(), [model], lr=0.01, steps=steps).facts.get("torn_targets")


def drawn(step):
    return torch.randint(5, (24,), generator=torch.Generator().manual_seed(step))


def test_classes_that_are_shuffled_apart_from_their_samples():
    told = torn(drawn)
    assert told["repeated"] == 256
    assert told["changed"] == pytest.approx(0.8, abs=0.1)
    assert told["by_chance"] == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    "told",
    [
        lambda: torn(lambda step: drawn(1)),
        lambda: torn(lambda step: torch.randperm(24, generator=torch.Generator().manual_seed(step)) % 24, forward=lambda model: model(X) @ torch.randn(5, 24)),
        lambda: torn(drawn, loss=lambda output, wanted: (F.cross_entropy(output, wanted, reduction="none") * torch.randn(24)).mean()),
        lambda: torn(drawn, forward=lambda model: model(X) - model(X.flip(0))),
        lambda: torn(drawn, forward=lambda model: model(X[:6].repeat(4, 1))),
    ],
    ids=["a data set", "partners", "policy gradient", "pairs", "few inputs"],
)
def test_classes_that_may_change(told):
    assert told() is None


@pytest.mark.parametrize(("classes", "told"), [(lambda step: torch.full((24,), step % 5), 20), (lambda step: torch.full((24,), 3), None), (drawn, None)])
def test_batches_of_one_class_each(classes, told):
    torch.manual_seed(0)
    model, count = nn.Linear(4, 5), iter(range(1, 21))
    facts = trained(lambda: F.cross_entropy(model(torch.randn(24, 4)), classes(next(count))), model.parameters(), [model], lr=0.01, steps=20).facts
    assert facts.get("sorted_batches", {}).get("single") == told


def test_large_samples_are_told_apart_by_all_their_parts():
    """Pictures under the same black border: what their first rows hold is not what they are."""
    from kazami.watch.moving_targets import MOST, _marks_of

    pictures = torch.zeros(5, 3, 2 * MOST)
    pictures[:, 2, MOST:] = torch.randn(5, MOST)
    assert len(set(_marks_of(pictures))) == 5
    assert _marks_of(pictures) == _marks_of(pictures.clone())
