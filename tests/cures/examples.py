"""For every cure a training on which it can be carried out, in both styles, with the parameters of its prescription."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kazami.cures import AbstractCure
from kazami.maps import Training
from tests.cures.trainings import LAYERS, carried_out, network, plain, rows, training

Example = tuple[Training, dict[str, Any]]
INIT = 'nn.init.kaiming_normal_({weight}, nonlinearity="relu")'


class Normed(nn.Module):
    """A batch normalisation as a module, or as a function on parameters and buffers of its own."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.a, self.c = nn.Linear(3, 8), nn.Linear(8, 1)
        self.norm = nn.BatchNorm1d(8, momentum=0.01) if style == "modules" else None
        self.scale, self.shift = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))
        self.register_buffer("mean", torch.zeros(8))
        self.register_buffer("variance", torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise between two layers."""
        z = self.a(x)
        own = (self.mean, self.variance, self.scale, self.shift, self.training, 0.01)
        return self.c(torch.relu(F.batch_norm(z, *own) if self.norm is None else self.norm(z)))


class Dropping(nn.Module):
    """Drops nine units of ten."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.a, self.c = nn.Linear(3, 64), nn.Linear(64, 1)
        self.drop = nn.Dropout(0.9) if style == "modules" else None

    def forward(self, x: Tensor) -> Tensor:
        """Drop between two layers."""
        h = torch.relu(self.a(x))
        return self.c(F.dropout(h, 0.9, self.training) if self.drop is None else self.drop(h))


class Detaching(nn.Module):
    """Cuts its first layer off, by a call or by a block."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.a, self.c = nn.Linear(3, 6), nn.Linear(6, 1)
        self.style = style

    def forward(self, x: Tensor) -> Tensor:
        """Cut."""
        if self.style == "modules":
            return self.c(torch.tanh(self.a(x)).detach())
        with torch.no_grad():
            h = torch.tanh(self.a(x))
        return self.c(h)


class Recurrent(nn.Module):
    """Reads three steps of one feature, by a net of torch or by hand."""

    def __init__(self, style: str, *, lstm: bool = False) -> None:
        super().__init__()
        made = nn.LSTM(1, 5, batch_first=True) if lstm else nn.RNN(1, 5, batch_first=True)
        self.rnn = made if style == "modules" or lstm else None
        self.cell, self.head = nn.Linear(1 + 5, 5), nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return one output per row."""
        if self.rnn is not None:
            return self.head(self.rnn(x[:, :, None])[0][:, -1])
        h = x.new_zeros(len(x), 5)
        for step in x.unbind(1):
            h = torch.tanh(self.cell(torch.cat([step[:, None], h], 1)))
        return self.head(h)


class Unregistered(nn.Module):
    """Holds its layers in a list."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.layers = [nn.Linear(3, 6), nn.Linear(6, 1)]
        self.bend = nn.Linear(1, 1)
        self.style = style

    def forward(self, x: Tensor) -> Tensor:
        """Call them."""
        if self.style == "functions":
            return self.bend(F.linear(torch.tanh(F.linear(x, self.layers[0].weight)), self.layers[1].weight))
        return self.bend(self.layers[1](torch.tanh(self.layers[0](x))))


class Softmaxed(nn.Module):
    """Ends in a softmax of four classes, as a module or as a function, or in its logarithm."""

    def __init__(self, style: str, *, log: bool = False) -> None:
        super().__init__()
        self.net = network(style, "relu", 4)
        self.soft = nn.Softmax(1) if style == "modules" else None
        self.log = log

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities."""
        p = torch.softmax(self.net(x), 1) if self.soft is None else self.soft(self.net(x))
        return torch.log(p) if self.log else p


class Turned(nn.Module):
    """Ends in a log-softmax over the samples, as a module or as a function."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.net = network(style, "relu", 4)
        self.soft = nn.LogSoftmax(dim=0) if style == "modules" else None

    def forward(self, x: Tensor) -> Tensor:
        """Return what should be log-probabilities."""
        return F.log_softmax(self.net(x), 0) if self.soft is None else self.soft(self.net(x))


class Rooted(nn.Module):
    """Takes the root of a number that is 0 for the first unit."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.net = network(style, "relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return distances."""
        d = (self.net(x) - self.net(x[:1])).square()
        return torch.sqrt(d) if x.shape[0] % 2 else d.sqrt()


class Halved(nn.Module):
    """Computes in float16."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.net = network(style, "relu")
        self.style = style

    def forward(self, x: Tensor) -> Tensor:
        """Return what is left."""
        y = self.net(x)
        return (y.half() if self.style == "functions" else y.to(torch.float16)).float()


def frozen(style: str) -> nn.Module:
    """Return a network whose first layer is frozen."""
    model = network(style)
    model.get_submodule(LAYERS[style][0]).requires_grad_(False)
    return model


def head_only(model: nn.Module) -> torch.optim.Optimizer:
    """Return an optimizer of the last layer."""
    return torch.optim.SGD(list(model.parameters())[-2:], lr=0.05)


def falling(optimizer: torch.optim.Optimizer) -> Any:
    """Return a schedule that halves the rate at every step."""
    return torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)


