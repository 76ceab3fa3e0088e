"""Numerical differentiation against backprop: every pass is counted by the model itself, every derivative is right, and what is extrapolated is marked."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.derivatives import compare_with_numeric, million_weights
from kazami.errors import UnknownName, UsageError
from kazami.reports.figures import save_figure

CALLS = []


class Counting(nn.Module):
    """A small network that notes each call; the list is shared with its copies."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))

    def forward(self, x):
        CALLS.append(len(x))
        return self.net(x)


def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 3, generator=generator), torch.randn(5, 2, generator=generator)


def test_passes_are_n_plus_one_two_n_n_and_two():
    torch.manual_seed(0)
    found = compare_with_numeric(Counting(), F.mse_loss, batch(), budget_s=60)
    assert found.n_weights == 26
    assert (found.backprop.passes, found.backprop.passes_run) == (2, 2)
    assert [(cost.method, cost.passes, cost.passes_run) for cost in found.methods] == [("forward", 27, 27), ("central", 52, 52), ("complex", 26, 26)]
    assert not any(cost.is_extrapolated for cost in found.methods)


def test_the_model_was_really_called_as_often_as_is_said():
    torch.manual_seed(0)
    model = Counting()
    CALLS.clear()
    compare_with_numeric(model, F.mse_loss, batch(), methods=(), budget_s=60)
    without = len(CALLS)
    CALLS.clear()
    found = compare_with_numeric(model, F.mse_loss, batch(), methods=("central",), budget_s=60)
    assert set(CALLS) == {1}  # one training example
    chunks = -(-26 // 16)
    assert len(CALLS) - without == found.methods[0].passes_run + chunks  # and one backprop beside each chunk, for its time


def test_errors_are_those_of_the_methods():
    torch.manual_seed(0)
    forward, central, complex_step = compare_with_numeric(Counting(), F.mse_loss, batch(), budget_s=60).methods
    assert 1e-10 < forward.error < 1e-5
    assert central.error < 1e-8
    assert complex_step.error < 1e-14


def test_beyond_the_budget_a_sample_is_run_and_the_rest_marked_as_extrapolated():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(40, 60), nn.Tanh(), nn.Linear(60, 10))
    found = compare_with_numeric(model, F.mse_loss, (torch.randn(3, 40), torch.randn(3, 10)), methods=("forward",), budget_s=0.02)
    (cost,) = found.methods
    assert cost.is_extrapolated
    assert cost.passes == found.n_weights + 1 > cost.passes_run == cost.n_derivatives + 1
    assert cost.seconds == pytest.approx(cost.seconds_per_pass * cost.passes)
    assert "extrapolated" in found.sentence.en
    assert "外挿" in found.sentence.ja
    assert "~" in found.rows()[1][1][3]


def test_a_million_weights_take_a_million_and_one_passes():
    found = million_weights(budget_s=0.05)
    assert found.n_weights == 1_000_000
    assert found.methods[0].passes == 1_000_001
    assert found.methods[0].is_extrapolated
    assert found.backprop.passes == 2


def test_where_the_complex_step_is_impossible_the_reason_is_told():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    found = compare_with_numeric(model, F.mse_loss, batch(), methods=("complex", "central"), budget_s=60)
    assert found.methods[0].why_not
    assert found.methods[1].error < 1e-7


def test_a_complex_step_that_is_no_derivative_is_not_believed():
    class Conjugates(nn.Linear):
        def forward(self, x):
            out = super().forward(x)
            return out * out.conj()

    torch.manual_seed(0)
    (cost,) = compare_with_numeric(Conjugates(3, 2), lambda o, t: o.sum(), batch(), methods=("complex",), budget_s=60).methods
    assert "imaginary" in cost.why_not


def test_batch_statistics_need_the_whole_batch():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    found = compare_with_numeric(model, F.mse_loss, batch(), methods=("central",), budget_s=60)
    assert not found.one_example
    assert found.methods[0].error < 1e-7


def test_tied_weights_count_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 3, bias=False)
            self.b = self.a

        def forward(self, x):
            return self.b(torch.tanh(self.a(x)))

    torch.manual_seed(0)
    x = batch()[0]
    found = compare_with_numeric(Tied(), F.mse_loss, (x, x), methods=("central",), budget_s=60)
    assert found.n_weights == 9
    assert found.methods[0].error < 1e-8


def test_the_model_stays_as_it_is():
    torch.manual_seed(0)
    model = Counting()
    before, numbers = {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()
    compare_with_numeric(model, F.mse_loss, batch(), budget_s=60)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), numbers)


def test_an_unknown_method_gets_the_closest_one():
    with pytest.raises(UnknownName, match="central"):
        compare_with_numeric(Counting(), F.mse_loss, batch(), methods=("centrall",))
    with pytest.raises(UsageError, match="no trainable"):
        compare_with_numeric(nn.Identity(), F.mse_loss, (batch()[0], batch()[0]))


def test_it_is_plain_data_and_a_figure(tmp_path):
    torch.manual_seed(0)
    found = compare_with_numeric(Counting(), F.mse_loss, batch(), budget_s=60)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["methods"][0]["passes"] == 27
    for language in ("en", "ja"):
        save_figure(found.figure(language), str(tmp_path / f"{language}.svg"))
        header, cells = found.rows(language)
        assert all(len(row) == len(header) for row in cells)
    assert "26 weights" in (tmp_path / "en.svg").read_text(encoding="utf-8")
