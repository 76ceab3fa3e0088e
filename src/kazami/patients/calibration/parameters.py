"""Parameters that the optimizer never moves, and gradients that nobody clears."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _only_the_head(*, everything: bool = False) -> Training:
    d = data.spirals()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh())
            self.head = nn.Linear(24, 2)

        def forward(self, x: Tensor) -> Tensor:
            z: Tensor = self.head(self.body(x))
            return z

    def optimizer(model: nn.Module) -> torch.optim.Optimizer:
        assert isinstance(model, Net)
        chosen = model.parameters() if everything else model.head.parameters()
        return torch.optim.Adam(chosen, lr=0.02)

    return Training(
        model=Net,
        optimizer=optimizer,
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 50, seed=61),
        steps=400,
        evaluate=data.accuracy(d.x, d.y),
    )


def _cut_in_the_middle(*, cut: bool = True) -> Training:
    """An encoder into three numbers, detached."""
    d = data.digits()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = blocks.mlp([64, 32, 3])
            self.classifier = blocks.mlp([3, 32, 10])

        def forward(self, x: Tensor) -> Tensor:
            code = self.encoder(x)
            z: Tensor = self.classifier(code.detach() if cut else code)
            return z

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 64, seed=62),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _new_head_after_the_optimizer(*, before: bool = False) -> Training:
    """Fine-tuning: the optimizer was made for the head that was then replaced."""
    d = data.digit_images()

    def replace_head(model: blocks.SmallCnn) -> None:
        model.head = nn.Linear(64, 10)

    def optimizer(model: nn.Module) -> torch.optim.Optimizer:
        assert isinstance(model, blocks.SmallCnn)
        for layer in (model.conv1, model.conv2):
            layer.requires_grad_(requires_grad=False)
        if before:
            replace_head(model)
        made = torch.optim.SGD(model.head.parameters(), lr=0.05, momentum=0.9)
        if not before:
            replace_head(model)
        return made

    return Training(
        model=lambda: blocks.SmallCnn(8, 1000),
        optimizer=optimizer,
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=63),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _frozen_reader(*, frozen: bool = True) -> Training:
    """requires_grad was switched off for an evaluation and never on again."""
    d = data.first_symbol(length=6, classes=6)

    def model() -> nn.Module:
        network = blocks.SequenceReader(6, 24, 6, cell="rnn")
        for parameter in network.recurrent.parameters():
            parameter.requires_grad = not frozen
        return network

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.Adam((p for p in m.parameters() if p.requires_grad), lr=0.01),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 50, seed=64),
        steps=250,
        evaluate=data.accuracy(d.x, d.y),
    )


def _layers_in_a_list(*, registered: bool = False) -> Training:
    d = data.friedman()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers = [nn.Linear(10, 8), nn.Linear(8, 8), nn.Linear(8, 8)]
            self.layers = nn.ModuleList(layers) if registered else layers
            self.out = nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                x = F.relu(layer(x))
            y: Tensor = self.out(x)
            return y

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 32, seed=65),
        steps=400,
        evaluate=data.r2(d.x, d.y),
        seed=2,
    )


def _blocks_in_a_list(*, registered: bool = False) -> Training:
    """A transformer whose encoder layers stand in a Python list."""
    d = data.reversed_tokens(length=5, vocabulary=6)

    class Translator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(6, 24)
            self.positions = nn.Parameter(0.1 * torch.randn(5, 24))
            layers = [nn.TransformerEncoderLayer(24, 2, 48, dropout=0.0, batch_first=True, norm_first=True) for _ in range(2)]
            self.layers = nn.ModuleList(layers) if registered else layers
            self.head = nn.Linear(24, 6)

        def forward(self, tokens: Tensor) -> Tensor:
            x = self.embedding(tokens) + self.positions
            for layer in self.layers:
                x = layer(x)
            z: Tensor = self.head(x).transpose(1, 2)
            return z

    return Training(
        model=Translator,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 50, seed=66),
        steps=250,
        evaluate=data.accuracy(d.x, d.y),
    )


def _forgotten_zero_grad(*, zero_grad: bool = False) -> Training:
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, 48, 10]),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=67),
        steps=250,
        zero_grad=zero_grad,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _forgotten_zero_grad_lstm(*, zero_grad: bool = False) -> Training:
    d = data.waves(length=16)
    return Training(
        model=lambda: blocks.SequenceReader(1, 24, 1, cell="lstm"),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=nn.MSELoss(),
        batches=data.minibatches(d.x, d.y, 30, seed=68),
        steps=250,
        zero_grad=zero_grad,
        evaluate=data.r2(d.x_test, d.y_test),
    )


PATIENTS = (
    Patient(
        name="optimizer_of_the_head_only",
        label="frozen_parameters",
        family="mlp",
        task="classification",
        training=_only_the_head,
        healed=partial(_only_the_head, everything=True),
        good=0.9,
    ),
    Patient(
        name="detached_in_the_middle",
        label="frozen_parameters",
        family="mlp",
        task="classification",
        training=_cut_in_the_middle,
        healed=partial(_cut_in_the_middle, cut=False),
        good=0.8,
    ),
    Patient(
        name="head_replaced_after_the_optimizer",
        label="frozen_parameters",
        family="cnn",
        task="classification",
        training=_new_head_after_the_optimizer,
        healed=partial(_new_head_after_the_optimizer, before=True),
        good=0.8,
    ),
    Patient(
        name="reader_left_frozen",
        label="frozen_parameters",
        family="rnn",
        task="classification",
        training=_frozen_reader,
        healed=partial(_frozen_reader, frozen=False),
        good=0.9,
    ),
    Patient(
        name="layers_in_a_list",
        label="unregistered_parameters",
        family="mlp",
        task="regression",
        training=_layers_in_a_list,
        healed=partial(_layers_in_a_list, registered=True),
        good=0.8,
        also_true=frozenset({"frozen_parameters"}),
    ),
    Patient(
        name="transformer_blocks_in_a_list",
        label="unregistered_parameters",
        family="transformer",
        task="classification",
        training=_blocks_in_a_list,
        healed=partial(_blocks_in_a_list, registered=True),
        good=0.9,
        also_true=frozenset({"frozen_parameters"}),
    ),
    Patient(
        name="forgotten_zero_grad",
        label="no_zero_grad",
        family="mlp",
        task="classification",
        training=_forgotten_zero_grad,
        healed=partial(_forgotten_zero_grad, zero_grad=True),
        good=0.93,
        also_true=frozenset({"exploding_gradient", "lr_too_high", "oscillating_loss"}),
    ),
    Patient(
        name="forgotten_zero_grad_with_adam",
        label="no_zero_grad",
        family="lstm",
        task="regression",
        training=_forgotten_zero_grad_lstm,
        healed=partial(_forgotten_zero_grad_lstm, zero_grad=True),
        good=0.9,
        also_true=frozenset({"exploding_gradient", "oscillating_loss"}),
    ),
)
