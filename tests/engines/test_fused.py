"""Members as lanes: whatever way a network of the family is written, it runs like the plain loop, and everything else is refused with its reason."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.engines import Job, Member, engine_named, ensemble
from kazami.maps import TrainingMap, _opened
from kazami.maps.optimizers._base import AbstractOptimizerRule
from tests.engines.conformance import (
    OPTIMIZERS,
    assert_carries_tangents,
    assert_gives_the_orbits_of_the_plain_loop,
    assert_gives_these_orbits,
    assert_goes_on_from_any_state,
    job,
    members,
    training,
)

pytest.importorskip("llvmlite")
KNOWN = [name for name in OPTIMIZERS if name != "rmsprop"]
SOME = [name for name in KNOWN if name in ("momentum", "adam")]  # all rules have their tangents tested with the kernels


class MeanField(nn.Module):
    """The network of trainability maps: no biases, matrices that are inputs × outputs, factors of the width."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(3, 6))
        self.second = nn.Parameter(torch.randn(6, 2))

    def forward(self, x):
        n = self.first.shape[1]
        return torch.tanh(math.sqrt(2) * x @ self.first / math.sqrt(n)) @ self.second / n


class Handmade(nn.Module):
    """Functions instead of modules, a nested module, a weight that is scaled, a bias that is added."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.Sequential(nn.Linear(4, 5, bias=False), nn.Sequential(nn.SiLU(), nn.Dropout(0.0)))})
        self.weight, self.shift = nn.Parameter(torch.randn(2, 5)), nn.Parameter(torch.randn(2))

    def forward(self, x):
        h = F.leaky_relu(self.body["a"](x.flatten(1)), 0.3)
        return F.linear(2.0 * self.body["b"](h), self.weight * 0.5) + self.shift


NETWORKS = {
    "deep": lambda: nn.Sequential(nn.Linear(3, 4), *[part for _ in range(6) for part in (nn.Tanh(), nn.Linear(4, 4))], nn.ReLU(), nn.Linear(4, 2)),
    "wide": lambda: nn.Sequential(nn.Linear(3, 67), nn.GELU(), nn.Linear(67, 2)),
    "no bias": lambda: nn.Sequential(nn.Linear(3, 5, bias=False), nn.Sigmoid(), nn.Linear(5, 2, bias=False)),
    "mixed": lambda: nn.Sequential(
        nn.Linear(3, 5), nn.Softplus(), nn.Linear(5, 4), nn.LeakyReLU(0.2), nn.Linear(4, 3), nn.GELU(approximate="tanh"), nn.Linear(3, 2), nn.SiLU()
    ),
    "linear": lambda: nn.Linear(3, 2),
    "two linear": lambda: nn.Sequential(nn.Linear(3, 4), nn.Identity(), nn.Linear(4, 2)),
    "mean field": MeanField,
    "handmade": Handmade,
}


@pytest.mark.parametrize("optimizer", KNOWN)
def test_conforms(optimizer):
    assert_gives_the_orbits_of_the_plain_loop("fused", optimizer)
    assert_goes_on_from_any_state("fused", optimizer)


@pytest.mark.parametrize("optimizer", SOME)
def test_carries_tangents(optimizer):
    assert_carries_tangents("fused", optimizer)


@pytest.mark.parametrize("network", NETWORKS)
def test_any_network_of_the_family(network):
    assert_gives_these_orbits("fused", training("momentum", model=lambda: NETWORKS[network]().double()), members("momentum")[:3])


def regression(loss, outputs=2, **more):
    """Return a training on numbers, in batches of different lengths."""
    generator = torch.Generator().manual_seed(3)
    inputs, wanted = torch.randn(10, 3, generator=generator).double(), torch.randn(10, outputs, generator=generator).double()
    batches = [(inputs[:4], wanted[:4]), (inputs[4:], wanted[4:])]
    model = lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, outputs)).double()  # noqa: E731
    return training("sgd", model=model, loss=loss, **{"batches": lambda: batches, **more})


@pytest.mark.parametrize(
    "loss",
    [
        F.mse_loss,
        nn.MSELoss(reduction="sum"),
        lambda z, y: ((z - y) ** 2).mean(),
        lambda z, y: 0.5 * (z - y).square().sum(dim=1).mean(),
    ],
    ids=["mse", "sum", "own", "half"],
)
def test_mean_squares_however_they_are_written(loss):
    wanted = [Member(seed, {"learning_rate": 0.02}) for seed in range(2)]
    assert_gives_these_orbits("fused", regression(loss), wanted)


def test_cross_entropy_with_smoothing_and_probabilities():
    assert_gives_these_orbits("fused", training(loss=nn.CrossEntropyLoss(label_smoothing=0.1)), members()[:2])
    soft = [(x, torch.softmax(torch.stack([x[:, 0], x[:, 1]], dim=1), dim=1)) for x, _ in training().batches()]
    assert_gives_these_orbits("fused", training(batches=lambda: soft), members()[:2])


@pytest.mark.parametrize(
    "scheduler",
    [
        lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.5),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 12, eta_min=0.01),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=60),
    ],
    ids=["steps", "cosine", "one cycle"],
)
def test_schedules(scheduler):
    given = training("momentum", scheduler=scheduler)
    wanted = [Member(seed, settings) for seed in range(2) for settings in ({}, {"learning_rate": 0.02})]
    fused, eager = (engine_named(name).open(job(given, wanted)) for name in ("fused", "eager"))
    torch.testing.assert_close(fused.advance(25), eager.advance(25), rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(fused.states, eager.states, rtol=1e-9, atol=1e-11)


def test_parameter_groups_and_settings_of_members():
    def optimizer(model):
        first, last = model[0], model[-1]
        groups = [{"params": [last.weight, first.bias], "lr": 0.05}, {"params": [first.weight, last.bias], "weight_decay": 0.1}]
        return torch.optim.SGD(groups, 0.02, momentum=0.5)

    given = training().replaced(optimizer=optimizer)
    wanted = [Member(0), Member(1, {"learning_rate[1]": 0.3}), Member(2, {"momentum": 0.8, "weight_decay[0]": 0.01, "learning_rate[0]": 0.01})]
    fused, eager = (engine_named(name).open(job(given, wanted)) for name in ("fused", "eager"))
    torch.testing.assert_close(fused.advance(20), eager.advance(20), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(fused.states, eager.states, rtol=1e-10, atol=1e-12)


def test_tangents_over_schedules_and_batches_are_those_of_the_map():
    given = training("momentum", scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 9, eta_min=0.01))
    wanted = [Member(0), Member(1, {"learning_rate": 0.1})]
    together = engine_named("fused").open(job(given, wanted, n_tangents=3))
    vectors = torch.linalg.qr(torch.randn(*together.states.shape, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64))[0]
    begin = together.states
    grown = together.advance_with_tangents(vectors, 11, every=4)
    assert tuple(grown.logs.shape) == (3, 2, 3)
    for index, member in enumerate(wanted):
        m = TrainingMap(given)
        for name, value in member.settings.items():
            m.set_parameter(name, value)
        state, carried, logs = begin[index], vectors[index], torch.zeros(3, dtype=torch.float64)
        for time in range(11):
            state, carried = m.advance_tangents(state, carried, time)
            carried, r = torch.linalg.qr(carried)
            logs += torch.diagonal(r).abs().log()
        torch.testing.assert_close(grown.logs[:, index].sum(dim=0), logs, rtol=1e-8, atol=1e-8)


def test_float32_stays_beside_the_plain_loop():
    given, wanted = training("adam"), members("adam")
    fused = engine_named("fused").open(Job(given, tuple(wanted), torch.float32, 50))
    exact = engine_named("fused").open(job(given, wanted))
    torch.testing.assert_close(fused.advance(50).double(), exact.advance(50), rtol=2e-4, atol=2e-5)
    assert fused.states.dtype == torch.float32


class Attention(nn.Module):
    """Not of the family: the values are multiplied by one another."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return self.a(x) * self.b(x)


