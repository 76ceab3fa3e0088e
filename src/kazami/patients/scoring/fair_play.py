"""Healthy: targets that move and players that oppose each other, and yet it goes well. Value learning, policies, adversaries, teachers."""

import math
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ..blocks import mlp
from ._corridor import GAMMA, N, one_hot, q_batches, true_values, values_match
from ._games import PAYOFF, Critic, Mixed, Shift, closeness, duel, gan_value, gradient_penalty, samples
from ._recipes import Optimizer, adam, adamw, by, healthy, sgd, step_on
from ._sets import accuracy, answer, digits, split


class _Valued(nn.Module):
    """Action values and a frozen copy that lags behind."""

    def __init__(self) -> None:
        super().__init__()
        self.online, self.lagging = mlp((N, 48, 2), nn.ReLU), mlp((N, 48, 2), nn.ReLU)
        self.lagging.load_state_dict(self.online.state_dict())
        self.lagging.requires_grad_(False)
        self.taken: Tensor
        self.register_buffer("taken", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Any:
        return self.online(x)


def _q_step(model: nn.Module, optimizer: Optimizer, batch: Batch) -> Tensor:
    assert isinstance(model, _Valued)
    action, reward, to, done = batch[1]
    with torch.no_grad():
        best = model(one_hot(to)).argmax(1, keepdim=True)
        target = reward + GAMMA * (1 - done) * model.lagging(one_hot(to)).gather(1, best).squeeze(1)
    loss = F.smooth_l1_loss(model(batch[0]).gather(1, action.unsqueeze(1)).squeeze(1), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    model.taken += 1
    if int(model.taken) % 20 == 0:
        model.lagging.load_state_dict(model.online.state_dict())
    return loss


def _lagging_target() -> Training:
    """Double Q-learning with a copy renewed every twenty steps: the targets grow to their true values, and the loss jumps at each renewal."""
    return Training(
        model=_Valued,
        optimizer=lambda m: torch.optim.Adam([p for p in m.parameters() if p.requires_grad], lr=5e-3),
        loss=F.smooth_l1_loss,
        batches=q_batches(),
        steps=500,
        train_step=_q_step,
        evaluate=values_match(true_values()),
    )


def _evaluation_of_a_policy() -> Training:
    """Values of the random policy from their own bootstrapped targets, which grow until they are right."""
    truth = true_values(best=False)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        action, reward, to, done = batch[1]
        with torch.no_grad():
            target = reward + GAMMA * (1 - done) * model(one_hot(to)).mean(1)
        return F.mse_loss(model(batch[0]).gather(1, action.unsqueeze(1)).squeeze(1), target)

    return Training(
        model=lambda: mlp((N, 32, 2), nn.Tanh),
        optimizer=by(torch.optim.RMSprop, lr=3e-3),
        loss=F.mse_loss,
        batches=q_batches(),
        steps=600,
        train_step=step_on(loss),
        evaluate=values_match(truth),
    )


def _policy_gradient() -> Training:
    """A contextual bandit by REINFORCE: the surrogate loss says nothing, the reward does."""
    data = digits()

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        chances = torch.distributions.Categorical(logits=model(batch[0]))
        action = chances.sample()
        reward = (action == batch[1]).float()
        result: Tensor = -(chances.log_prob(action) * (reward - reward.mean())).mean() - 0.01 * chances.entropy().mean()
        return result

    return Training(
        model=lambda: mlp((64, 64, 10), nn.Tanh),
        optimizer=adam(1e-2),
        loss=F.mse_loss,
        batches=lambda: [(x, y) for x, y in zip(data.x.split(200), data.y.split(200), strict=True)][:6],
        steps=600,
        train_step=step_on(loss),
        evaluate=accuracy(data),
    )


class _ActorCritic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.actor, self.critic = mlp((N, 32, 2), nn.Tanh), mlp((N, 32, 1), nn.Tanh)

    def forward(self, x: Tensor) -> Any:
        return self.actor(x), self.critic(x)


def _actor_and_critic() -> Training:
    """An actor learns to walk right from a critic that learns from itself; the losses go up and down."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        action, reward, to, done = batch[1]
        logits, value = model(batch[0])
        with torch.no_grad():
            target = reward + GAMMA * (1 - done) * model(one_hot(to))[1].squeeze(1)
        gain = target - value.squeeze(1)
        chances = torch.distributions.Categorical(logits=logits)
        result: Tensor = gain.square().mean() - (chances.log_prob(action) * gain.detach()).mean() - 0.01 * chances.entropy().mean()
        return result

    def judge(model: nn.Module) -> float:
        with torch.no_grad():
            return float(model(one_hot(torch.arange(N - 1)))[0].softmax(1)[:, 1].mean())

    return Training(
        model=_ActorCritic,
        optimizer=adam(5e-3),
        loss=F.mse_loss,
        batches=q_batches(),
        steps=500,
        train_step=step_on(loss, clip=0.5),
        evaluate=judge,
    )


def _gan_that_settles() -> Training:
    """A small GAN under Adam with a gradient penalty: both losses stay near ln 2 for ever while the shift is right."""
    return Training(
        model=lambda: Critic(lambda: mlp((2, 32, 1), lambda: nn.LeakyReLU(0.2)), Shift),
        optimizer=by(torch.optim.Adam, lr=1e-2, betas=(0.5, 0.9)),
        loss=F.mse_loss,
        batches=samples((1.0, -1.0), n=100, seed=175),
        steps=500,
        train_step=duel(gan_value, "critic", penalty=gradient_penalty(0.3)),
        evaluate=closeness(torch.tensor([1.0, -1.0])),
    )


def _game_with_entropy() -> Training:
    """Stone, paper, scissors with a price on certainty: the players spiral inwards for hundreds of steps."""

    def value(model: nn.Module, batch: Batch) -> Tensor:
        assert isinstance(model, Mixed)
        row, column = model.row.softmax(0), model.column.softmax(0)
        result: Tensor = model(batch[0]) + 0.15 * ((row * row.log()).sum() - (column * column.log()).sum())
        return result

    def judge(model: nn.Module) -> float:
        assert isinstance(model, Mixed)
        with torch.no_grad():
            return 1 - float((PAYOFF.T @ model.row.softmax(0)).max() - (PAYOFF @ model.column.softmax(0)).min())

    return Training(
        model=Mixed,
        optimizer=sgd(0.5),
        loss=F.mse_loss,
        batches=lambda: [(PAYOFF, None)],
        steps=500,
        train_step=duel(value, "column"),
        evaluate=judge,
    )


class _Reversed(torch.autograd.Function):
    """The identity whose gradient is turned round."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        del ctx
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        del ctx
        return -0.3 * grad


class _TwoDomains(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.kind, self.domain = mlp((10, 32, 16), nn.ReLU), nn.Linear(16, 2), mlp((16, 16, 1), nn.ReLU)

    def forward(self, x: Tensor) -> Any:
        h = torch.relu(self.trunk(x))
        reverse: Any = _Reversed.apply
        return self.kind(h), self.domain(reverse(h)).squeeze(1)


def _domain_adversary() -> Training:
    """A trunk that fools its own domain classifier: that term climbs to ln 2 and stays there, as it should."""
    source = torch.Generator().manual_seed(177)
    x, place = torch.randn(1200, 10, generator=source), (torch.arange(1200) % 2).float()
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).long()
    x[:, 9] = 2 * place - 1 + 0.5 * x[:, 9]
    data = split(x, torch.stack([y.float(), place], 1))

    def loss(out: Any, wanted: Tensor) -> Tensor:
        return F.cross_entropy(out[0], wanted[:, 0].long()) + F.binary_cross_entropy_with_logits(out[1], wanted[:, 1])

    return Training(
        model=_TwoDomains,
        optimizer=adamw(5e-3),
        loss=loss,
        batches=lambda: list(zip(data.x.split(60), data.y.split(60), strict=True)),
        steps=500,
        evaluate=lambda m: float((answer(m, data.test_x).argmax(1) == data.test_y[:, 0]).float().mean()),
    )


class _MeanTeacher(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.student, self.teacher = mlp((64, 48, 10), nn.ReLU), mlp((64, 48, 10), nn.ReLU)
        self.teacher.load_state_dict(self.student.state_dict())
        self.teacher.requires_grad_(False)

    def forward(self, x: Tensor) -> Any:
        return self.student(x)


def _mean_teacher() -> Training:
    """Two hundred labels, a thousand unlabelled images, and a teacher that averages the student: the consistency term first grows from zero."""
    data = digits()

    def one_step(model: nn.Module, optimizer: Optimizer, batch: Batch) -> Tensor:
        assert isinstance(model, _MeanTeacher)
        (seen, unseen), y = batch
        with torch.no_grad():
            wanted = model.teacher(unseen).softmax(1)
        agreement = F.mse_loss(model(unseen + 0.1 * torch.randn_like(unseen)).softmax(1), wanted)
        loss = F.cross_entropy(model(seen), y) + 5 * agreement
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for old, new in zip(model.teacher.parameters(), model.student.parameters(), strict=True):
                old.lerp_(new, 0.05)
        return loss

    free = data.x[200:1000].split(40)
    batches = [((data.x[k : k + 40], free[i]), data.y[k : k + 40]) for i, k in zip(range(20), [0, 40, 80, 120, 160] * 4, strict=True)]
    return Training(
        model=_MeanTeacher,
        optimizer=lambda m: torch.optim.SGD([p for p in m.parameters() if p.requires_grad], lr=0.1, momentum=0.9),
        loss=F.cross_entropy,
        batches=lambda: list(batches),
        steps=300,
        train_step=one_step,
        evaluate=accuracy(data),
    )


def _evolving_rewards() -> Training:
    """Regression towards a target that drifts with the data: the loss rises with the drift and is caught up with again and again."""
    source = torch.Generator().manual_seed(179)
    slope = torch.randn(6, 1, generator=source)
    batches = []
    for i in range(300):
        x = torch.randn(50, 6, generator=source)
        batches.append((x, x @ slope * (1 + 0.5 * math.sin(i / 30)) + 0.05 * torch.randn(50, 1, generator=source)))
    x, y = batches[-1]
    return Training(
        model=partial(nn.Linear, 6, 1),
        optimizer=sgd(0.1),
        loss=F.mse_loss,
        batches=lambda: list(batches),
        steps=300,
        evaluate=lambda m: 1 - float(F.mse_loss(answer(m, x), y) / y.var()),
    )


PATIENTS: tuple[Patient, ...] = (
    healthy("values_from_a_lagging_copy", _lagging_target, 0.9, "mlp", "regression"),
    healthy("values_of_the_random_walk", _evaluation_of_a_policy, 0.9, "mlp", "regression"),
    healthy("bandit_by_policy_gradient", _policy_gradient, 0.8, "mlp", "classification"),
    healthy("actor_and_critic_walk_right", _actor_and_critic, 0.85, "mlp", "classification"),
    healthy("gan_with_a_gradient_penalty", _gan_that_settles, 0.75, "game", "regression"),
    healthy("stone_paper_scissors_spirals_in", _game_with_entropy, 0.9, "game", "regression"),
    healthy("trunk_fools_its_domain_head", _domain_adversary, 0.85, "mlp", "classification"),
    healthy("teacher_averages_the_student", _mean_teacher, 0.88, "mlp", "classification"),
    healthy("target_drifts_slowly", _evolving_rewards, 0.8, "linear", "regression"),
)
