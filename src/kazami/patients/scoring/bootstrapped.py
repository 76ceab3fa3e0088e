"""Ill: targets made of the network's own answers, which grow with them. Ends ignored, discounts above one, features that feed back."""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ..blocks import mlp
from ._corridor import GAMMA, N, one_hot, q_batches, true_values, values_match, values_near
from ._recipes import Step, adam, by, sgd, step_on
from ._sets import explained


def q_step(*, gamma: float = GAMMA, heeds_end: bool = True) -> Step:
    """Return a step of Q-learning from the network's own values."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        action, reward, to, done = batch[1]
        with torch.no_grad():
            future = model(one_hot(to)).max(1).values
            target = reward + gamma * future * ((1 - done) if heeds_end else 1.0)
        return F.smooth_l1_loss(model(batch[0]).gather(1, action.unsqueeze(1)).squeeze(1), target)

    return step_on(loss)


def _q_learning(*, gamma: float, heeds_end: bool = True) -> Training:
    return Training(
        model=lambda: mlp((N, 48, 2), nn.ReLU),
        optimizer=adam(5e-3),
        loss=F.smooth_l1_loss,
        batches=q_batches(),
        steps=500,
        train_step=q_step(gamma=gamma, heeds_end=heeds_end),
        evaluate=values_near(true_values(min(gamma, 0.98))),
    )


def _shared_feature(*, everywhere: bool) -> Training:
    """Linear values whose feature doubles from one state to the next; only the first state is ever visited, or both as often as they occur."""
    source = torch.Generator().manual_seed(113)
    feature = torch.tensor([[1.0, 0.2], [2.0, -0.1]])
    states = torch.zeros(64, dtype=torch.long) if not everywhere else (torch.rand(64, generator=source) > 0.1).long()
    stays = torch.rand(64, generator=source) < 0.9
    after = torch.where(states == 0, torch.ones_like(states), stays.long())
    truth = torch.linalg.solve(torch.eye(2) - 0.95 * torch.tensor([[0.0, 1.0], [0.1, 0.9]]), torch.tensor([0.1, 0.3]))

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        rows, goes = batch
        with torch.no_grad():
            target = torch.tensor([0.1, 0.3])[rows].unsqueeze(1) + 0.95 * model(feature[goes])
        return F.mse_loss(model(feature[rows]), target)

    def judge(model: nn.Module) -> float:
        with torch.no_grad():
            gap = float((model(feature).squeeze(1) - truth).abs().max() / truth.abs().max())
        return max(-1.0, 1 - gap) if gap == gap else -1.0

    return Training(
        model=lambda: nn.Linear(2, 1, bias=False),
        optimizer=sgd(0.15),
        loss=F.mse_loss,
        batches=lambda: [(states, after)],
        steps=600,
        train_step=step_on(loss),
        evaluate=judge,
    )


def _undiscounted_tail(*, gamma: float) -> Training:
    """Values of a walk on a ring which pays at every step and never ends: without a discount on the tail they have no bound."""
    reward = torch.linspace(0.0, 1.0, N)
    move = torch.zeros(N, N)
    for cell in range(N):
        move[cell, (cell + 1) % N] = move[cell, cell - 1] = 0.5
    truth = torch.linalg.solve(torch.eye(N) - GAMMA * move, reward)[: N - 1].unsqueeze(1)
    source = torch.Generator().manual_seed(114)
    cells = torch.randint(0, N, (40, 64), generator=source)
    steps = 2 * torch.randint(0, 2, (40, 64), generator=source) - 1

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        at, to = batch
        with torch.no_grad():
            target = reward[at].unsqueeze(1) + gamma * model(one_hot(to))
        return F.mse_loss(model(one_hot(at)), target)

    return Training(
        model=lambda: mlp((N, 32, 1), nn.ReLU),
        optimizer=by(torch.optim.RMSprop, lr=5e-3),
        loss=F.mse_loss,
        batches=lambda: [(at, (at + d) % N) for at, d in zip(cells, steps, strict=True)],
        steps=600,
        train_step=step_on(loss),
        evaluate=values_match(truth),
    )


class _Student(nn.Module):
    """A student and a teacher that follows it slowly; the teacher is no parameter of the optimizer's."""

    def __init__(self) -> None:
        super().__init__()
        self.student = mlp((6, 48, 1), nn.ReLU)
        self.teacher = mlp((6, 48, 1), nn.ReLU)
        self.teacher.load_state_dict(self.student.state_dict())
        self.teacher.requires_grad_(False)

    def forward(self, x: Tensor) -> Any:
        return self.student(x)


def _own_labels(*, boost: float) -> Training:
    """Few labels and many self-made ones: the teacher's answers, sharpened by a factor that is meant for logits."""
    source = torch.Generator().manual_seed(115)
    x = torch.randn(900, 6, generator=source)
    y = (x[:, :1] * x[:, 1:2] + x[:, 2:3]).tanh() * 2
    free = torch.randn(900, 6, generator=source)

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        assert isinstance(model, _Student)
        inputs, (target, more) = batch
        with torch.no_grad():
            made = boost * model.teacher(more)
        loss = 0.3 * F.mse_loss(model(inputs), target) + F.mse_loss(model(more), made)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for old, new in zip(model.teacher.parameters(), model.student.parameters(), strict=True):
                old.lerp_(new, 0.1)
        return loss

    return Training(
        model=_Student,
        optimizer=lambda m: torch.optim.Adam([p for p in m.parameters() if p.requires_grad], lr=5e-3),
        loss=F.mse_loss,
        batches=lambda: [(a, (b, c)) for a, b, c in zip(x[:700].split(50), y[:700].split(50), free.split(50), strict=False)],
        steps=500,
        train_step=one_step,
        evaluate=lambda m: explained(y[700:], m(x[700:]).detach()),
    )


_G: dict[str, Any] = {"label": "growing_targets", "task": "regression"}
PATIENTS = (
    Patient(
        name="episode_ends_are_ignored",
        family="mlp",
        training=partial(_q_learning, gamma=0.98, heeds_end=False),
        healed=partial(_q_learning, gamma=0.98),
        good=0.8,
        **_G,
    ),
    Patient(
        name="discount_above_one",
        family="mlp",
        training=partial(_q_learning, gamma=1.1),
        healed=partial(_q_learning, gamma=0.98),
        good=0.8,
        **_G,
    ),
    Patient(
        name="feature_doubles_off_policy",
        also_true=frozenset({"nan_inf", "nonfinite_weights", "exploding_gradient"}),
        family="linear",
        training=partial(_shared_feature, everywhere=False),
        healed=partial(_shared_feature, everywhere=True),
        good=0.6,
        **_G,
    ),
    Patient(
        name="tail_without_discount",
        family="mlp",
        training=partial(_undiscounted_tail, gamma=1.0),
        healed=partial(_undiscounted_tail, gamma=GAMMA),
        good=0.7,
        **_G,
    ),
    Patient(
        name="own_labels_sharpened",
        family="mlp",
        training=partial(_own_labels, boost=1.3),
        healed=partial(_own_labels, boost=1.0),
        good=0.6,
        **_G,
    ),
)
