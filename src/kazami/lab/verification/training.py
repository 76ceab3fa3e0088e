"""Trainings as maps: the map against torch's own optimizers, its tangents against differences, the sum rule, the edge of stability, a published exponent."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from ...dynamics import finite_perturbation_exponent, lyapunov_spectrum
from ...maps import Training, TrainingMap
from ..sharpening import sharpening
from ..small_trainings import Factors, Optimizer, full_batch, gradient_descent, raw_iris
from ._base import AbstractTruths, Check, Measurement, Sentence, truth

SGD, STEPS = torch.optim.SGD, 50
RULES: tuple[tuple[str, type[torch.optim.Optimizer], dict[str, Any]], ...] = (
    ("gradient descent", SGD, {"lr": 0.1}),
    ("momentum, weight decay", SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    ("Nesterov", SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", torch.optim.RMSprop, {"lr": 0.01}),
    ("Adam", torch.optim.Adam, {"lr": 0.01}),
    ("AdamW", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
)
TANH = Factors("16-16", "tanh", "xavier", "mse")
SIGMOID = Factors("10", "sigmoid", "normal:1", "cross_entropy")
COHEN = "published: Cohen et al. 2021, 2022: sharpness hovers at the threshold"
DANOVSKI = "published: Danovski, Soriano and Lacasa 2024 (arXiv 2404.05782), 0.285, measured again 0.27"
SUM_RULE = "exact: Σλ = mean ln |det(I - ηH)| with dense Hessians"
EDGE_STEPS = 4000
# published between 0.82 and 0.93; the share among 100 initialisations has a standard error of 0.035


class TrainingsAsMaps(AbstractTruths):
    """What kazami says about trainings, against torch, differences, determinants and papers."""

    name: ClassVar = "training"
    title: ClassVar = Sentence("Trainings as maps", "写像としての学習")

    def measurements(self, *, quick: bool) -> Sequence[Measurement]:
        """The quick version leaves out long trainings and ensembles."""
        rules: list[Measurement] = [partial(measure, *rule) for rule in RULES for measure in (_same_steps, _tangents)]
        edge: Measurement = partial(_edge, "gradient descent, 0.3", "勾配降下法、0.3", gradient_descent(0.3), (0.95, 1.03))
        adam: Measurement = partial(_edge, "Adam, 0.01", "Adam、0.01", lambda model: torch.optim.Adam(model.parameters(), 0.01), (0.9, 1.05))
        return [*rules, _sum_rule, *([] if quick else [edge, adam, _danovski])]


def _training(optimizer: type[torch.optim.Optimizer], settings: dict[str, Any]) -> Training:
    data = raw_iris(standardised=True)
    make: Optimizer = lambda model: optimizer(model.parameters(), **settings)  # noqa: E731
    return full_batch(data, Factors("5", "tanh", "xavier", "cross_entropy"), make, steps=STEPS, seed=0)


def _same_steps(name: str, optimizer: type[torch.optim.Optimizer], settings: dict[str, Any]) -> Sequence[Check]:
    training = _training(optimizer, settings)
    m = TrainingMap(training)
    m.step(STEPS)
    theirs = nn.utils.parameters_to_vector(training.run().model.parameters()).detach()
    apart = float((m.current_state()[: m.n_parameters] - theirs).abs().max())
    names = f"{name}: map against torch.optim after {STEPS} steps", f"{name}: 写像と torch.optim の差（{STEPS} ステップ後）"
    return [truth(names, apart, 0.0, 1e-10, "definition: the map is the optimizer's step")]


def _tangents(name: str, optimizer: type[torch.optim.Optimizer], settings: dict[str, Any]) -> Sequence[Check]:
    m = TrainingMap(_training(optimizer, settings))
    m.step(10)
    state, size = m.current_state(), 1e-6
    direction = torch.randn(m.dimension, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * state.abs().clamp(max=1e-2)
    _, exact = m.advance_tangents(state, direction[:, None], m.time)
    ahead, behind = (m.advance(state + sign * size * direction, m.time) for sign in (1.0, -1.0))
    apart = float((exact[:, 0] - (ahead - behind) / (2 * size)).norm() / exact.norm())
    names = f"{name}: tangent against a central difference", f"{name}: 接ベクトルと中心差分の相対差"
    return [truth(names, apart, 0.0, 1e-5, "definition: the tangent is the step's derivative")]


def _sum_rule() -> Sequence[Check]:
    rate, steps = 0.5, 40
    training = full_batch(raw_iris(standardised=True), Factors("4", "tanh", "xavier", "cross_entropy"), gradient_descent(rate), steps=steps, seed=0)
    m = TrainingMap(training)
    found = lyapunov_spectrum(m, steps=steps)
    run, logs = training.start(), []
    (x, y), model = next(iter(training.batches())), run.model
    names = [name for name, _ in model.named_parameters()]
    for _ in range(steps):
        start = nn.utils.parameters_to_vector(model.parameters()).detach()
        hessian: Any = torch.autograd.functional.hessian(partial(_loss_of, model, names, x, y), start)
        logs.append(float(torch.linalg.slogdet(torch.eye(len(start), dtype=torch.float64) - rate * hessian)[1]))
        training.step(model, run.optimizer, (x, y))
    texts = "gradient descent: sum of all exponents", "勾配降下法: 全指数の総和"
    return [truth(texts, float(np.sum(found.value)), float(np.mean(logs)), 1e-6 * max(1.0, abs(float(np.mean(logs)))), SUM_RULE)]


def _loss_of(model: nn.Module, names: Sequence[str], x: torch.Tensor, y: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
    shapes = [value.shape for value in model.parameters()]
    parts = flat.split([math.prod(shape) for shape in shapes])
    values = {name: part.reshape(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
    return nn.functional.cross_entropy(torch.func.functional_call(model, values, (x,)), y)


def _edge(name: str, name_ja: str, optimizer: Optimizer, band: tuple[float, float]) -> Sequence[Check]:
    found = sharpening(full_batch(raw_iris(standardised=True), TANH, optimizer, steps=EDGE_STEPS, seed=0), steps=EDGE_STEPS, probes=24)
    names = f"{name}: late sharpness over the threshold", f"{name}: 後半のシャープネスと安定限界の比"
    return [truth(names, found.late, 0.5 * sum(band), 0.5 * (band[1] - band[0]), COHEN)]


def _danovski() -> Sequence[Check]:
    m = TrainingMap(full_batch(raw_iris(), SIGMOID, gradient_descent(1.0), steps=200, seed=0))
    found = finite_perturbation_exponent(m, 1e-8, initialisations=100, steps=200)
    names = "Iris, learning rate 1: finite-perturbation exponent", "Iris、学習率 1: 有限摂動の指数"
    kept = "Iris, learning rate 1: share of initialisations kept", "Iris、学習率 1: 採用された初期値の割合"
    return [
        truth(names, float(found), 0.27, 0.05, DANOVSKI),
        truth(kept, float(found.details["kept_fraction"]), 0.875, 0.11, DANOVSKI),
    ]
