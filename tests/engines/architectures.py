"""Small trainings of many makes, in float64: what an engine must run as the plain loop does."""

import random
from collections.abc import Callable

import torch
from torch import Tensor, nn

from kazami.maps import Training


def data(kind: str = "vectors") -> list[tuple[Tensor, Tensor]]:
    """Return three batches of eight, the last of five, with two classes."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"vectors": (21, 4), "images": (21, 1, 6, 6), "series": (21, 5, 3)}
    inputs = torch.randint(7, (21, 5), generator=generator) if kind == "words" else torch.randn(*shapes[kind], generator=generator, dtype=torch.float64)
    labels = torch.randint(2, (21,), generator=generator)
    return [(inputs[begin : begin + 8], labels[begin : begin + 8]) for begin in (0, 8, 16)]


class Last(nn.Module):
    """The last output of a recurrent network, read by a linear layer."""

    def __init__(self, core: nn.Module) -> None:
        super().__init__()
        self.core, self.read = core, nn.Linear(core.hidden_size * (2 if core.bidirectional else 1), 2)

    def forward(self, series: Tensor) -> Tensor:
        return self.read(self.core(series)[0][:, -1])


class Attention(nn.Module):
    """One transformer layer over words."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.words, self.place = nn.Embedding(7, 8), nn.Parameter(torch.randn(5, 8) * 0.1)
        self.layer, self.read = nn.TransformerEncoderLayer(8, 2, 12, dropout, batch_first=True), nn.Linear(8, 2)

    def forward(self, words: Tensor) -> Tensor:
        return self.read(self.layer(self.words(words) + self.place).mean(dim=1))


class Tied(nn.Module):
    """A language model whose output weights are its embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.mix, self.read = nn.Embedding(7, 6), nn.Linear(6, 6), nn.Linear(6, 7, bias=False)
        self.read.weight = self.words.weight

    def forward(self, words: Tensor) -> Tensor:
        return self.read(torch.tanh(self.mix(self.words(words)).mean(dim=1)))


class Fourier(nn.Module):
    """Random features that are fixed, drawn by the seed: one set in a buffer, one in a frozen layer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(4, 6))
        self.frozen, self.read = nn.Linear(6, 5), nn.Linear(5, 2)
        self.frozen.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.read(self.frozen(torch.sin(x @ self.frequencies)))


class Idle(nn.Module):
    """A layer that no loss uses."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.idle = nn.Linear(4, 2), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


class SomeDepth(nn.Module):
    """Stochastic depth by Python's own random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(x + torch.tanh(self.first(x)) if random.random() < 0.5 else x)


class TwoWays(nn.Module):
    """Two inputs and two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, 3), nn.Linear(2, 3)

    def forward(self, pair: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        return {"sum": self.left(pair[0]) + self.right(pair[1]), "left": self.left(pair[0])}


def _sequential(*layers: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*(layer() for layer in layers))


def _mlp(*middle: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return _sequential(lambda: nn.Linear(4, 6), *middle, nn.Tanh, lambda: nn.Linear(6, 2))


def _conv(*middle: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return _sequential(lambda: nn.Conv2d(1, 3, 3), *middle, nn.ReLU, lambda: nn.MaxPool2d(2), nn.Flatten, lambda: nn.Linear(12, 2))


MODELS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "mlp": (_mlp(), "vectors"),
    "batchnorm": (_mlp(lambda: nn.BatchNorm1d(6)), "vectors"),
    "layernorm": (_mlp(lambda: nn.LayerNorm(6)), "vectors"),
    "spectral": (_sequential(lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(4, 6)), nn.Tanh, lambda: nn.Linear(6, 2)), "vectors"),
    "weight_norm": (_sequential(lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 6)), nn.Tanh, lambda: nn.Linear(6, 2)), "vectors"),
    "conv": (_conv(), "images"),
    "conv_batchnorm": (_conv(lambda: nn.BatchNorm2d(3)), "images"),
    "lstm": (lambda: Last(nn.LSTM(3, 4, batch_first=True)), "series"),
    "gru": (lambda: Last(nn.GRU(3, 4, batch_first=True, bidirectional=True)), "series"),
    "transformer": (Attention, "words"),
    "tied": (Tied, "words"),
    "fourier": (Fourier, "vectors"),
    "idle": (Idle, "vectors"),
}
RANDOM: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "dropout": (_mlp(lambda: nn.Dropout(0.4)), "vectors"),
    "dropout2d": (_conv(lambda: nn.Dropout2d(0.4)), "images"),
    "transformer_dropout": (lambda: Attention(0.3), "words"),
    "some_depth": (SomeDepth, "vectors"),
}
OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "SGD": lambda m: torch.optim.SGD(m.parameters(), 0.1),
    "Momentum": lambda m: torch.optim.SGD(m.parameters(), 0.05, momentum=0.9, weight_decay=1e-2, dampening=0.1),
    "Nesterov": lambda m: torch.optim.SGD(m.parameters(), 0.05, momentum=0.9, nesterov=True),
    "Adam": lambda m: torch.optim.Adam(m.parameters(), 0.01, amsgrad=True),
    "AdamW": lambda m: torch.optim.AdamW(m.parameters(), 0.01),
    "Adamax": lambda m: torch.optim.Adamax(m.parameters(), 0.01),
    "NAdam": lambda m: torch.optim.NAdam(m.parameters(), 0.01, weight_decay=0.1, decoupled_weight_decay=True),
    "RAdam": lambda m: torch.optim.RAdam(m.parameters(), 0.01),
    "RMSprop": lambda m: torch.optim.RMSprop(m.parameters(), 0.01, momentum=0.5, centered=True),
    "Adagrad": lambda m: torch.optim.Adagrad(m.parameters(), 0.05, lr_decay=0.1, initial_accumulator_value=0.1),
    "Adadelta": lambda m: torch.optim.Adadelta(m.parameters(), 0.5),
}


def architecture(name: str, **changes: object) -> Training:
    """Return the training called ``name``."""
    make, kind = {**MODELS, **RANDOM}[name]
    batches = data(kind)
    begin = Training(model=lambda: make().double(), optimizer=OPTIMIZERS["Momentum"], loss=nn.functional.cross_entropy, batches=lambda: batches, steps=20)
    return begin.replaced(**changes)


def two_ways() -> Training:
    """Return a training with a tuple as input, a dictionary as output, and none as target."""
    generator = torch.Generator().manual_seed(2)
    pair = torch.randn(9, 4, generator=generator, dtype=torch.float64), torch.randn(9, 2, generator=generator, dtype=torch.float64)

    def loss(found: dict[str, Tensor], target: None) -> Tensor:
        del target
        return (found["sum"] ** 2).mean() + 0.1 * (found["left"] - 1.0).abs().mean()

    return Training(
        model=lambda: TwoWays().double(), optimizer=lambda m: torch.optim.Adam(m.parameters(), 0.02), loss=loss, batches=lambda: [(pair, None)], steps=20
    )


def in_groups() -> Training:
    """Return a training with two parameter groups, one of them decayed, and a scheduler."""

    def optimizer(model: nn.Module) -> torch.optim.Optimizer:
        weights = [part for part in model.parameters() if part.dim() > 1]
        others = [part for part in model.parameters() if part.dim() <= 1]
        return torch.optim.AdamW([{"params": weights, "weight_decay": 0.1}, {"params": others, "lr": 0.003, "weight_decay": 0.0}], lr=0.01)

    return architecture("mlp", optimizer=optimizer, scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 12))
