"""Healthy: networks that solve equations, follow flows, denoise, transform densities or fit with sines and splines."""

import math
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ..blocks import mlp
from ._recipes import adam, adamw, by, healthy, step_on
from ._sets import answer, explained, full_batch, minibatches, r_squared, split, wave


def _heat_equation() -> Training:
    """u_t = 0.1 u_xx with a sine at the start: second derivatives, three terms that are in balance."""
    source = torch.Generator().manual_seed(161)
    inside = torch.rand(200, 2, generator=source)
    x0, t0 = torch.rand(60, 1, generator=source), torch.rand(60, 1, generator=source)
    start, zero = torch.cat([x0, torch.zeros(60, 1)], 1), torch.zeros(60, 1)
    ends = torch.cat([(x0 > 0.5).float(), t0], 1)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        p = batch[0].clone().requires_grad_()
        first = torch.autograd.grad(model(p).sum(), p, create_graph=True)[0]
        second = torch.autograd.grad(first[:, 0].sum(), p, create_graph=True)[0][:, 0]
        residual = (first[:, 1] - 0.1 * second).square().mean()
        result: Tensor = residual + 5 * F.mse_loss(model(start), torch.sin(math.pi * x0)) + 5 * F.mse_loss(model(ends), zero)
        return result

    truth = torch.sin(math.pi * inside[:, :1]) * torch.exp(-0.1 * math.pi**2 * inside[:, 1:])
    return Training(
        model=lambda: mlp((2, 24, 24, 1), nn.Tanh),
        optimizer=adam(5e-3),
        loss=F.mse_loss,
        batches=full_batch(inside, None),
        steps=400,
        train_step=step_on(loss),
        evaluate=lambda m: explained(truth, answer(m, inside)),
    )


def turned(x: Tensor, time: float) -> Tensor:
    """Return points on a damped swing after ``time``."""
    decay, c, s = math.exp(-0.1 * time), math.cos(2 * time), math.sin(2 * time)
    return decay * x @ torch.tensor([[c, s], [-s, c]])


class _Flow(nn.Module):
    """A vector field stepped forty times by the midpoint rule: the same weights eighty times over."""

    def __init__(self) -> None:
        super().__init__()
        self.field = mlp((2, 32, 2), nn.Tanh)

    def forward(self, x: Tensor) -> Any:
        seen = []
        for i in range(40):
            middle = x + 0.0125 * self.field(x)
            x = x + 0.025 * self.field(middle)
            if i % 10 == 9:
                seen.append(x)
        return torch.cat(seen, 1)


def _neural_ode() -> Training:
    source = torch.Generator().manual_seed(162)
    x = 2 * torch.randn(300, 2, generator=source)
    data = split(x, torch.cat([turned(x, t) for t in (0.25, 0.5, 0.75, 1.0)], 1))
    return Training(
        model=_Flow,
        optimizer=adam(1e-2),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 45),
        steps=200,
        clip_grad_norm=1.0,
        evaluate=r_squared(data),
    )


