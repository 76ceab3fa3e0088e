"""Terms of a loss: found in the sum, with their weights, values and gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import trained

GENERATOR = torch.Generator().manual_seed(1)
X, T, C = torch.randn(16, 3, generator=GENERATOR), torch.randn(16, 4, generator=GENERATOR), torch.randint(0, 4, (16,), generator=GENERATOR)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4))


def told(loss, steps=1, **settings):
    model = network()
    return trained(lambda: loss(model), model.parameters(), [model], steps=steps, **settings).facts.get("loss_terms")


SUMS = {
    "two loss functions": (lambda o: F.cross_entropy(o, C) + 0.001 * F.mse_loss(o, T), [("cross_entropy", 1.0), ("mse", 0.001)]),
    "divided and taken off": (lambda o: F.mse_loss(o, T) / 4 - 2 * o.square().mean(), [("mse", 0.25), ("squares", -2.0)]),
    "in brackets": (lambda o: 3 * (F.mse_loss(o, T) + 2 * (F.l1_loss(o, T) + o.abs().mean())), [("mse", 3.0), ("absolute", 6.0), ("absolute", 6.0)]),
    "stacked": (lambda o: torch.stack([F.mse_loss(o, T), o.square().sum()]).mean(), [("mse", 0.5), ("squares", 0.5)]),
    "python's sum": (lambda o: sum([F.mse_loss(o, T), F.cross_entropy(o, C)]), [("mse", 1.0), ("cross_entropy", 1.0)]),
    "a tensor as weight": (lambda o: torch.tensor(5.0) * F.mse_loss(o, T) + F.cross_entropy(o, C), [("mse", 5.0), ("cross_entropy", 1.0)]),
}


@pytest.mark.parametrize("name", SUMS)
def test_terms_and_weights(name):
    loss, expected = SUMS[name]
    found = told(lambda model: loss(model(X)))
    assert found is not None
    assert [(term["name"].split(": ")[1].split(" of ")[0], pytest.approx(term["weight"])) for term in found["terms"]] == expected


def test_values_and_gradients_are_the_true_ones():
    model = network()
    output = model(X)
    parts = [F.cross_entropy(output, C), 0.01 * F.mse_loss(output, T)]
    weights = [model[0].weight, model[2].weight]
    norms = [torch.cat([g.reshape(-1) for g in torch.autograd.grad(part, weights, retain_graph=True)]).norm() for part in parts]
    found = told(lambda model: F.cross_entropy(model(X), C) + 0.01 * F.mse_loss(model(X), T))
    first, second = found["terms"]
    parts = [part.detach() for part in parts]
    assert first["first"] == pytest.approx(float(parts[0]), rel=1e-5)
    assert second["first"] == pytest.approx(100 * float(parts[1]), rel=1e-5)
    assert second["gradient_share"] == pytest.approx(float(norms[1] / norms[0]), rel=1e-4)
    assert first["gradient_share"] == 1.0
    assert second["trivial"] == pytest.approx(float(T.var(0, unbiased=False).mean()), rel=1e-5)


def test_the_value_of_one_unknown_term_is_what_is_left():
    found = told(lambda model: F.mse_loss(model(X), T) + 3 * model(X).norm())
    expected = float(network()(X).norm().detach())
    assert found["terms"][1]["first"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "loss",
    [
        lambda model: F.mse_loss(model(X), T),
        lambda model: F.cross_entropy(model(X), C, label_smoothing=0.1),
        lambda model: (F.mse_loss(model(X), T, reduction="none") + model(X).abs()).mean(),
    ],
)
def test_one_loss_is_no_sum(loss):
    assert told(loss) is None


def test_a_gradient_scaler_is_not_a_weight():
    model = network()
    optimizer, scaler = torch.optim.SGD(model.parameters(), lr=0.1), torch.amp.GradScaler("cpu", init_scale=4096.0)
    from tests.watch.seeing import watched

    kept = []

    def step():
        optimizer.zero_grad()
        kept[:] = [F.cross_entropy(model(X), C) + 2 * F.mse_loss(model(X), T)]
        scaler.scale(kept[0]).backward()
        scaler.step(optimizer)
        scaler.update()

    (trace,) = watched(step, 2, [model])
    assert [term["weight"] for term in trace.facts["loss_terms"]["terms"]] == [1.0, 2.0]


def test_gradients_are_taken_at_few_steps_and_change_nothing():
    model, twin = network(), network()
    trace = trained(lambda: F.cross_entropy(model(X), C) + F.mse_loss(model(X), T), model.parameters(), [model], steps=12)
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
    for _ in range(12):
        optimizer.zero_grad()
        (F.cross_entropy(twin(X), C) + F.mse_loss(twin(X), T)).backward()
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))
    assert trace.facts["loss_terms"]["measured"] == 6  # at steps 1, 2, 3, 5, 8 and 12


def test_hooks_of_the_user_end_the_measuring():
    model = network()
    model[0].weight.register_hook(lambda g: g)

    def loss():
        output = model(X)
        output.register_hook(lambda g: g)
        return F.cross_entropy(output, C) + F.mse_loss(output, T)

    found = trained(loss, model.parameters(), [model], steps=3).facts["loss_terms"]
    assert found["measured"] <= 1


def test_a_penalty_is_a_term_and_what_the_others_take_back_is_measured():
    """At half of the weights' pull the error keeps half: the product of the gradients over the square of the error's own."""

    def pulled(model):
        return F.mse_loss(model(X), T) + 0.5 * model[2].weight.square().sum()

    model = network()
    weight = model[2].weight
    error, pull = (torch.autograd.grad(part, weight, retain_graph=True)[0] for part in (F.mse_loss(model(X), T), 0.5 * weight.square().sum()))
    first, second = told(pulled)["terms"]
    assert (first["is_penalty"], second["is_penalty"]) == (False, True)
    assert first["opposed"] == pytest.approx(float((error * pull).sum() / error.square().sum()), rel=1e-3)


def test_weights_alone_are_no_sum_of_a_training():
    assert told(lambda model: model[0].weight.square().sum() + model[2].weight.abs().sum()) is None
