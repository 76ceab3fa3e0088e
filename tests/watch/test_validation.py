"""The validation losses of a script, with their errors, read from the passes it makes itself."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.watch.observer import Observer


def run(validate, *, steps=12, loss=F.cross_entropy, model=None, targets=None):
    """Train a small network and call ``validate(model, step)`` after each step; return the trace and what ``validate`` gave."""
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(20, 4), torch.randint(3, (20,)) if targets is None else targets
    observer, given = Observer([model]), []
    observer.attach()
    try:
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
            given.append(validate(model, step))
    finally:
        observer.detach()
    assert "kazami" not in observer.blind, observer.blind["kazami"]
    return observer.traces()[0], given


X, Y = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)), torch.arange(50) % 3


def evaluated(model, loss=F.cross_entropy, x=X, y=Y, size=20):
    model.eval()
    with torch.no_grad():
        total = sum(float(loss(model(x[i : i + size]), y[i : i + size])) * len(x[i : i + size]) for i in range(0, len(x), size))
    model.train()
    return total / len(x)


def test_the_curve_of_whole_passes_over_unequal_batches():
    trace, given = run(lambda model, step: evaluated(model) if step % 4 == 0 else None)
    curve = trace["validation_loss"]
    assert curve.steps.tolist() == [5, 9, 12]  # beside the training loss at the same weights; after the last step there is none
    assert curve.values == pytest.approx([value for value in given if value is not None], rel=1e-5)
    assert trace.facts["validation"]["is_eval_mode"] is True
    assert [site["kind"] for site in trace.facts["validation"]["sites"]] == ["cross_entropy"]


def test_every_place_in_the_code_has_a_curve_of_its_own():
    def both(model, step):
        first = evaluated(model)
        second = evaluated(model, y=(Y + 1) % 3)
        return first, second

    trace, given = run(both)
    assert trace["validation_loss"].values[:-1] == pytest.approx([first for first, _ in given[:-1]][: len(trace["validation_loss"]) - 1], rel=1e-5)
    assert float(trace["validation_loss"].latest) == pytest.approx(given[-1][0], rel=1e-5)
    assert float(trace["validation_loss_2"].latest) == pytest.approx(given[-1][1], rel=1e-5)


def test_the_standard_errors_are_those_of_the_samples():
    rows = []

    def whole(model, step):
        with torch.no_grad():
            rows.append(F.cross_entropy(model(X), Y, reduction="none"))
        return evaluated(model, size=50)

    trace, given = run(whole, steps=4)
    site = next(site for site in trace.facts["validation"]["sites"] if trace[site["series"]].latest == pytest.approx(given[-1], rel=1e-5))
    assert float(trace[site["error"]].latest) == pytest.approx(float(rows[-1].std()) / math.sqrt(50), rel=1e-4)
    best = min(range(3), key=lambda index: given[index])
    assert float(trace[site["rise_error"]].latest) == pytest.approx(float((rows[-1] - rows[best]).std()) / math.sqrt(50), rel=1e-3)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(reduction="sum"), lambda z, y: F.nll_loss(z.log_softmax(1), y)])
def test_modules_functions_and_sums(loss):
    with torch.no_grad():
        scale = 50 if getattr(loss, "reduction", "") == "sum" else 1
    trace, given = run(lambda model, step: evaluated(model, loss, size=50))
    assert float(trace["validation_loss"].latest) == pytest.approx(given[-1] / scale, rel=1e-5)


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.binary_cross_entropy_with_logits])
def test_losses_of_values(loss):
    y = torch.rand(50, 3)
    trace, given = run(lambda model, step: evaluated(model, loss, y=y, size=50), loss=loss, targets=torch.rand(20, 3))
    assert float(trace["validation_loss"].latest) == pytest.approx(given[-1], rel=1e-5)
    assert trace.facts["validation"]["sites"][0]["kind"] == trace.loss_kind or loss is F.huber_loss


def test_a_loss_outside_of_no_grad_on_outputs_made_inside_counts_too():
    def late(model, step):
        with torch.inference_mode(False), torch.no_grad():
            output = model(X)
        return float(F.cross_entropy(output, Y))

    trace, given = run(late)
    assert float(trace["validation_loss"].latest) == pytest.approx(given[-1], rel=1e-5)
    assert trace.facts["validation"]["is_eval_mode"] is False


def test_training_losses_and_kazamis_own_are_no_validation():
    trace, _ = run(lambda model, step: None)
    assert not trace.has("validation_loss")
    assert "validation" not in trace.facts
    assert trace.facts["loss_reduction"] == "mean"