class _Denoiser(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = mlp((4, 64, 64, 2), nn.SiLU)

    def forward(self, batch: Any) -> Any:
        x, level = batch
        return self.net(torch.cat([x, level, level.square()], 1))


def _diffusion() -> Training:
    """Predict the noise laid over points on a ring: the loss stays high for ever, because most noise cannot be known."""
    source = torch.Generator().manual_seed(163)
    angle = 2 * math.pi * torch.rand(800, 1, generator=source)
    ring = torch.cat([angle.cos(), angle.sin()], 1)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        level, noise = torch.rand(len(batch[0]), 1), torch.randn_like(batch[0])
        return F.mse_loss(model(((1 - level).sqrt() * batch[0] + level.sqrt() * noise, level)), noise)

    def judge(model: nn.Module) -> float:
        fixed = torch.Generator().manual_seed(3)
        noise = torch.randn(ring.shape, generator=fixed)
        level = torch.full((len(ring), 1), 0.3)
        return explained(noise, answer(model, (0.7**0.5 * ring + 0.3**0.5 * noise, level)))

    return Training(
        model=_Denoiser,
        optimizer=adamw(3e-3),
        loss=F.mse_loss,
        batches=lambda: [(part, None) for part in ring.split(80)],
        steps=500,
        train_step=step_on(loss),
        evaluate=judge,
    )


class _Coupling(nn.Module):
    """Six affine coupling layers; returns the code and the logarithm of the volume."""

    def __init__(self) -> None:
        super().__init__()
        self.nets = nn.ModuleList(mlp((1, 24, 2), nn.Tanh) for _ in range(6))

    def forward(self, x: Tensor) -> Any:
        volume = torch.zeros(len(x))
        for i, net in enumerate(self.nets):
            kept, moved = (x[:, :1], x[:, 1:]) if i % 2 == 0 else (x[:, 1:], x[:, :1])
            log_scale, shift = net(kept).chunk(2, 1)
            moved = moved * torch.tanh(log_scale).exp() + shift
            volume = volume + torch.tanh(log_scale).squeeze(1)
            x = torch.cat([kept, moved] if i % 2 == 0 else [moved, kept], 1)
        return x, volume


def _normalising_flow() -> Training:
    """The density of two moons by maximum likelihood: the loss begins high and ends at the entropy, not at zero."""
    source = torch.Generator().manual_seed(164)
    angle = math.pi * torch.rand(900, generator=source)
    upper = torch.arange(900) % 2 == 0
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    data = split(torch.stack([x, y], 1) + 0.08 * torch.randn(900, 2, generator=source), torch.zeros(900))

    def nll(out: Any, y: Any) -> Tensor:
        code, volume = out
        value: Tensor = (0.5 * code.square().sum(1) + math.log(2 * math.pi) - volume).mean()
        return value

    def judge(model: nn.Module) -> float:
        with torch.no_grad():
            return -float(nll(model(data.test_x), None))

    return Training(
        model=_Coupling,
        optimizer=adam(5e-3),
        loss=nll,
        batches=minibatches(data.x, data.y, 75),
        steps=400,
        evaluate=judge,
    )


class _Sines(nn.Module):
    """A network of sines, first layer thirty times faster."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.out = nn.Linear(1, 64), nn.Linear(64, 64), nn.Linear(64, 1)
        nn.init.uniform_(self.first.weight, -1, 1)
        nn.init.uniform_(self.second.weight, -math.sqrt(6 / 64) / 6, math.sqrt(6 / 64) / 6)

    def forward(self, x: Tensor) -> Any:
        return self.out(torch.sin(6 * self.second(torch.sin(12 * self.first(x)))))


def _fast_wave_by_sines() -> Training:
    source = torch.Generator().manual_seed(165)
    x = 2 * torch.rand(700, 1, generator=source) - 1
    data = split(x, torch.sin(14 * x) * torch.cos(3 * x))
    return Training(
        model=_Sines,
        optimizer=adam(1e-3),
        loss=F.mse_loss,
        batches=full_batch(data.x, data.y),
        steps=250,
        evaluate=r_squared(data),
    )


class _Splines(nn.Module):
    """A Kolmogorov-Arnold layer: a sum of learned bumps on every edge; most bumps are silent for most rows."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.places: Tensor
        self.register_buffer("places", torch.linspace(-2, 2, 9))
        self.heights = nn.Parameter(0.1 * torch.randn(n_in * 9, n_out))
        self.straight = nn.Linear(n_in, n_out)

    def forward(self, x: Tensor) -> Any:
        bumps = F.relu(1 - (x.unsqueeze(2) - self.places).abs() * 2)
        return self.straight(F.silu(x)) + bumps.flatten(1) @ self.heights


def _learned_splines() -> Training:
    source = torch.Generator().manual_seed(166)
    x = 2 * torch.rand(900, 3, generator=source) - 1
    data = split(x, (torch.exp(torch.sin(math.pi * x[:, :1]) + x[:, 1:2] ** 2) / 2 + x[:, 2:]))
    return Training(
        model=lambda: nn.Sequential(_Splines(3, 6), _Splines(6, 1)),
        optimizer=adam(1e-2),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 45),
        steps=300,
        evaluate=r_squared(data),
    )


class _Operator(nn.Module):
    """Branch and trunk: the running integral of a sampled function at a place."""

    def __init__(self) -> None:
        super().__init__()
        self.branch, self.trunk = mlp((20, 48, 24), nn.GELU), mlp((1, 48, 24), nn.GELU)

    def forward(self, batch: Any) -> Any:
        function, place = batch
        return (self.branch(function) * self.trunk(place)).sum(1, keepdim=True)


@cache
def _integrals() -> tuple[Tensor, Tensor, Tensor]:
    source = torch.Generator().manual_seed(167)
    grid, waves = torch.linspace(0, 1, 20), torch.arange(1, 4)
    weight = torch.randn(1200, 3, generator=source)
    place = torch.rand(1200, 1, generator=source)
    function = weight @ torch.cos(math.pi * waves[:, None] * grid[None, :])
    truth = (weight * torch.sin(math.pi * waves * place) / (math.pi * waves)).sum(1, keepdim=True)
    return function, place, truth


