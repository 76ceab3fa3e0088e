"""Small trainings of all kinds, as users write them, for the promise that watching does not disturb."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

TRAININGS: dict[str, Callable[[], tuple[list[Any], Callable[[int], Any]]]] = {}


def training(function: Callable[[], tuple[list[Any], Callable[[int], Any]]]) -> Callable[[], tuple[list[Any], Callable[[int], Any]]]:
    """Add a training to the collection under its function's name."""
    TRAININGS[function.__name__] = function
    return function


def data(n: int = 16, features: int = 6, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Return the same batch each time, without touching the random stream."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(n, features, generator=generator)
    return x, torch.randint(0, classes, (n,), generator=generator)


def mlp(*, inplace: bool = False) -> nn.Sequential:
    """Return a small network with batch normalisation and dropout."""
    return nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(inplace=inplace), nn.Dropout(0.2), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3))


def plain_loop(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor | None = None, y: Tensor | None = None) -> Callable[[int], Any]:
    """Return the usual step."""
    batch, target = data()
    batch, target = (batch if x is None else x), (target if y is None else y)

    def step(number: int) -> float:
        del number
        optimizer.zero_grad()
        loss = F.cross_entropy(model(batch), target)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def with_optimizer(make: Callable[..., torch.optim.Optimizer], **settings: Any) -> Callable[[], tuple[list[Any], Callable[[int], Any]]]:
    """Return the start of a training of the small network under an optimizer."""

    def start() -> tuple[list[Any], Callable[[int], Any]]:
        model = mlp()
        optimizer = make(model.parameters(), **settings)
        return [model, optimizer], plain_loop(model, optimizer)

    return start


OPTIMIZERS: dict[str, tuple[Callable[..., torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "sgd_foreach": (torch.optim.SGD, {"lr": 0.1, "foreach": True}),
    "sgd_fused": (torch.optim.SGD, {"lr": 0.1, "fused": True}),
    "momentum": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "nesterov_foreach": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "foreach": True}),
    "adam": (torch.optim.Adam, {"lr": 0.01}),
    "adam_foreach": (torch.optim.Adam, {"lr": 0.01, "foreach": True}),
    "adam_fused": (torch.optim.Adam, {"lr": 0.01, "fused": True}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "foreach": False}),
    "adamw_foreach": (torch.optim.AdamW, {"lr": 0.01, "foreach": True}),
    "adamw_fused": (torch.optim.AdamW, {"lr": 0.01, "fused": True}),
    "adam_tensor_rate": (torch.optim.Adam, {"lr": torch.tensor(0.01)}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.01}),
    "adagrad": (torch.optim.Adagrad, {"lr": 0.05}),
    "maximize": (torch.optim.SGD, {"lr": 0.01, "maximize": True, "weight_decay": 0.1}),
}
for _name, (_make, _settings) in OPTIMIZERS.items():
    TRAININGS[_name] = with_optimizer(_make, **_settings)


@training
def lbfgs():
    model = mlp()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    x, y = data()

    def step(number):
        calls = []

        def closure():
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            calls.append(loss.item())
            return loss

        return optimizer.step(closure).item(), calls

    return [model, optimizer], step


@training
def sgd_with_a_closure_by_keyword():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()

    def step(number):
        def closure():
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss

        return optimizer.step(closure=closure).item()

    return [model, optimizer], step


class LastOf(nn.Module):
    """A recurrent layer and a head on its last output."""

    def __init__(self, cell: type[nn.Module], **settings: Any) -> None:
        super().__init__()
        self.body = cell(2, 5, batch_first=True, **settings)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.body(x)[0][:, -1])
        return result


def _recurrent(cell: type[nn.Module], **settings: Any) -> Callable[[], tuple[list[Any], Callable[[int], Any]]]:
    def start() -> tuple[list[Any], Callable[[int], Any]]:
        model = LastOf(cell, **settings)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        x, y = data(8, 14)
        return [model, optimizer], plain_loop(model, optimizer, x.reshape(8, 7, 2), y)

    return start


TRAININGS |= {"rnn": _recurrent(nn.RNN), "gru": _recurrent(nn.GRU), "lstm": _recurrent(nn.LSTM), "lstm_deep": _recurrent(nn.LSTM, num_layers=2, dropout=0.3)}


@training
def transformer():
    block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    model = nn.Sequential(nn.Embedding(11, 8), nn.TransformerEncoder(block, 2, enable_nested_tensor=False), nn.Flatten(), nn.Linear(40, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    tokens = torch.arange(40).reshape(8, 5) % 11
    return [model, optimizer], plain_loop(model, optimizer, tokens, data(8)[1])


@training
def convolutions_in_place():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(16, 3)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    x, y = data(8, 36)
    return [model, optimizer], plain_loop(model, optimizer, x.reshape(8, 1, 6, 6), y)


@training
def residual_added_in_place():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 3)

        def forward(self, x):
            h = F.relu_(self.a(x))
            h += x
            return self.b(F.relu(h))

    model = Block()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return [model, optimizer], plain_loop(model, optimizer)


@training
def shared_weights():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 6) * 0.3)

        def forward(self, x):
            return torch.tanh(x @ self.weight.t()) @ self.weight

    model = Tied()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, _ = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), x)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def accumulation():
    model = mlp(inplace=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, y = data()

    def step(number):
        for part in range(4):
            (F.cross_entropy(model(x[part::4]), y[part::4]) / 4).backward()
        if number % 2:
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            optimizer.zero_grad()

    return [model, optimizer], step


def _scaled(dtype: torch.dtype | None, **settings: Any) -> Callable[[], tuple[list[Any], Callable[[int], Any]]]:
    def start() -> tuple[list[Any], Callable[[int], Any]]:
        model = mlp()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, **settings)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
        x, y = data()

        def step(number: int) -> Any:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
                loss = F.cross_entropy(model(x), y)
                loss = loss * float("inf") if number == 3 else loss
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            return loss.item(), scaler.get_scale()

        return [model, optimizer], step

    return start


TRAININGS |= {
    "scaler": _scaled(None),
    "scaler_fused": _scaled(None, fused=True),
    "scaler_half": _scaled(torch.float16),
    "scaler_bfloat16": _scaled(torch.bfloat16),
}


@training
def autocast_bfloat16():
    model = mlp()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [model, optimizer], step


def _checkpointed(*, use_reentrant: bool) -> Callable[[], tuple[list[Any], Callable[[int], Any]]]:
    def start() -> tuple[list[Any], Callable[[int], Any]]:
        first, last = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.Tanh()), nn.Linear(8, 3)
        optimizer = torch.optim.SGD([*first.parameters(), *last.parameters()], lr=0.1)
        x, y = data()
        x.requires_grad_()
        calls: list[int] = []

        def body(h: Tensor) -> Tensor:
            calls.append(1)
            result: Tensor = first(h)
            return result

        def step(number: int) -> Any:
            optimizer.zero_grad()
            loss = F.cross_entropy(last(checkpoint(body, x, use_reentrant=use_reentrant)), y)
            loss.backward()
            optimizer.step()
            return loss.item(), len(calls)

        return [first, last, optimizer], step

    return start


TRAININGS |= {"checkpointing": _checkpointed(use_reentrant=False), "checkpointing_reentrant": _checkpointed(use_reentrant=True)}
