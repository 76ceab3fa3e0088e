"""What a step cannot do without, counted at the layers: against the kernels' own counts and against what torch really multiplies."""

import pytest
import torch

from kazami.engines import Member
from kazami.engines._work import counted
from kazami.kernels import Descent, Layer, Network
from kazami.kernels.ceilings import counts_of
from kazami.lab.bench_trainings import bench_trainings, convolutional_training, iris_training


@pytest.mark.parametrize(("itemsize", "n_tangents"), [(4, 0), (8, 2)])
def test_iris_is_counted_as_the_kernels_count_it(itemsize, n_tangents):
    network = Network((Layer(4, 10, activation="tanh"), Layer(10, 3)), loss="cross_entropy")
    wanted = counts_of(network, Descent(), 150, itemsize, n_tangents)
    found = iris_training().counts(itemsize, n_tangents)
    assert (found.fma, dict(found.functions), found.bytes) == (wanted.fma, dict(wanted.functions), wanted.bytes)


@pytest.mark.parametrize("on", bench_trainings(), ids=lambda on: on.name)
def test_torch_multiplies_as_often(on):
    start = on.training.start()
    batch = next(iter(on.training.batches()))
    found = counted(lambda: on.training.step(start.model, start.optimizer, batch))
    first = 4 * 36 * 9 * 64 if on is convolutional_training() else 0  # counted as if a convolution's first input had a gradient
    assert found.fma - first == on.counts(4).fma


@pytest.mark.parametrize("on", bench_trainings(), ids=lambda on: on.name)
def test_the_largest_rate_still_trains(on):
    from kazami.engines import ensemble

    together, _ = ensemble(on.training, [Member(0, {"learning_rate": rate}) for rate in on.rates], engine="eager", dtype=torch.float64)
    losses = together.advance(60)
    assert bool((losses[-1] < 0.95 * losses[0]).all())
    assert bool((losses[1:] < losses[:-1] * 1.05).all())  # no member is on its way out