def _integral_operator() -> Training:
    function, place, y = _integrals()
    parts = zip(function[:1000].split(50), place[:1000].split(50), y[:1000].split(50), strict=True)
    made: list[Batch] = [((a, b), c) for a, b, c in parts]
    return Training(
        model=_Operator,
        optimizer=adam(3e-3),
        loss=F.mse_loss,
        batches=lambda: list(made),
        steps=500,
        evaluate=lambda m: explained(y[1000:], answer(m, (function[1000:], place[1000:]))),
    )


def _equilibrium() -> Training:
    """A deep equilibrium layer, iterated to its fixed point: gradients shrink from iteration to iteration, as they should."""
    data = wave()

    class Balanced(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inp, self.inner, self.out = nn.Linear(1, 48), nn.Linear(48, 48, bias=False), nn.Linear(48, 1)
            nn.init.orthogonal_(self.inner.weight, gain=0.5)

        def forward(self, x: Tensor) -> Any:
            z, drive = torch.zeros(len(x), 48), self.inp(x)
            for _ in range(20):
                z = torch.tanh(self.inner(z) + drive)
            return self.out(z)

    return Training(
        model=Balanced,
        optimizer=adam(1e-2),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 48),
        steps=400,
        evaluate=r_squared(data),
    )


def _inverse_problem() -> Training:
    """Two physical constants of a swing from its noisy trace: two parameters, gradients that differ by decades, few steps of LBFGS."""
    t = torch.linspace(0, 3, 120)
    source = torch.Generator().manual_seed(169)
    trace = torch.exp(-0.3 * t) * torch.cos(2.5 * t) + 0.02 * torch.randn(120, generator=source)

    class Swing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.decay, self.speed = nn.Parameter(torch.rand(()) * 0.2), nn.Parameter(2.0 + 0.5 * torch.rand(()))

        def forward(self, t: Tensor) -> Any:
            return torch.exp(-self.decay * t) * torch.cos(self.speed * t)

    return Training(
        model=Swing,
        optimizer=by(torch.optim.LBFGS, lr=0.5, max_iter=4),
        loss=F.mse_loss,
        batches=full_batch(t, trace),
        steps=60,
        evaluate=lambda m: explained(trace, answer(m, t)),
    )


def _score_matching() -> Training:
    """Implicit score matching of a mixture: the loss is negative from the start and is differentiated twice."""
    source = torch.Generator().manual_seed(170)
    side = torch.where(torch.rand(1200, 1, generator=source) < 0.5, 1.5, -1.5)
    x = side + 0.6 * torch.randn(1200, 1, generator=source)
    grid = torch.linspace(-3, 3, 100).unsqueeze(1)
    a, b = (torch.exp(-((grid - c) ** 2) / (2 * 0.36)) for c in (1.5, -1.5))
    truth = -(a * (grid - 1.5) + b * (grid + 1.5)) / (a + b) / 0.36

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        p = batch[0].clone().requires_grad_()
        score = model(p)
        slope = torch.autograd.grad(score.sum(), p, create_graph=True)[0]
        result: Tensor = (0.5 * score.square() + slope).mean()
        return result

    return Training(
        model=lambda: mlp((1, 32, 32, 1), nn.Tanh),
        optimizer=adam(5e-3),
        loss=F.mse_loss,
        batches=lambda: [(part, None) for part in x.split(150)],
        steps=500,
        train_step=step_on(loss),
        evaluate=lambda m: explained(truth, answer(m, grid)),
    )


PATIENTS: tuple[Patient, ...] = (
    healthy("heat_equation_three_terms", _heat_equation, 0.9, "mlp", "regression"),
    healthy("vector_field_unrolled_eighty_times", _neural_ode, 0.95, "other", "regression"),
    healthy("noise_on_a_ring", _diffusion, 0.2, "mlp", "regression"),
    healthy("density_of_two_moons", _normalising_flow, -1.45, "other", "regression"),
    healthy("fast_wave_by_sines", _fast_wave_by_sines, 0.95, "mlp", "regression", near=False),
    healthy("bumps_on_every_edge", _learned_splines, 0.9, "other", "regression"),
    healthy("operator_branch_and_trunk", _integral_operator, 0.8, "other", "regression", near=False),
    healthy("equilibrium_of_twenty_iterations", _equilibrium, 0.95, "rnn", "regression"),
    healthy("constants_of_a_swing", _inverse_problem, 0.95, "other", "regression"),
    healthy("score_of_a_mixture", _score_matching, 0.8, "mlp", "regression"),
)
