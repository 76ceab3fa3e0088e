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
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(16, 3))
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


TRAININGS |= {"scaler": _scaled(None), "scaler_fused": _scaled(None, fused=True), "scaler_half": _scaled(torch.float16), "scaler_bfloat16": _scaled(torch.bfloat16)}


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


@training
def hooks_of_tensors():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()
    calls = []
    model[0].weight.register_hook(lambda g: calls.append("weight"))
    model[0].bias.register_post_accumulate_grad_hook(lambda p: calls.append("accumulated"))

    def step(number):
        optimizer.zero_grad()
        hidden = model[:3](x)
        hidden.register_hook(lambda g: calls.append("hidden") or g * 1.5)
        hidden.retain_grad()
        F.cross_entropy(model[3:](hidden), y).backward()
        optimizer.step()
        return list(calls), hidden.grad

    return [model, optimizer], step


@training
def retained_gradients():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        hidden = model[:3](x)
        hidden.retain_grad()
        F.cross_entropy(model[3:](hidden), y).backward()
        optimizer.step()
        return hidden.grad

    return [model, optimizer], step


@training
def hooks_of_nodes():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()
    calls = []

    def step(number):
        optimizer.zero_grad()
        hidden = model[:3](x)
        hidden.grad_fn.register_prehook(lambda g: calls.append("before"))
        hidden.grad_fn.register_hook(lambda i, o: calls.append("after"))
        F.cross_entropy(model[3:](hidden), y).backward()
        optimizer.step()
        # How often hooks of nodes are called is not compared: nothing tells that a node has one, and a measurement of curvature calls it once more.

    return [model, optimizer], step


@training
def hooks_of_many_tensors():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()
    calls = []

    def step(number):
        optimizer.zero_grad()
        hidden = model[:3](x)
        torch.autograd.graph.register_multi_grad_hook((hidden, model[0].weight), lambda g: calls.append("all"))
        F.cross_entropy(model[3:](hidden), y).backward()
        optimizer.step()
        return list(calls)

    return [model, optimizer], step


@training
def hooks_of_modules():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    calls = []
    model[0].register_full_backward_hook(lambda m, i, o: calls.append("full"))
    model[4].register_full_backward_pre_hook(lambda m, o: calls.append("pre"))
    model[1].register_forward_hook(lambda m, i, o: calls.append("forward"))
    inner = plain_loop(model, optimizer)
    return [model, optimizer], lambda number: (inner(number), list(calls))


@training
def custom_function():
    calls = []

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            calls.append("backward")
            return g * 3 * ctx.saved_tensors[0] ** 2

    first, last = nn.Linear(6, 8), nn.Linear(8, 3)
    optimizer = torch.optim.SGD([*first.parameters(), *last.parameters()], lr=0.05)
    inner = plain_loop(lambda x: last(Cube.apply(first(x))), optimizer)
    return [first, last, optimizer], lambda number: (inner(number), len(calls))


