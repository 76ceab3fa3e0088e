"""Sharpness along a training against its threshold."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.lab.sharpening import sharpening
from kazami.lab.small_trainings import Factors, full_batch, gradient_descent, raw_iris
from kazami.maps import Training


def test_a_quadratic_has_the_ratio_of_its_curvature():
    curvature, rate = 3.0, 0.2

    def loss(output, target):
        del target
        return 0.5 * curvature * output.square().sum()

    training = Training(
        model=lambda: nn.Linear(1, 1, bias=False).double(),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), rate),
        loss=loss,
        batches=lambda: [(torch.ones(1, 1, dtype=torch.float64), None)],
        steps=20,
    )
    found = sharpening(training, steps=20, probes=4)
    assert found.ratios == pytest.approx(np.full(len(found.ratios), curvature * rate / 2))
    assert found.late == pytest.approx(curvature * rate / 2)


def test_the_top_eigenvalue_is_that_of_the_dense_hessian():
    factors = Factors("4", "tanh", "xavier", "mse")
    training = full_batch(raw_iris(standardised=True), factors, gradient_descent(0.1), steps=6, seed=0)
    found = sharpening(training, steps=6, probes=2)
    run, ratios = training.start(), []
    (x, y), model = next(iter(training.batches())), None
    model = run.model
    names, shapes = zip(*((name, value.shape) for name, value in model.named_parameters()), strict=True)

    def loss_of(flat):
        parts = flat.split([shape.numel() for shape in shapes])
        return training.loss(torch.func.functional_call(model, {n: p.reshape(s) for n, p, s in zip(names, parts, shapes, strict=True)}, (x,)), y)

    for _ in range(6):
        flat = nn.utils.parameters_to_vector(model.parameters()).detach()
        ratios.append(0.1 / 2 * float(torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss_of, flat))[-1]))
        training.step(model, run.optimizer, (x, y))
    first = int(found.steps[0])
    assert found.ratios[0] == pytest.approx(0.5 * (ratios[first] + ratios[first + 1]), rel=5e-3)
