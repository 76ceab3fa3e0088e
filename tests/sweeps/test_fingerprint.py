"""The fingerprint: the same for the same sweep written again, another one for each thing that matters."""

import pytest
import torch
from torch import nn

from kazami.sweeps import Sweep
from kazami.sweeps.fingerprint import different, fingerprint

from .trainings import X, Y, net


def of(training, **factors):
    """Return the fingerprint of a sweep."""
    sweep = Sweep(training, **(factors or {"learning_rate": [0.1, 0.2]}))
    return fingerprint(sweep.design, sweep._setup(None, "loss", "auto", None, None))


def scaled(factor):
    """Return a loss that closes over a number."""
    return lambda output, target: factor * nn.functional.mse_loss(output, target)


def test_the_same_twice_is_the_same():
    assert of(net()) == of(net())


@pytest.mark.parametrize(
    ("training", "factors", "said"),
    [
        (net(), {"learning_rate": [0.1, 0.3]}, "the factors or their values"),
        (net(), {"momentum": [0.1, 0.2]}, "the factors or their values"),
        (net(loss=scaled(2.0)), {}, "the training's source or its settings"),
        (net(optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.6)), {}, "the training's source or its settings"),
        (net(seed=1), {}, "the training's source or its settings"),
        (net(clip_grad_norm=1.0), {}, "the training's source or its settings"),
        (net(batches=lambda: [(X[:11], Y[:11])]), {}, "the first batch"),
    ],
)
def test_what_matters_makes_another_one(training, factors, said):
    assert said in different(of(training, **factors), of(net()))


def test_numbers_that_a_function_closes_over_matter():
    assert of(net(loss=scaled(2.0))) != of(net(loss=scaled(3.0)))
    assert of(net(loss=scaled(2.0))) == of(net(loss=scaled(2.0)))


def test_the_engine_does_not_matter():
    sweep = Sweep(net(), learning_rate=[0.1, 0.2])
    prints = [fingerprint(sweep.design, sweep._setup(None, "loss", engine, None, None)) for engine in ("auto", "eager", "processes")]
    assert prints[0] == prints[1] == prints[2]