class Tied(nn.Module):
    """One matrix in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.out = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        return self.out(torch.tanh(self.inside(torch.tanh(self.inside(x)))))


class Branching(nn.Module):
    """A forward that looks at its values."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(3, 2)

    def forward(self, x):
        return self.a(x) if x.sum() > 0 else -self.a(x)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"model": lambda: Attention().double()}, "something else than a number"),
        ({"model": lambda: Tied().double()}, "more than one place"),
        ({"model": lambda: Branching().double()}, "cannot be traced"),
        ({"model": lambda: nn.Sequential(nn.Linear(3, 5), nn.Mish(), nn.Linear(5, 2)).double()}, "1 is a Mish"),
        ({"model": lambda: nn.Sequential(nn.Linear(3, 2), nn.Softplus(beta=2.0)).double()}, "another beta"),
        ({"model": lambda: nn.Sequential(nn.Linear(3, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 2)).double()}, "more than"),
        ({"loss": lambda z, y: F.cross_entropy(z, y) + 1e-3 * z.square().mean()}, "loss is neither"),
        ({"loss": lambda z, y: F.huber_loss(z, F.one_hot(y, 2).double(), delta=50.0)}, "loss is neither"),
        ({"loss": nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0]).double())}, "loss is neither"),
        ({"dropout": 0.5}, "random numbers"),
        ({"norm": True}, "buffers"),
        ({"optimizer": "rmsprop"}, "RMSprop"),
        ({"clip_grad_norm": 1.0}, "clipped"),
        ({"zero_grad": False}, "never set to zero"),
        ({"train_step": lambda model, optimizer, batch: torch.zeros(())}, "own"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_is_not_of_the_family_is_refused_with_its_reason(more, reason):
    said = engine_named("fused").refusal(job(training(**more), members()))
    assert said is not None
    assert reason in said
    assert said.endswith(".")


def test_a_frozen_layer_is_refused():
    def optimizer(model):
        return torch.optim.SGD(model[-1].parameters(), 0.1)

    assert "does not move 0.weight" in engine_named("fused").refusal(job(training().replaced(optimizer=optimizer), members()))


def test_an_optimizer_of_a_package_with_settings_of_its_own_is_refused(monkeypatch):
    class Plain(torch.optim.Optimizer):
        """Gradient descent without a setting for weight decay."""

        def __init__(self, params):
            super().__init__(params, {"lr": 0.1})

        @torch.no_grad()
        def step(self, closure=None):
            del closure
            for p in self.param_groups[0]["params"]:
                p -= self.param_groups[0]["lr"] * p.grad

    class Rule(AbstractOptimizerRule):
        """Its rule."""

        optimizer = Plain

        def slots(self, group):
            del group
            return ()

        def numbers(self, group, time):
            del time
            return {"rate": group["lr"]}

        def moved(self, theta, gradient, slots, numbers, group):
            del slots, group
            return (theta - numbers["rate"] * gradient,)

    monkeypatch.setattr(_opened, "plugins", lambda group, kind: [Rule])
    given = training().replaced(optimizer=lambda model: Plain(model.parameters()))
    assert "its optimizer is Plain" in engine_named("fused").refusal(job(given, [Member(0)]))


def test_a_module_that_is_not_what_its_trace_says_is_found_out():
    given = training()

    class Doubling(nn.Sequential):
        def __call__(self, x):  # beside forward, where no trace looks
            return super().__call__(x) + 0.01 * x[:, :2]

    def model():
        return Doubling(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()

    said = engine_named("fused").refusal(job(given.replaced(model=model), members()))
    assert "differs from the plain loop" in said


def test_auto_takes_it_where_it_can_and_says_why_where_not():
    assert ensemble(training(), members(), steps=10**6)[1].startswith("fused: 6 members")
    said = ensemble(training(norm=True), members())[1]
    assert "Not fused: buffers change in its steps." in said


def test_without_llvmlite_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("kazami.kernels._machine.find_spec", lambda name: None)
    said = engine_named("fused").refusal(job(training(), members()))
    assert "install kazami[fast]" in said
    assert "times slower" in said


def test_one_diverging_member_does_not_touch_the_others():
    calm = [Member(seed, {"learning_rate": 0.1}) for seed in range(4)]
    wild = [Member(seed, {"learning_rate": 1e308}) for seed in range(4)]
    alone, together = (engine_named("fused").open(job(training(), wanted)) for wanted in (calm, [*calm, *wild]))
    expected, losses = alone.advance(200), together.advance(200)
    assert torch.equal(losses[:, :4], expected)
    assert not torch.isfinite(losses[-1, 4:]).any()
    assert torch.equal(alone.states, together.states[:4])


def test_steps_may_be_cut_anywhere():
    first, second = (engine_named("fused").open(job(training("adam"), members("adam"))) for _ in range(2))
    whole = first.advance(13)
    parts = torch.cat([second.advance(steps) for steps in (1, 5, 7)])
    assert torch.equal(whole, parts)
    assert torch.equal(first.states, second.states)
    assert np.isfinite(whole.numpy()).all()


def test_shuffled_batches_that_never_repeat():
    generator = torch.Generator().manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.randn(12, 3, generator=generator).double(), torch.arange(12) % 2)
    given = training(batches=lambda: torch.utils.data.DataLoader(data, batch_size=5, shuffle=True))
    fused, eager = (engine_named(name).open(job(given, members()[:2])) for name in ("fused", "eager"))
    torch.testing.assert_close(fused.advance(20), eager.advance(20), rtol=1e-10, atol=1e-12)


def test_nobody_notices():
    given, wanted = training(), members()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert engine_named("fused").refusal(job(given, wanted)) is None
    engine_named("fused").open(job(given, wanted)).advance(3)
    assert torch.equal(before, torch.get_rng_state())
