"""What a step consumed and did: gradients, updates, and gradients that nobody cleared."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import kazami
from kazami.diagnosis import examine
from tests.watch.seeing import latest, of_model, trained, watched

X, Y = torch.randn(16, 6), torch.arange(16) % 3


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3))


def test_the_numbers_of_a_step_are_the_true_ones():
    model = network()
    before = [p.detach().clone() for p in model.parameters()]
    hidden = model[0](X)
    hidden.retain_grad()
    out = model[2](torch.tanh(hidden))
    out.retain_grad()
    F.cross_entropy(out, Y).backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    slopes = [hidden.grad, out.grad]
    model.zero_grad()
    trace = of_model(model, lambda z: F.cross_entropy(z, Y), X, lr=0.3)
    for index, name in enumerate(("0", "2")):
        gradient, weight = gradients[2 * index], before[2 * index]
        assert latest(trace, "gradient_norm", name) == pytest.approx(float(gradient.norm()), rel=1e-5)
        assert latest(trace, "weight_norm", name) == pytest.approx(float(weight.norm()), rel=1e-5)
        assert latest(trace, "update_ratio", name) == pytest.approx(0.3 * float(gradient.norm() / weight.norm()), rel=1e-4)
        assert latest(trace, "output_gradient_rms", name) == pytest.approx(float(slopes[index].square().mean().sqrt()), rel=1e-5)
        wind = torch.log10(gradient.norm() * weight.norm() / trace.trivial_loss)
        assert latest(trace, "layer_wind", name) == pytest.approx(float(wind), abs=1e-4)
    total = torch.stack([g.norm() for g in gradients]).norm()
    assert float(trace["total_gradient_norm"].latest) == pytest.approx(float(total), rel=1e-5)
    assert float(trace["update_norm"].latest) == pytest.approx(0.3 * float(torch.stack([gradients[0].norm(), gradients[2].norm()]).norm()), rel=1e-4)


def test_a_gradient_scaler_changes_no_number():
    plain = of_model(network(), lambda z: F.cross_entropy(z, Y), X, steps=3)
    model = network()
    for fused in (False, True):
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
        scaler = torch.amp.GradScaler("cpu", init_scale=4096.0)

        def step(model=model, optimizer=optimizer, scaler=scaler):
            optimizer.zero_grad()
            scaler.scale(F.cross_entropy(model(X), Y)).backward()
            scaler.step(optimizer)
            scaler.update()

        (trace,) = watched(step, 3, [model])
        assert trace["loss"].values.tolist() == pytest.approx(plain["loss"].values.tolist())
        for quantity in ("gradient_norm", "output_gradient_rms", "update_ratio", "layer_wind"):
            assert latest(trace, quantity, "0") == pytest.approx(latest(plain, quantity, "0"), rel=1e-4), quantity


@pytest.mark.parametrize("fused", [False, True])
def test_a_step_that_the_scaler_skips_is_counted_and_its_loss_is_not_part_of_the_next(fused):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=4096.0)
    losses = []

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X), Y)
        losses.append(loss.item())
        scaler.scale(loss * (1e38 if len(losses) == 3 else 1.0)).backward()
        scaler.step(optimizer)
        scaler.update()

    (trace,) = watched(step, 6, [model])
    assert trace.facts["skipped_steps"] == 1
    assert trace["loss"].values[-3:].tolist() == losses[-3:]


def test_a_batch_that_the_script_skips_is_not_part_of_the_next_loss():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X), Y) * (float("nan") if len(losses) == 2 else 1.0)
        losses.append(loss.item())
        loss.backward()
        if torch.isfinite(loss):
            optimizer.step()

    (trace,) = watched(step, 5, [model])
    assert trace["loss"].values.tolist() == losses[:2] + losses[3:]


def test_accumulated_losses_add_up():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []

    def step():
        optimizer.zero_grad()
        for part in range(4):
            loss = F.cross_entropy(model(X[part::4]), Y[part::4]) / 4
            losses.append(loss.item())
            loss.backward()
        optimizer.step()

    (trace,) = watched(step, 3, [model])
    assert trace["loss"].values.tolist() == pytest.approx([sum(losses[i : i + 4]) for i in (0, 4, 8)])
    assert trace.trivial_loss == pytest.approx(float(F.cross_entropy(torch.zeros(16, 3), Y)), rel=0.1)


CLEARINGS = {
    "none": (lambda o, m: None, True),
    "zero_grad": (lambda o, m: o.zero_grad(), False),
    "zero_grad_in_place": (lambda o, m: o.zero_grad(set_to_none=False), False),
    "of_the_model": (lambda o, m: m.zero_grad(), False),
    "by_hand_to_none": (lambda o, m: [setattr(p, "grad", None) for p in m.parameters()], False),
    "by_hand_in_place": (lambda o, m: [p.grad.data.zero_() for p in m.parameters() if p.grad is not None], False),
    "new_zeros": (lambda o, m: [setattr(p, "grad", torch.zeros_like(p)) for p in m.parameters()], False),
}


@pytest.mark.parametrize("name", CLEARINGS)
@pytest.mark.parametrize("after", [False, True])
def test_gradients_that_nobody_clears(name, after):
    clear, kept = CLEARINGS[name]
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step():
        if not after:
            clear(optimizer, model)
        F.cross_entropy(model(X), Y).backward()
        optimizer.step()
        if after:
            clear(optimizer, model)

    (trace,) = watched(step, 7, [model])
    assert trace.facts["kept_gradients"] == (6 if kept else 0)


@pytest.mark.parametrize("critic_clears", [True, False])
@pytest.mark.parametrize("generator_clears", [True, False])
def test_each_of_two_players_is_judged_alone(critic_clears, generator_clears):
    generator, critic = nn.Linear(4, 6), nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    of_generator, of_critic = torch.optim.SGD(generator.parameters(), lr=0.01), torch.optim.SGD(critic.parameters(), lr=0.01)
    noise = torch.randn(16, 4)

    def step():
        if critic_clears:
            of_critic.zero_grad()
        (critic(generator(noise).detach()).mean() - critic(X).mean()).backward()
        of_critic.step()
        if generator_clears:
            of_generator.zero_grad()
        (-critic(generator(noise)).mean()).backward()
        of_generator.step()

    first, second = watched(step, 6)
    assert (first.facts["kept_gradients"] > 0, second.facts["kept_gradients"] > 0) == (not critic_clears, not generator_clears)


def test_two_optimizers_on_one_loss_share_the_step():
    first, last = nn.Linear(6, 9), nn.Linear(9, 3)
    optimizers = [torch.optim.SGD(first.parameters(), lr=0.1), torch.optim.Adam(last.parameters(), lr=0.01)]

    def step():
        for optimizer in optimizers:
            optimizer.zero_grad()
        F.cross_entropy(last(torch.relu(first(X))), Y).backward()
        for optimizer in optimizers:
            optimizer.step()

    traces = watched(step, 5)
    assert [trace.step for trace in traces] == [5, 5]
    assert [trace["loss"].steps.tolist() for trace in traces] == [[1, 2, 3, 4, 5]] * 2
    assert [trace.layers[0].kind for trace in traces] == ["linear", "linear"]
    assert traces[1].layers[0].is_output


def test_an_optimizer_made_anew_goes_on_with_the_same_player():
    model = network()

    def step():
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        F.cross_entropy(model(X), Y).backward()
        optimizer.step()
        optimizer.zero_grad()

    (trace,) = watched(step, 5, [model])
    assert trace.step == 5


def test_parameters_added_later_belong_to_the_player():
    model = network()
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
    calls = []

    def step():
        calls.append(1)
        if len(calls) == 2:
            optimizer.add_param_group({"params": list(model[0].parameters())})
        optimizer.zero_grad()
        F.cross_entropy(model(X), Y).backward()
        optimizer.step()

    (trace,) = watched(step, 4, [model])
    assert "not_in_optimizer" not in trace.facts
    assert trace.facts["trained_parameters"] == sum(p.numel() for p in model.parameters())
    assert {layer.name for layer in trace.layers} == {"0", "2"}


def test_clipping_is_seen_with_its_limit():
    model = network()

    def forward():
        return F.cross_entropy(model(X), Y)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step():
        optimizer.zero_grad()
        forward().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimizer.step()

    (trace,) = watched(step, 2, [model])
    assert float(trace["clipping_limit"].latest) == pytest.approx(0.01)
    assert float(trace["total_gradient_norm"].latest) == pytest.approx(0.01, rel=1e-3)
    assert float(trace["norm_before_clipping"].latest) > 0.01


def test_a_model_that_the_script_has_dropped_is_still_described():
    def fold():
        model = network()
        return trained(lambda: F.cross_entropy(model(X), Y), model.parameters(), [model])

    assert fold().facts["trained_parameters"] == 93


ORDERS = {
    "cleared too late": lambda opt, loss: (loss.backward(), opt.zero_grad(), opt.step()),
    "cleared too late to zeros": lambda opt, loss: (loss.backward(), opt.zero_grad(set_to_none=False), opt.step()),
    "stepped too early": lambda opt, loss: (opt.zero_grad(), opt.step(), loss.backward()),
    "in order": lambda opt, loss: (opt.zero_grad(), loss.backward(), opt.step()),
    "cleared behind the step": lambda opt, loss: (loss.backward(), opt.step(), opt.zero_grad()),
    "never cleared": lambda opt, loss: (loss.backward(), opt.step()),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
def test_gradients_that_were_thrown_away_before_the_step(order, kind):
    model = network()
    optimizer = kind(model.parameters(), lr=0.01)
    (trace,) = watched(lambda: ORDERS[order](optimizer, F.cross_entropy(model(X), Y)), 6, [model])
    counts = trace.facts["wiped_gradients"]
    is_wrong = "too" in order
    assert counts["of"] >= 5
    assert counts["wiped"] == (counts["of"] if is_wrong else 0)
    assert [finding.evidence[0].name for finding in examine(trace) if finding.name == "frozen_parameters"] == (
        ["looked-at steps whose gradients were gone"] if is_wrong else []
    )


def test_a_step_of_zeros_by_clipping_or_before_a_dead_layer_is_no_throwing_away():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def clipped():
        optimizer.zero_grad()
        F.cross_entropy(model(X), Y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.0)
        optimizer.step()

    def dead():
        optimizer.zero_grad()
        (F.cross_entropy(model(X), Y) * 0).backward()
        optimizer.step()

    for step in (clipped, dead):
        (trace,) = watched(step, 4, [model])
        assert trace.facts.get("wiped_gradients", {"wiped": 0})["wiped"] == 0


def test_two_players_whose_losses_reach_one_another_lose_nothing():
    maker, judge = nn.Linear(3, 3), nn.Linear(3, 1)
    first, second = torch.optim.Adam(maker.parameters()), torch.optim.Adam(judge.parameters())

    def step():
        fake = maker(torch.randn(8, 3))
        second.zero_grad()
        judge(fake.detach()).mean().backward()
        second.step()
        first.zero_grad()
        judge(fake).mean().neg().backward()
        first.step()

    for trace in watched(step, 6, [maker, judge]):
        assert trace.facts.get("wiped_gradients", {"wiped": 0})["wiped"] == 0


BARE = {
    "a copy": lambda z: torch.tensor(F.cross_entropy(z, Y).item(), requires_grad=True),
    "detached": lambda z: F.cross_entropy(z, Y).detach().requires_grad_(),
    "an operation without a derivative": lambda z: (z.argmax(1) == Y).float().mean().requires_grad_(),
}


@pytest.mark.parametrize("how", BARE)
def test_a_loss_without_history(how):
    model = network()
    trace = of_model(model, BARE[how], X, steps=3)
    assert trace.facts["is_loss_bare"]
    assert trace.facts["never_given_share"] == 1.0
    assert not of_model(model, lambda z: F.cross_entropy(z, Y), X, steps=3).facts.get("is_loss_bare")


def test_a_step_before_any_backward_tells_nothing_of_gradients():
    """Some scripts step once at the start to please a schedule; a check that ends there knows of no backward."""
    model = network()
    (trace,) = watched(torch.optim.SGD(model.parameters(), lr=0.1).step, 1, [model])
    assert "never_given_a_gradient" not in trace.facts
    assert examine(trace) == []


def test_steps_whose_graph_is_not_read_give_true_gradients_and_updates():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    norms, ratios = [], []
    with kazami.watch(model, optimizer, every=1) as watch:
        for _ in range(120):
            optimizer.zero_grad()
            F.cross_entropy(model(X), Y).backward()
            norms.append([float(model[i].weight.grad.norm()) for i in (0, 2)])
            ratios.append([0.01 * norm / float(model[i].weight.detach().norm()) for norm, i in zip(norms[-1], (0, 2), strict=True)])
            optimizer.step()
    trace = watch.trace
    assert [layer.name for layer in trace.layers] == ["0", "2"]
    assert {layer.kind for layer in trace.layers} == {"linear"}
    assert trace["gradient_norm"].steps.tolist() == list(range(1, 121))
    assert trace["gradient_norm"].values == pytest.approx(np.array(norms), rel=1e-5)
    assert trace["update_ratio"].values == pytest.approx(np.array(ratios), rel=1e-4)
    slopes = trace["output_gradient_rms"].steps.tolist()
    assert slopes[:64] == list(range(1, 65))
    assert 10 <= len(slopes[64:]) < 20  # of the 56 later steps, each fourth


def test_a_step_whose_graph_is_not_read_is_told_apart_from_one_whose_loss_is_bad():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with kazami.watch(model, optimizer, every=1) as watch:
        for step in range(1, 100):
            optimizer.zero_grad()
            x = X * float("nan") if step == 99 else X
            F.cross_entropy(model(x), Y).backward()
            if step == 98:
                assert watch.observer.is_brief
            optimizer.step()
    assert watch.trace.facts["first_bad"]["step"] == 99


def test_a_layer_that_gets_no_gradient_is_not_told_to_have_one_where_the_graph_is_not_read():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with kazami.watch(model, optimizer, every=1) as watch:
        for step in range(100):
            optimizer.zero_grad()
            h = torch.tanh(model[0](X))
            F.cross_entropy(model[2](h.detach() if step % 2 else h), Y).backward()
            optimizer.step()
    first = trace_column(watch.trace, "gradient_norm", "0")
    assert np.isfinite(first[::2]).all()
    assert np.isnan(first[1::2]).all()


def trace_column(trace, quantity, name):
    return trace[quantity].values[:, [layer.name for layer in trace.layers].index(name)]