@training
def backward_twice():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward(retain_graph=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def gradient_penalty():
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, _ = data()

    def step(number):
        optimizer.zero_grad()
        batch = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(model(batch).sum(), batch, create_graph=True)
        loss = model(x).square().mean() + (slope.norm(dim=1) - 1).square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def backward_with_create_graph():
    weight = torch.randn(6, 3, requires_grad=True)
    x, y = data()

    def step(number):
        weight.grad = None
        loss = F.cross_entropy(x @ weight, y)
        (gradient,) = torch.autograd.grad(loss, weight, create_graph=True)
        gradient.square().sum().backward()
        with torch.no_grad():
            weight.sub_(weight.grad * 0.1)
        return loss.item()

    return [weight], step


@training
def torch_func():
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    x, y = data()
    parameters = dict(model.named_parameters())

    def loss_of(given, inputs, target):
        return F.cross_entropy(torch.func.functional_call(model, given, (inputs,)), target)

    def step(number):
        gradients, value = torch.func.grad_and_value(loss_of)(parameters, x, y)
        torch.func.vmap(torch.func.grad(loss_of), in_dims=(None, 0, 0))({k: p.detach() for k, p in parameters.items()}, x[:, None], y[:, None])
        with torch.no_grad():
            for name, p in parameters.items():
                p -= 0.1 * gradients[name]
        return value.item()

    return [model], step


@training
def second_thread():
    from threading import Thread

    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    inner = plain_loop(model, optimizer)

    def step(number):
        results = []
        thread = Thread(target=lambda: results.append(inner(number)))
        thread.start()
        thread.join()
        return results, inner(number)

    return [model, optimizer], step


@training
def complex_parameters():
    weight, bias = nn.Parameter(torch.randn(6, 3, dtype=torch.complex64)), nn.Parameter(torch.zeros(3, dtype=torch.complex64))
    optimizer = torch.optim.Adam([weight, bias], lr=0.01)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.cross_entropy((x.to(torch.complex64) @ weight + bias).abs(), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [weight, bias, optimizer], step


@training
def complex_root():
    weight = nn.Parameter(torch.randn(3, dtype=torch.complex64))
    optimizer = torch.optim.SGD([weight], lr=0.01)

    def step(number):
        optimizer.zero_grad()
        (weight * weight).sum().backward(torch.ones((), dtype=torch.complex64))
        optimizer.step()

    return [weight, optimizer], step


@training
def sparse_embedding():
    model = nn.Sequential(nn.Embedding(50, 4, sparse=True), nn.Flatten(), nn.Linear(12, 3))
    sparse, dense = torch.optim.SparseAdam(model[0].parameters(), lr=0.01), torch.optim.Adam(model[2].parameters(), lr=0.01)
    tokens, y = torch.arange(48).reshape(16, 3), data()[1]

    def step(number):
        sparse.zero_grad()
        dense.zero_grad()
        loss = F.cross_entropy(model(tokens), y)
        loss.backward()
        sparse.step()
        dense.step()
        return loss.item()

    return [model, sparse, dense], step


@training
def double_precision():
    model = mlp().double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return [model, optimizer], plain_loop(model, optimizer, data()[0].double())


@training
def bfloat16_model():
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3)).bfloat16()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return [model, optimizer], plain_loop(model, optimizer, data()[0].bfloat16())


@training
def losses_that_are_not_numbers():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y) * (float("nan") if number > 2 else 1.0)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def nan_batches_skipped():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y) * (float("nan") if number == 3 else 1.0)
        loss.backward()
        if torch.isfinite(loss):
            optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def adversaries():
    generator, critic = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6)), nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    of_generator, of_critic = torch.optim.Adam(generator.parameters(), lr=0.01), torch.optim.Adam(critic.parameters(), lr=0.01)
    x, _ = data()

    def step(number):
        of_critic.zero_grad()
        noise = torch.randn(16, 4)
        real, fake = critic(x), critic(generator(noise).detach())
        F.binary_cross_entropy_with_logits(real, torch.ones_like(real)).backward()
        F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake)).backward()
        of_critic.step()
        of_generator.zero_grad()
        loss = F.binary_cross_entropy_with_logits(critic(generator(noise)), torch.ones(16, 1))
        loss.backward()
        of_generator.step()
        return loss.item()

    return [generator, critic, of_generator, of_critic], step


@training
def optimizer_made_anew():
    model = mlp()
    x, y = data()

    def step(number):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01 / number)
        for _ in range(2):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        return loss.item()

    return [model], step


@training
def parameters_added_later():
    model = mlp()
    optimizer = torch.optim.Adam(model[4:].parameters(), lr=0.01)
    inner = plain_loop(model, optimizer)

    def step(number):
        if number == 3:
            optimizer.add_param_group({"params": list(model[:4].parameters()), "lr": 1e-3})
        return inner(number)

    return [model, optimizer], step


@training
def bare_tensors():
    w1, b1, w2 = (torch.randn(6, 8) * 0.3).requires_grad_(), torch.zeros(8, requires_grad=True), (torch.randn(8, 3) * 0.3).requires_grad_()
    optimizer = torch.optim.SGD([w1, b1, w2], lr=0.1)
    return [w1, b1, w2, optimizer], plain_loop(lambda x: torch.relu(x @ w1 + b1) @ w2, optimizer)


@training
def anomaly_mode():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inner = plain_loop(model, optimizer)

    def step(number):
        with torch.autograd.set_detect_anomaly(True):
            return inner(number)

    return [model, optimizer], step


@training
def scheduled_and_averaged():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=50)
    average = torch.optim.swa_utils.AveragedModel(model)
    inner = plain_loop(model, optimizer)

    def step(number):
        value = inner(number)
        scheduler.step()
        average.update_parameters(model)
        return value, scheduler.get_last_lr()

    return [model, optimizer, average], step


@training
def spectral_and_weight_norm():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 8)), nn.ReLU(), nn.utils.parametrizations.spectral_norm(nn.Linear(8, 3)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return [model, optimizer], plain_loop(model, optimizer)
