"""Eigenvalues of the second moment of what the first layer reads."""

import math

import numpy as np
import pytest
import torch

from kazami.watch.observables.input_condition import LOOKS, MOST_FEATURES, InputCondition
from tests.watch.observables.sights import made


def reads(x, memory=None, units=4, **fields):
    return made(torch.ones(units, x.shape[-1]), first_input=x, reads_data=True, memory={} if memory is None else memory, **fields)


def test_the_ratio_of_scales_squared():
    x = torch.eye(3).repeat(10, 1) * torch.tensor([1.0, 10.0, 100.0])
    assert InputCondition().measure(reads(x)) == pytest.approx(1e4)


def test_the_same_as_numpy_over_several_batches():
    random, memory, batches = np.random.default_rng(0), {}, []
    for look in range(LOOKS):
        batches.append(random.standard_normal((32, 5)) @ random.standard_normal((5, 5)) if look == 0 else random.standard_normal((32, 5)) * [1, 2, 3, 4, 50])
        value = InputCondition().measure(reads(torch.from_numpy(batches[-1]), memory))
        if look + 1 in (1, 2, 4, LOOKS):
            x = np.concatenate(batches)
            eigenvalues = np.linalg.eigvalsh(x.T @ x)
            assert value == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-6)
        else:
            assert math.isnan(value)
    assert math.isnan(InputCondition().measure(reads(torch.from_numpy(batches[0]), memory)))
    assert memory["moment_rows"] == 32


def test_directions_without_any_input_do_not_count():
    x = torch.eye(3).repeat(10, 1) * torch.tensor([1.0, 10.0, 0.0])
    assert InputCondition().measure(reads(x)) == pytest.approx(100.0)


@pytest.mark.parametrize(
    "sight",
    [
        made(torch.ones(2, 3), first_input=torch.ones(4, 3), reads_data=False),
        made(torch.ones(2, 3), "conv", first_input=torch.ones(4, 3), reads_data=True),
        reads(torch.ones(4, MOST_FEATURES + 1)),
        reads(torch.full((4, 3), math.nan)),
        made(torch.ones(2, 3), first_input=torch.ones(4, 3, dtype=torch.long), reads_data=True),
    ],
)
def test_others_have_none(sight):
    assert math.isnan(InputCondition().measure(sight))
