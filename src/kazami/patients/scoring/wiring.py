"""Ill: the parts are right but not connected. Parameters nobody updates, gradients nobody clears, activations nobody applies, shapes that broadcast."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._sets import accuracy, digits, friedman, images, minibatches, r_squared, rows, spirals, tokens, wave


class _Pretrained(nn.Module):
    """A classifier made for a thousand classes, of whose last layer the user wants ten."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, stride=2, padding=1)
        self.fc = nn.Linear(24, 1000)

    def forward(self, x: Tensor) -> Any:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc(x.mean(dim=(2, 3)))


def _new_head(model: nn.Module) -> nn.Module:
    model.fc = nn.Linear(24, 10)
    for conv in (model.conv1, model.conv2):
        for parameter in conv.parameters():  # type: ignore[union-attr]
            parameter.requires_grad_(False)
    return model


def _replaced_head(*, head_first: bool) -> Training:
    data = images()

    def make_optimizer(model: nn.Module) -> torch.optim.Optimizer:
        if head_first:
            _new_head(model)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
        if not head_first:
            _new_head(model)
        return optimizer

    return Training(
        model=_Pretrained,
        optimizer=make_optimizer,
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 64),
        steps=400,
        evaluate=accuracy(data),
    )


class _Cut(nn.Module):
    """An encoder to a narrow code, and a classifier of it."""

    def __init__(self, *, detach: bool) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 4), nn.Tanh())
        self.classifier = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 10))
        self.detach = detach

    def forward(self, x: Tensor) -> Any:
        code = self.encoder(x)
        if self.detach:
            code = code.detach()
        return self.classifier(code)


def _detached(*, detach: bool) -> Training:
    data = digits()
    return Training(
        model=partial(_Cut, detach=detach),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=4e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=500,
        evaluate=accuracy(data),
    )


