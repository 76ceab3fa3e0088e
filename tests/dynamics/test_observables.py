"""What a diagram may show."""

import pytest
import torch
from torch import nn

from kazami.dynamics.observables import Observable, stacked_sharpness
from kazami.errors import UnknownName, UsageError
from kazami.maps import Logistic, Training, TrainingMap

X, Y = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(6, 2), torch.tensor([0, 1, 2, 0, 1, 2])


def network():
    return Training(
        model=lambda: nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3)).double(),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9),
        loss=nn.functional.cross_entropy,
        batches=lambda: [(X, Y)],
        steps=5,
    )


def test_sharpness_is_the_largest_eigenvalue_of_the_full_hessian():
    m = TrainingMap(network())
    states = torch.stack([m.fresh_state(seed) for seed in range(5)])
    found = stacked_sharpness(m, states, 0, iterations=27)
    for state, value in zip(states, found, strict=True):

        def loss(flat):
            named = dict(zip(m.layout.names, m.layout.split(flat), strict=True))
            return nn.functional.cross_entropy(torch.func.functional_call(m.model, named, (X,)), Y)

        hessian = torch.autograd.functional.hessian(loss, state[: m.n_parameters].clone())
        assert value.item() == pytest.approx(torch.linalg.eigvalsh(hessian)[-1].item(), rel=1e-5)
    assert stacked_sharpness(m, states, 0).tolist() == pytest.approx(found.tolist(), rel=2e-3)


def test_weights_by_name_norm_and_functions():
    m = TrainingMap(network())
    state = m.current_state()
    weight = dict(m.model.named_parameters())["2.weight"]
    assert Observable(m, "2.weight[5]").of(state[None], 0).item() == weight.reshape(-1)[5].item()
    assert Observable(m, "2.weight[1,1]").of(state[None], 0).item() == weight[1, 1].item()
    assert Observable(m, "2.bias").of(state[None], 0).item() == dict(m.model.named_parameters())["2.bias"][0].item()
    assert Observable(m, "norm").of(state[None], 0).item() == pytest.approx(state[: m.n_parameters].norm().item())
    assert Observable(m, "loss").of(state[None], 0).item() == pytest.approx(m.loss(state))
    assert Observable(m, lambda s: float(s[0] * 2)).of(state[None], 0).item() == 2 * state[0].item()


def test_refusals():
    m = TrainingMap(network())
    with pytest.raises(UsageError, match="no loss"):
        Observable(Logistic(), "loss")
    with pytest.raises(UnknownName):
        Observable(m, "3.weight")
    with pytest.raises(UsageError, match=r"2\.weight"):
        Observable(m, "2.weight[9,9]")
    with pytest.raises(UsageError, match="below"):
        Observable(m, 10_000)