def holed() -> list[tuple[Tensor, Tensor]]:
    """Return batches with one missing number and one infinite one."""
    batches = [(x.clone(), y.clone()) for x, y in rows()]
    batches[0][0][2, 1], batches[1][0][3, 0] = float("nan"), float("inf")
    return batches


def flat() -> list[tuple[Tensor, Tensor]]:
    """Return batches whose targets lack an axis."""
    return [(x, y[:, 0]) for x, y in rows()]


def _layers(style: str) -> list[str]:
    return list(LAYERS[style][:2])


def _classes(model: Callable[[], nn.Module], loss: Any) -> Training:
    return training(model, loss, rows(classes=4))


def _soft(style: str, **options: Any) -> Callable[[], nn.Module]:
    return lambda: Softmaxed(style, **options)


def _turned(style: str) -> Callable[[], nn.Module]:
    return lambda: Turned(style)


def _squared(output: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(output, target)


def _of_two_terms(output: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(output, target) + 0.01 * output.abs().mean()


def _faint(output: Tensor, target: Tensor) -> Tensor:
    return 1e-6 * F.mse_loss(output, target)


def _bootstrapped_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
    with torch.no_grad():
        wanted = batch[1] + 0.5 * model(batch[0].flip(0))
    optimizer.zero_grad()
    loss = F.mse_loss(model(batch[0]), wanted)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss


def _wiping_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
    loss = F.mse_loss(model(batch[0]), batch[1])
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.zero_grad()
    optimizer.step()
    return loss


EXAMPLES: dict[str, Callable[[str], Example]] = {
    "adagc": lambda s: (plain(s), {"ratio": 1.05, "memory": 0.98, "start_steps": 1, "start_norm": 0.01}),
    "adam_beta2": lambda s: (plain(s, optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=0.05)), {"beta2": 0.95, "from": 0.999}),
    "adaptive_optimizer": lambda s: (plain(s), {"optimizer": "Adam", "learning_rate": 0.001, "from": "SGD"}),
    "add_decay": lambda s: (plain(s), {"weight_decay": 0.1, "optimizer": "SGD"}),
    "add_dropout": lambda s: (plain(s), {"layers": _layers(s)[:2], "p": 0.2}),
    "add_to_optimizer": lambda s: (plain(s, optimizer=head_only), {"parameters": [f"{_layers(s)[0]}.weight"]}),
    "balance_loss_terms": lambda s: (plain(s, loss=_of_two_terms), {"factors": {"2": 40.0}}),
    "average_weights": lambda s: (plain(s), {"decay": 0.9}),
    "batch_norm_statistics": lambda s: (training(lambda: Normed(s)), {"recalibrate": True}),
    "bfloat16": lambda s: (training(lambda: Halved(s)), {"dtype": "bfloat16"}),
    "change_activation": lambda s: (plain(s), {"from": "sigmoid", "to": "relu", "negative_slope": 0.0, "layers": _layers(s)}),
    "clean_data": lambda s: (plain(s, data=holed()), {"data": "inputs", "step": 1}),
    "clip_gradients": lambda s: (plain(s), {"max_norm": 0.05, "percentile": 90}),
    "drop_output_activation": lambda s: (_classes(_soft(s), F.cross_entropy), {"activation": "softmax", "loss": "cross_entropy"}),
    "early_stopping": lambda s: (plain(s), {"keep": "best"}),
    "fill_data": lambda s: (plain(s, data=holed()), {"value": 0.0}),
    "forget_bias": lambda s: (training(lambda: Recurrent(s, lstm=True)), {"layer": "rnn.weight_hh_l0", "first": 5, "last": 10, "value": 1.0}),
    "fp32_island": lambda s: (training(lambda: Halved(s)), {"operation": "" if s == "modules" else "pow"}),
    "gradient_scaler": lambda s: (training(lambda: Halved(s), _faint), {"full_weights": False, "scale": True}),
    "gated_recurrent": lambda s: (
        training(lambda: Recurrent(s)),
        {"kind": "gru" if s == "modules" else "gate", "inputs": 1, "hidden": 5, "replaces": "rnn.weight_hh_l0" if s == "modules" else "cell", "steps": 3},
    ),
    "init_by_activation": lambda s: (plain(s), {"layers": _layers(s), "init": [INIT, INIT], "zero_bias": _layers(s)[0]}),
    "input_batch_norm": lambda s: (plain(s), {"layer": _layers(s)[0], "features": 3, "dimensions": 1}),
    "insert_activation": lambda s: (plain(s, "identity"), {"activation": "relu", "layers": _layers(s)}),
    "layer_norm": lambda s: (training(lambda: Normed(s)), {"layers": ["norm"], "groups": [2]}),
    "let_gradients_through": lambda s: (training(lambda: Detaching(s)), {"parameters": ["a.weight", "a.bias"]}),
    "lift_clipping": lambda s: (plain(s, clip_grad_norm=0.01), {"max_norm": 1.0}),
    "log_softmax": lambda s: (_classes(_soft(s, log=True), F.nll_loss), {"dim": -1}),
    "lower_decay": lambda s: (plain(s), {"weight_decay": 0.001, "from": 0.01}),
    "lower_dropout": lambda s: (training(lambda: Dropping(s)), {"p": 0.1}),
    "lower_learning_rate": lambda s: (plain(s), {"learning_rate": 0.01, "from": 0.05}),
    "lower_momentum": lambda s: (plain(s), {"momentum": 0.1, "from": 0.5}),
    "match_shapes": lambda s: (plain(s, loss=_squared, data=flat()), {"side": "output", "call": "squeeze(-1)"}),
    "matching_loss": lambda s: (
        _classes(_soft(s), F.nll_loss),
        {"activation": "softmax", "from": "nll_loss", "to": "nll_loss", "call": "nll_loss(torch.log(output.clamp_min(1e-7)), target)"},
    ),
    "norm_layers": lambda s: (plain(s), {"layers": _layers(s), "widths": [6, 6], "norm": "LayerNorm"}),
    "orthogonal_recurrent": lambda s: (training(lambda: Recurrent(s)), {"layers": ["rnn.weight_hh_l0" if s == "modules" else "cell"]}),
    "raise_learning_rate": lambda s: (plain(s), {"learning_rate": 0.2, "from": 0.05}),
    "random_init": lambda s: (plain(s), {"layers": _layers(s), "init": "xavier_uniform_"}),
    "register_modules": lambda s: (training(lambda: Unregistered(s)), {"containers": {"layers": "ModuleList"}}),
    "reorder_step": lambda s: (plain(s, train_step=_wiping_step), {"order": "zero_grad, backward, step"}),
    "rescale_init": lambda s: (plain(s), {"factor": 3.0, "layers": _layers(s)}),
    "residual": lambda s: (plain(s), {"layers": _layers(s)[1:], "scale": 0.7, "width": 6}),
    "residual_scale": lambda s: (plain(s), {"factor": 0.5, "layers": _layers(s)}),
    "safe_operation": lambda s: (training(lambda: Rooted(s)), {"operation": "sqrt", "layer": ""}),
    "schedule_floor": lambda s: (plain(s, scheduler=falling), {"floor": 0.02, "largest": 0.05}),
    "skip_bad_step": lambda s: (plain(s, data=holed()), {"max_norm": None}),
    "slower_schedule": lambda s: (plain(s, scheduler=falling), {"step_once_per": "epoch"}),
    "smaller_head": lambda s: (plain(s), {"layer": LAYERS[s][2], "factor": 0.1}),
    "softmax_axis": lambda s: (_classes(_turned(s), F.nll_loss), {"axis": 0, "classes": 1}),
    "standardise_inputs": lambda s: (plain(s), {"layer": _layers(s)[0], "axes": "0", "smallest_std": 1e-6}),
    "standardise_targets": lambda s: (plain(s, data=rows(offset=50.0, scale=9.0)), {"mean": 50.0, "std": 15.0, "loss": "mse"}),
    "target_network": lambda s: (plain(s, train_step=_bootstrapped_step), {"rate": 0.5}),
    "two_time_scales": lambda s: (plain(s), {"learning_rate": 0.01, "from": 0.05}),
    "unfreeze": lambda s: (training(lambda: frozen(s)), {"parameters": [f"{_layers(s)[0]}.weight", f"{_layers(s)[0]}.bias"]}),
    "warm_up": lambda s: (plain(s, steps=8), {"steps": 100, "start_factor": 0.1}),
    "zclip": lambda s: (plain(s), {"z": 2.5, "alpha": 0.97, "mean": 0.01, "variance": 1e-6}),
    "zero_grad": lambda s: (plain(s, zero_grad=False), {"zero_grad": True}),
}


def carried_example(cure: AbstractCure, style: str) -> Training:
    """Return a cure's example carried out, with everything asserted that holds for every cure."""
    before, parameters = EXAMPLES[cure.name](style)
    return carried_out(cure, before, **parameters)
