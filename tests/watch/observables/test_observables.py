"""What every observable promises: a number or NaN anywhere, no trace left, the same again, a documented unit."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.patients import all_patients
from kazami.registry import plugins
from kazami.watch.graph import LiveGraph
from kazami.watch.layers import read_layers
from kazami.watch.names import Names
from kazami.watch.observables import AbstractObservable
from tests.watch.asserts import bits
from tests.watch.seeing import watched

OBSERVABLES = plugins("kazami.watch.observables", AbstractObservable)
PATIENTS = all_patients("calibration")
MOMENTS = ("forward", "backward", "before_step", "after_step")
UNITS = {"", "decades", "activation", "weight", "loss per weight", "loss per activation"}
NEED_A_PAST = ("time_growth", "norm_memory", "flat_gain", "sharp_gain")  # they compare with an earlier look, or use what one found
NEED_HALF_PRECISION = ("lost_update_share",)


@pytest.mark.parametrize("kind", OBSERVABLES, ids=lambda kind: kind.name)
def test_it_is_declared(kind):
    assert kind.moment in MOMENTS
    assert kind.unit in UNITS
    assert kind.name == kind.__module__.rsplit(".", 1)[-1]
    assert kind.__doc__
    assert len(kind.__doc__) > 30
    assert kind.every in (1, 4, 16)


def sights():
    """Return layers with everything filled in that any observable reads."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Hardtanh(), nn.BatchNorm1d(8), nn.Linear(8, 3))
    loss = F.cross_entropy(model(torch.randn(16, 6)), torch.arange(16) % 3)
    gradients = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
    found = read_layers(LiveGraph((loss,)), Names([model]))
    by_id = {id(p): g for p, g in zip(model.parameters(), gradients, strict=True)}
    for sight in found:
        sight.gradient = by_id[id(sight.weight)]
        sight.before = sight.weight.detach().clone()
        sight.update = -0.1 * sight.gradient
        sight.gradient_norm, sight.weight_norm = float(sight.gradient.norm()), float(sight.before.norm())
        sight.update_norm, sight.before_norm = float(sight.update.norm()), float(sight.before.norm())
        sight.output_gradients = [0.1, 0.2, 0.3, 0.4]
        sight.reference_loss = 1.0
    return model, loss, found


@pytest.mark.parametrize("kind", OBSERVABLES, ids=lambda kind: kind.name)
def test_measuring_touches_nothing_and_can_be_repeated(kind):
    model, loss, found = sights()
    state = torch.get_rng_state()

    def everything():
        tensors = [t for s in found for t in (s.weight, s.inputs, s.gradient, s.before, s.update) if t is not None]
        return bits([model, loss, tensors]), [t._version for t in tensors]

    before = everything()
    with torch.no_grad():
        first = [kind().measure(sight) for sight in found]
    for sight in found:
        sight.memory.clear()
    with torch.no_grad():
        again = [kind().measure(sight) for sight in found]
    assert everything() == before
    assert torch.equal(torch.get_rng_state(), state)
    assert all(isinstance(value, float) for value in first)
    assert bits(first) == bits(again)
    if kind.name not in (*NEED_A_PAST, *NEED_HALF_PRECISION):
        assert any(math.isfinite(value) for value in first)
    loss.backward()


@pytest.mark.parametrize("kind", OBSERVABLES, ids=lambda kind: kind.name)
def test_it_says_nan_where_nothing_is_known(kind):
    _, _, found = sights()
    bare = type(found[0])(layer=found[0].layer, weight=found[0].weight, is_trained=True)
    assert math.isnan(kind().measure(bare))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("patient", [pytest.param(p, id=p.name, marks=[pytest.mark.slow] if at % 8 else []) for at, p in enumerate(PATIENTS)])
def test_on_every_patient_the_numbers_are_numbers(patient):
    training = patient.training()
    state = training.start()
    batches = training.endless_batches()
    traces = watched(lambda: training.step(state.model, state.optimizer, next(batches)), 2, [state.model])
    for trace in traces:
        for name in {kind.name for kind in OBSERVABLES} & trace.series.keys():
            values = trace[name].values
            assert values.dtype == np.float64
            assert values.shape[1] == len(trace.layers)
            if name.endswith("_share"):
                assert not ((values < 0) | (values > 1)).any(), name
