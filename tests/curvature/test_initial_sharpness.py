"""`kazami.sharpness` against closed forms, dense Hessians, and torch's optimizers themselves."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import kazami
from kazami.curvature import TrainingCurvature, dense
from kazami.errors import UsageError
from kazami.records.estimate import Outcome

from .models import CASES, dense_hessian, mlp, numbers, training

X, Y = numbers(30, 4), numbers(30, 1, seed=2)


def least_squares(optimizer, **options):
    """Linear least squares, whose Hessian is 2 X'X / n."""
    return training(lambda: nn.Linear(4, 1, bias=False), F.mse_loss, [(X, Y)], optimizer=optimizer, **options)


def sgd(rate=0.1, **settings):
    return lambda model: torch.optim.SGD(model.parameters(), rate, **settings)


EXACT = torch.linalg.eigvalsh(2.0 * X.double().T @ X.double() / 30).flip(0).numpy()


def test_linear_least_squares():
    found = kazami.sharpness(least_squares(sgd()), k=4)
    assert found.value == pytest.approx(EXACT, rel=1e-10)
    assert found.value.shape == found.uncertainty.shape == (4,)
    assert found.threshold == pytest.approx(20.0)
    assert found.details["ratio"] == pytest.approx(EXACT[0] / 20.0)
    assert found.warnings == ()
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("k", [1, 3])
def test_the_true_error_is_within_the_stated_one(name, k):
    given = training(*CASES[name])
    found = kazami.sharpness(given, k=k, tolerance=1e-3)
    exact = torch.linalg.eigvalsh(dense(TrainingCurvature.of(given).products())).flip(0)[:k].numpy()
    assert (np.abs(found.value - exact) <= found.uncertainty + 1e-15).all()
    assert (np.abs(found.value - exact) <= 1e-3 * np.abs(exact)).all()


@pytest.mark.parametrize(
    ("optimizer", "threshold"),
    [
        (sgd(), 20.0),
        (sgd(momentum=0.9), 38.0),
        (sgd(momentum=0.9, nesterov=True), 2 * 1.9 / (0.1 * 2.8)),
        (sgd(weight_decay=0.5), 19.5),
        (lambda model: torch.optim.Adam(model.parameters(), 0.01), 3800.0),
        (lambda model: torch.optim.RMSprop(model.parameters(), 0.01), 200.0),
    ],
)
def test_the_threshold_is_the_optimizers_own(optimizer, threshold):
    assert kazami.sharpness(least_squares(optimizer)).threshold == pytest.approx(threshold)


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_the_threshold_parts_trainings_that_converge_from_those_that_do_not(factor):
    rate = factor * 2.0 * 1.9 / EXACT[0]
    given = least_squares(sgd(rate, momentum=0.9), steps=2000)
    assert kazami.sharpness(given).details["ratio"] == pytest.approx(factor)
    best = float(torch.linalg.lstsq(X, Y).solution.sub(0).norm())
    last = given.run().losses[-1]
    floor = float(F.mse_loss(X @ torch.linalg.lstsq(X, Y).solution, Y))
    assert best > 0.0
    assert (last < 1.01 * floor) == (factor < 1.0)


def test_adam_is_measured_in_the_coordinates_of_its_first_step():
    given = training(mlp, *CASES["mlp"][1:], optimizer=lambda model: torch.optim.Adam(model.parameters(), 1e-3))
    found = kazami.sharpness(given, k=2)
    model = given.start().model
    hessian = dense_hessian(model, F.cross_entropy, given.batches())
    model.zero_grad()
    F.cross_entropy(model(given.batches()[0][0]), given.batches()[0][1]).backward()
    slope = torch.cat([part.grad.reshape(-1) for part in model.parameters()]).double()
    root = (0.1 * (slope.abs() + 1e-8)).rsqrt()
    assert found.value == pytest.approx(torch.linalg.eigvalsh(root[:, None] * hessian * root).flip(0)[:2].numpy(), rel=1e-3)
    assert found.details["bare"] == pytest.approx(torch.linalg.eigvalsh(hessian).flip(0)[:2].numpy(), rel=1e-4)
    assert any("first step" in text for text in found.warnings)
    later = kazami.sharpness(given, after=30)
    assert later.details["is_preconditioned"]
    assert not any("first step" in text for text in later.warnings)


def test_groups_of_different_rates_are_folded_in():
    """Plain descent with two rates is plain descent with one on rescaled weights: the ratio must be the multiplier's."""
    given = training(
        mlp, *CASES["mlp"][1:], optimizer=lambda model: torch.optim.SGD([{"params": model[0].parameters(), "lr": 0.3}, {"params": model[2].parameters()}], 0.1)
    )
    found = kazami.sharpness(given)
    hessian = dense_hessian(given.start().model, F.cross_entropy, given.batches())
    rates = torch.cat([torch.full((30,), 0.3), torch.full((21,), 0.1)]).double()
    exact = float(torch.linalg.eigvals(rates[:, None] * hessian).real.max())
    assert found.details["ratio"] == pytest.approx(exact / 2.0, rel=1e-4)


def test_local_values_are_the_batches_own_and_average_to_the_whole():
    make, loss, batches = CASES["mlp"]
    found = kazami.sharpness(training(make, loss, batches), k=2)
    sizes = np.array([len(inputs) for inputs, _ in batches])
    assert found.local.shape == (2, 2)
    assert (sizes / sizes.sum()) @ found.local == pytest.approx(found.value, rel=1e-9)


def test_what_the_loop_does_beside_the_step_is_said():
    make, loss, batches = CASES["mlp"]
    odd = training(make, loss, batches, zero_grad=False, clip_grad_norm=1.0, train_step=lambda model, optimizer, batch: torch.zeros(()))
    said = " ".join(kazami.sharpness(odd).warnings)
    assert all(word in said for word in ("train_step", "zero_grad", "Clipping"))
    assert all(text.ja != str(text) for text in kazami.sharpness(odd).warnings)


def test_an_unknown_rule_has_no_threshold():
    found = kazami.sharpness(training(*CASES["mlp"], optimizer=lambda model: torch.optim.Adadelta(model.parameters())))
    assert np.isnan(found.threshold)
    assert any("Adadelta" in text for text in found.warnings)


def test_the_caller_is_not_disturbed():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    kazami.sharpness(training(*CASES["convolution"]), k=2)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_not_finite_is_an_answer():
    found = kazami.sharpness(training(mlp, lambda output, target: output.sum() * float("nan"), CASES["mlp"][2]))
    assert found.outcome is Outcome.NON_FINITE
    assert np.isnan(found.value).all()


@pytest.mark.parametrize(("given", "options", "said"), [("no", {}, "kazami.Training"), ("yes", {"k": 99}, "between 1"), ("yes", {"after": -1}, "after should")])
def test_what_cannot_be_is_refused(given, options, said):
    with pytest.raises(UsageError, match=said):
        kazami.sharpness(training(*CASES["mlp"]) if given == "yes" else nn.Linear(1, 1), **options)
