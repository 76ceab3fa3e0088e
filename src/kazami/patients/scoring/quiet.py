"""Ill: nothing moves. Gradients that fade, units that are dead, saturated or all alike, weights that start far too small or too large."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ._sets import accuracy, digits, friedman, images, minibatches, r_squared, recall, rings, rows, standardised, table

Fill = Callable[[nn.Module], Any]


class _Tower(nn.Module):
    """Many equal layers with one activation, written as a loop over a ModuleList."""

    def __init__(self, act: Callable[[Tensor], Tensor], *, n_in: int = 13, n_out: int = 3, width: int = 40, depth: int = 20) -> None:
        super().__init__()
        self.act = act
        self.inp = nn.Linear(n_in, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.out = nn.Linear(width, n_out)

    def forward(self, x: Tensor) -> Any:
        x = self.act(self.inp(x))
        for layer in self.hidden:
            x = self.act(layer(x))
        return self.out(x)


def _twenty_sigmoids(act: Callable[[Tensor], Tensor]) -> Training:
    data = standardised(table("wine"))

    def make() -> nn.Module:
        net = _Tower(act, width=64, depth=18)
        net.apply(_xavier)
        return net

    return Training(
        model=make,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=400,
        evaluate=accuracy(data),
    )


def _xavier(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_normal_(layer.weight, gain=1.4)
        nn.init.zeros_(layer.bias)


class _PlainConv(nn.Module):
    """Twelve 3×3 convolutions without normalisation or shortcut."""

    def __init__(self, *, he: bool) -> None:
        super().__init__()
        convs = [nn.Conv2d(1 if i == 0 else 12, 12, 3, padding=1) for i in range(12)]
        self.convs = nn.ModuleList(convs)
        self.fc = nn.Linear(12 * 16, 10)
        if he:
            for conv in convs:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Any:
        for i, conv in enumerate(self.convs):
            x = F.relu(conv(x))
            if i == 5:
                x = F.max_pool2d(x, 2)
        return self.fc(x.flatten(1))


def _deep_plain_conv(*, he: bool) -> Training:
    data = images()
    return Training(
        model=partial(_PlainConv, he=he),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.02, momentum=0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 32),
        steps=250,
        evaluate=accuracy(data),
    )


class _Recall(nn.Module):
    """A tanh recurrence that must carry the first symbol to the end."""

    def __init__(self, *, gain: float) -> None:
        super().__init__()
        self.rnn = nn.RNN(5, 32, batch_first=True)
        nn.init.orthogonal_(self.rnn.get_parameter("weight_hh_l0"), gain=gain)
        self.fc = nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Any:
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])


def _forgetful_rnn(*, gain: float) -> Training:
    data = recall(25)
    return Training(
        model=partial(_Recall, gain=gain),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        evaluate=accuracy(data),
    )


class _Regressor(nn.Module):
    """Three hidden layers and a squeezed output."""

    def __init__(self, act: Callable[[Tensor], Tensor], fill: Fill | None = None, *, n_in: int = 10, width: int = 48) -> None:
        super().__init__()
        self.fc1 = nn.Linear(n_in, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, width)
        self.head = nn.Linear(width, 1)
        self.act = act
        if fill is not None:
            self.apply(fill)

    def forward(self, x: Tensor) -> Any:
        x = self.act(self.fc1(x))
        x = self.act(self.fc2(x))
        x = self.act(self.fc3(x))
        return self.head(x).squeeze(-1)


def _friedman(act: Callable[[Tensor], Tensor], fill: Fill | None, *, lr: float = 0.05, steps: int = 400) -> Training:
    data = friedman()
    return Training(
        model=partial(_Regressor, act, fill),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=lr, momentum=0.9),
        loss=lambda pred, y: ((pred - y) ** 2).mean(),
        batches=minibatches(data.x, data.y, 50),
        steps=steps,
        evaluate=r_squared(data),
    )


def _bias(value: float) -> Fill:
    def fill(layer: nn.Module) -> None:
        if isinstance(layer, nn.Linear) and layer.out_features > 1:
            nn.init.constant_(layer.bias, value)

    return fill


def _normal(std: float) -> Fill:
    def fill(layer: nn.Module) -> None:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)

    return fill


def _wide_hidden(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear) and layer.out_features > 1:
        nn.init.normal_(layer.weight, std=8.0)


def _constant(value: float) -> Fill:
    def fill(layer: nn.Module) -> None:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.constant_(layer.weight, value)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    return fill


class _DarkConv(nn.Module):
    """Convolutions whose weights were drawn between `low` and 0.2 while the images are stored as negatives (ink is -1)."""

    def __init__(self, *, low: float) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 16, 10)
        nn.init.uniform_(self.c1.weight, low, 0.4)
        nn.init.constant_(self.c1.bias, -0.01)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Any:
        x = F.relu(self.c1(x))
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.fc(x.flatten(1))


def _dark_conv(*, low: float) -> Training:
    data = digits()
    return Training(
        model=partial(_DarkConv, low=low),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-3),
        loss=F.cross_entropy,
        batches=minibatches(-data.x.view(-1, 1, 8, 8), data.y, 32),
        steps=200,
        evaluate=accuracy(data._replace(test_x=-data.test_x.view(-1, 1, 8, 8))),
    )


class _Gates(nn.Module):
    """An LSTM over image rows whose weights were multiplied after creation."""

    def __init__(self, *, factor: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        with torch.no_grad():
            for weight in self.lstm.parameters():
                weight.mul_(factor)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Any:
        _, (h, _) = self.lstm(x)
        return self.fc(h[-1])


def _stuck_gates(*, factor: float) -> Training:
    data = rows()
    return Training(
        model=partial(_Gates, factor=factor),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.2, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        evaluate=accuracy(data),
    )


class _Classifier(nn.Module):
    def __init__(self, act: Callable[[Tensor], Tensor], fill: Fill, *, n_in: int, n_out: int, width: int = 32) -> None:
        super().__init__()
        self.l1 = nn.Linear(n_in, width)
        self.l2 = nn.Linear(width, width)
        self.l3 = nn.Linear(width, n_out)
        self.act = act
        self.apply(fill)

    def forward(self, x: Tensor) -> Any:
        return self.l3(self.act(self.l2(self.act(self.l1(x)))))


def _rings(fill: Fill, act: Callable[[Tensor], Tensor] = torch.tanh) -> Training:
    data = rings()
    return Training(
        model=partial(_Classifier, act, fill, n_in=2, n_out=2),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 30),
        steps=350,
        evaluate=accuracy(data),
    )


def _digit_classes(fill: Fill, act: Callable[[Tensor], Tensor] = torch.relu, *, lr: float = 0.1) -> Training:
    data = digits()
    return Training(
        model=partial(_Classifier, act, fill, n_in=64, n_out=10, width=64),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=lr),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=400,
        evaluate=accuracy(data),
    )


def _as_is(layer: nn.Module) -> None:
    del layer


PATIENTS = (
    Patient(
        name="twenty_sigmoid_layers_on_wine",
        label="vanishing_gradient",
        family="mlp",
        task="classification",
        training=partial(_twenty_sigmoids, torch.sigmoid),
        healed=partial(_twenty_sigmoids, F.relu),
        good=0.85,
    ),
    Patient(
        name="twelve_plain_convolutions_default_init",
        label="vanishing_gradient",
        also_true=frozenset({"bad_init_scale"}),
        family="cnn",
        task="classification",
        training=partial(_deep_plain_conv, he=False),
        healed=partial(_deep_plain_conv, he=True),
        good=0.8,
    ),
    Patient(
        name="rnn_forgets_the_first_symbol",
        label="vanishing_gradient",
        also_true=frozenset({"bad_init_scale"}),
        family="rnn",
        task="classification",
        training=partial(_forgetful_rnn, gain=0.3),
        healed=partial(_forgetful_rnn, gain=1.0),
        good=0.9,
    ),
    Patient(
        name="bias_minus_ten_regressor",
        label="dead_units",
        family="mlp",
        task="regression",
        training=partial(_friedman, torch.relu, _bias(-10.0)),
        healed=partial(_friedman, torch.relu, _bias(0.0)),
        good=0.8,
    ),
    Patient(
        name="negative_images_positive_filters",
        label="dead_units",
        also_true=frozenset({"bad_init_scale"}),
        family="cnn",
        task="classification",
        training=partial(_dark_conv, low=0.0),
        healed=partial(_dark_conv, low=-0.4),
        good=0.85,
    ),
    Patient(
        name="tanh_regressor_with_wide_normal_init",
        label="saturated",
        also_true=frozenset({"bad_init_scale"}),
        family="mlp",
        task="regression",
        training=partial(_friedman, torch.tanh, _wide_hidden, lr=0.01),
        healed=partial(_friedman, torch.tanh, _as_is, lr=0.01),
        good=0.8,
    ),
    Patient(
        name="sigmoid_units_pushed_up_by_their_bias",
        label="saturated",
        also_true=frozenset({"bad_init_scale", "vanishing_gradient"}),
        family="mlp",
        task="classification",
        training=partial(_rings, _bias(15.0), torch.sigmoid),
        healed=partial(_rings, _bias(0.0), torch.sigmoid),
        good=0.9,
    ),
    Patient(
        name="lstm_gates_blown_up",
        label="saturated",
        also_true=frozenset({"bad_init_scale"}),
        family="lstm",
        task="classification",
        training=partial(_stuck_gates, factor=60.0),
        healed=partial(_stuck_gates, factor=1.0),
        good=0.85,
    ),
    Patient(
        name="tiny_normal_init_on_digits",
        label="bad_init_scale",
        also_true=frozenset({"vanishing_gradient"}),
        family="mlp",
        task="classification",
        training=partial(_digit_classes, _normal(0.001)),
        healed=partial(_digit_classes, _normal(0.18)),
        good=0.85,
    ),
    Patient(
        name="unit_normal_init_on_friedman",
        label="bad_init_scale",
        also_true=frozenset({"exploding_gradient", "nan_inf", "dead_units"}),
        family="mlp",
        task="regression",
        training=partial(_friedman, torch.relu, _normal(1.0), lr=0.01),
        healed=partial(_friedman, torch.relu, _normal(0.2), lr=0.01),
        good=0.8,
    ),
    Patient(
        name="all_weights_zero_on_digits",
        label="symmetric_units",
        also_true=frozenset({"vanishing_gradient", "bad_init_scale", "dead_units"}),
        family="mlp",
        task="classification",
        training=partial(_digit_classes, _constant(0.0)),
        healed=partial(_digit_classes, _as_is),
        good=0.85,
    ),
    Patient(
        name="constant_weights_on_rings",
        label="symmetric_units",
        family="mlp",
        task="classification",
        training=partial(_rings, _constant(0.1)),
        healed=partial(_rings, _as_is),
        good=0.9,
    ),
)