class _Tagger(nn.Module):
    """Token embedding of two numbers, a GRU, a class."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 2)
        self.rnn = nn.GRU(2, 12, batch_first=True)
        self.fc = nn.Linear(12, 3)
        nn.init.uniform_(self.embed.weight, -0.05, 0.05)

    def forward(self, x: Tensor) -> Any:
        out, _ = self.rnn(self.embed(x))
        return self.fc(out.mean(1))


def _frozen_embedding(*, train_embedding: bool) -> Training:
    data = tokens()

    def make_optimizer(m: nn.Module) -> torch.optim.Optimizer:
        groups = [{"params": m.rnn.parameters()}, {"params": m.fc.parameters(), "lr": 1e-2}]  # type: ignore[union-attr]
        if train_embedding:
            groups.append({"params": m.embed.parameters()})  # type: ignore[union-attr]
        return torch.optim.Adam(groups, lr=5e-3)

    return Training(
        model=_Tagger,
        optimizer=make_optimizer,
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        evaluate=accuracy(data),
    )


def _only_biases(*, freeze: bool) -> Training:
    data = friedman()

    def make() -> nn.Module:
        net = nn.Sequential(nn.Linear(10, 40), nn.SiLU(), nn.Linear(40, 40), nn.SiLU(), nn.Linear(40, 1), nn.Flatten(0))
        for name, parameter in net.named_parameters():
            parameter.requires_grad = not freeze or name.endswith("bias")
        return net

    return Training(
        model=make,
        optimizer=lambda m: torch.optim.AdamW([p for p in m.parameters() if p.requires_grad], lr=4e-3),
        loss=nn.SmoothL1Loss(),
        batches=minibatches(data.x, data.y, 40),
        steps=350,
        evaluate=r_squared(data),
    )


class _ListNet(nn.Module):
    """Hidden layers kept in a Python list, or in a ModuleList."""

    def __init__(self, keep: Callable[[list[nn.Module]], Any], *, squeeze: int = 3) -> None:
        super().__init__()
        self.layers = keep([nn.Linear(2, 24), nn.Linear(24, 24), nn.Linear(24, squeeze)])
        self.out = nn.Linear(squeeze, 2)

    def forward(self, x: Tensor) -> Any:
        for layer in self.layers:
            x = F.elu(layer(x))
        return self.out(x)


def _python_list(keep: Callable[[list[nn.Module]], Any]) -> Training:
    data = spirals(1.0)
    return Training(
        model=partial(_ListNet, keep),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 60),
        steps=500,
        evaluate=accuracy(data),
    )


class _OwnLayer(nn.Module):
    """Weights made by hand; only nn.Parameter would register them."""

    def __init__(self, wrap: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.w1 = wrap((torch.randn(64, 5) / 8).requires_grad_())
        self.w2 = wrap((torch.randn(5, 32) / 2).requires_grad_())
        self.w3 = nn.Parameter(torch.randn(32, 10) / 6)
        self.b3 = nn.Parameter(torch.zeros(10))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(torch.tanh(x @ self.w1) @ self.w2) @ self.w3 + self.b3


def _plain_tensors(wrap: Callable[[Tensor], Tensor]) -> Training:
    data = digits()
    return Training(
        model=partial(_OwnLayer, wrap),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.3),
        loss=lambda z, y: -torch.log_softmax(z, 1)[torch.arange(len(y)), y].mean(),
        batches=minibatches(data.x, data.y, 32),
        steps=600,
        evaluate=accuracy(data),
    )


class _RowReader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 40, batch_first=True)
        self.fc = nn.Linear(40, 10)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.gru(x)[1][-1])


def _never_cleared(
    make: Callable[[], nn.Module], optimizer: Callable[[nn.Module], torch.optim.Optimizer], *, data_of: Callable[[], Any], zero: bool
) -> Training:
    data = data_of()

    def one_step(model: nn.Module, opt: torch.optim.Optimizer, batch: Batch) -> Tensor:
        x, y = batch
        if zero:
            opt.zero_grad()
        loss: Tensor = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss

    return Training(
        model=make,
        optimizer=optimizer,
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=accuracy(data),
        train_step=one_step,
    )


def _conv_net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))


_gru_uncleared = partial(_never_cleared, _RowReader, lambda m: torch.optim.Adam(m.parameters(), lr=1e-2), data_of=rows)
_conv_uncleared = partial(_never_cleared, _conv_net, lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.5), data_of=images)


def _regression_uncleared(*, zero: bool) -> Training:
    data = wave()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(1, 50), nn.Tanh(), nn.Linear(50, 50), nn.Tanh(), nn.Linear(50, 1)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=600,
        evaluate=r_squared(data),
        zero_grad=zero,
    )


_C: dict[str, Any] = {"task": "classification"}
_R: dict[str, Any] = {"task": "regression"}
PATIENTS = (
    Patient(
        name="fc_swapped_after_adam_was_made",
        label="frozen_parameters",
        family="cnn",
        training=partial(_replaced_head, head_first=False),
        healed=partial(_replaced_head, head_first=True),
        good=0.5,
        **_C,
    ),
    Patient(
        name="code_detached",
        label="frozen_parameters",
        family="mlp",
        training=partial(_detached, detach=True),
        healed=partial(_detached, detach=False),
        good=0.8,
        **_C,
    ),
    Patient(
        name="embedding_left_out_of_the_groups",
        label="frozen_parameters",
        family="rnn",
        training=partial(_frozen_embedding, train_embedding=False),
        healed=partial(_frozen_embedding, train_embedding=True),
        good=0.9,
        **_C,
    ),
    Patient(
        name="only_biases_train",
        label="frozen_parameters",
        family="mlp",
        training=partial(_only_biases, freeze=True),
        healed=partial(_only_biases, freeze=False),
        good=0.85,
        **_R,
    ),
    Patient(
        name="hidden_layers_in_a_list",
        label="unregistered_parameters",
        also_true=frozenset({"frozen_parameters"}),
        family="mlp",
        training=partial(_python_list, list),
        healed=partial(_python_list, nn.ModuleList),
        good=0.9,
        **_C,
    ),
    Patient(
        name="tensors_that_are_no_parameters",
        label="unregistered_parameters",
        also_true=frozenset({"frozen_parameters"}),
        family="mlp",
        training=partial(_plain_tensors, lambda t: t),
        healed=partial(_plain_tensors, nn.Parameter),
        good=0.8,
        **_C,
    ),
    Patient(
        name="gru_adam_never_cleared",
        label="no_zero_grad",
        also_true=frozenset({"oscillating_loss"}),
        family="rnn",
        training=partial(_gru_uncleared, zero=False),
        healed=partial(_gru_uncleared, zero=True),
        good=0.9,
        **_C,
    ),
    Patient(
        name="conv_own_loop_never_cleared",
        label="no_zero_grad",
        also_true=frozenset({"oscillating_loss", "dead_units"}),
        family="cnn",
        training=partial(_conv_uncleared, zero=False),
        healed=partial(_conv_uncleared, zero=True),
        good=0.9,
        **_C,
    ),
    Patient(
        name="wave_never_cleared",
        label="no_zero_grad",
        family="mlp",
        training=partial(_regression_uncleared, zero=False),
        healed=partial(_regression_uncleared, zero=True),
        good=0.8,
        also_true=frozenset({"nan_inf", "exploding_gradient"}),
        **_R,
    ),
)
