"""Where differences between trainings come from."""

import math
import random

import numpy as np
import pytest
import torch
from torch import nn

from kazami.lab.noise import SOURCES, flat_parameters, noise, nudge, tensors_of
from kazami.maps import Training


def training(*, dropout=0.0, batches=4, rate=0.1):
    generator = torch.Generator().manual_seed(0)
    data = [(torch.randn(8, 3, generator=generator, dtype=torch.float64), torch.randint(2, (8,), generator=generator)) for _ in range(batches)]
    return Training(
        model=lambda: nn.Sequential(nn.Linear(3, 5), nn.Dropout(dropout), nn.Tanh(), nn.Linear(5, 2)).double(),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), rate),
        loss=nn.functional.cross_entropy,
        batches=lambda: data,
        steps=8,
    )


def rows(given, **options):
    return {row.source: row for row in noise(given, steps=8, replicas=1, **options).rows}


def test_only_what_is_there_makes_a_difference():
    without, within = rows(training()), rows(training(dropout=0.5))
    assert without["nothing"].weights == without["masks"].weights == 0.0
    assert within["nothing"].weights == 0.0
    assert within["masks"].weights > 1e-4
    assert without["weights"].outputs > 0.1
    assert without["order"].outputs > 0.0
    assert 0 < without["tiny"].weights < 1e-9
    assert rows(training(batches=1))["order"].weights == 0.0


def test_switching_the_one_source_off_leaves_nothing():
    found = rows(training(batches=1))
    assert found["weights"].outputs_without < 1e-9  # no dropout, one batch, one thread's kernels: all that is left is tiny
    assert found["tiny"].outputs_without > 0.1


def test_answers_of_one_model():
    found = noise(training(dropout=0.5), steps=4, replicas=1)
    assert found.answers["evaluation"] == 0.0
    assert found.answers["training"] > 0.1
    assert found.is_complete
    assert "1" in found.sentence.en or "4" in found.sentence.en


def test_growth_of_a_linear_expansion_is_its_logarithm():
    def loss(output, target):
        del target
        return -0.5 * output.square().sum()  # ascent on a parabola: every step multiplies by 1 + rate

    given = Training(
        model=lambda: nn.Linear(1, 1, bias=False).double(),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.1),
        loss=loss,
        batches=lambda: [(torch.ones(1, 1, dtype=torch.float64), None)],
        steps=30,
    )
    found = noise(given, steps=30, replicas=1)
    assert found.growth == pytest.approx(0.0, abs=0.01)  # relative to the weight, which grows as fast
    assert math.isfinite(found.growth)


def test_nothing_is_disturbed():
    before = torch.get_rng_state().clone(), np.random.get_state()[1].tolist(), random.getstate(), torch.get_num_threads()
    noise(training(dropout=0.5), steps=3, replicas=1)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (np.random.get_state()[1].tolist(), random.getstate(), torch.get_num_threads())


def test_ctrl_c_keeps_the_rows():
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    found = noise(training(), steps=3, replicas=1, progress=stop)
    assert [row.source for row in found.rows] == ["nothing", SOURCES[0]]
    assert not found.is_complete


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_nudge_is_tiny_and_never_nothing(dtype):
    model = nn.Linear(4, 4).to(dtype)
    before = flat_parameters(model)
    nudge(model, 1)
    apart = float((flat_parameters(model) - before).norm() / before.norm())
    assert 0 < apart < (1e-6 if dtype is torch.float32 else 1e-11)


def test_outputs_of_any_shape_are_found():
    one = torch.ones(2)
    assert len(list(tensors_of({"a": (one, [one]), "b": torch.ones(2, dtype=torch.long)}))) == 2


def test_a_training_that_is_not_finite_has_no_sources():
    found = noise(training(rate=math.inf), steps=6, replicas=1)
    assert "not finite" in found.sentence.en
    assert "有限" in found.sentence.ja
    assert "No source" not in found.sentence.en
