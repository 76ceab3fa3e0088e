"""The gradient checker finds planted errors by name and index, calls right models right, and leaves everything as it was."""

import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import kazami
from kazami import gradcheck
from kazami.errors import UsageError
from tests.derivatives.right_models import right_models
from tests.derivatives.wrong_models import Squash, wrong_models

RIGHT, WRONG = right_models(), wrong_models()
BATCH = (torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), torch.randn(5, 3, generator=torch.Generator().manual_seed(1)))


class Applied(nn.Module):
    """A linear layer followed by a custom function."""

    def __init__(self, function):
        super().__init__()
        self.layer, self.function = nn.Linear(4, 3), function

    def forward(self, x):
        return self.function.apply(self.layer(x))


class Cube(torch.autograd.Function):
    """x³, right once; its double backward forgets a term."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        return 3 * grad * ctx.saved_tensors[0].detach() ** 2


class RightCube(Cube):
    """x³, right twice."""

    @staticmethod
    def backward(ctx, grad):
        return 3 * grad * ctx.saved_tensors[0] ** 2


class Raises(Cube):
    """A backward that fails."""

    @staticmethod
    def backward(ctx, grad):
        raise RuntimeError("boom")


class OneWrongEntry(torch.autograd.Function):
    """x @ w whose gradient by w is wrong in one entry, and by x in another."""

    @staticmethod
    def forward(ctx, x, w, place):
        ctx.save_for_backward(x, w)
        ctx.place = place
        return x @ w

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        by_w = (x.T @ grad).clone()
        by_w[ctx.place] *= 1.5
        return grad @ w.T, by_w, None


class Wide(nn.Module):
    """A square layer with one wrong entry in its gradient, between two right ones."""

    def __init__(self, n, place, activation):
        super().__init__()
        self.first, self.last, self.activation, self.place = nn.Linear(20, n), nn.Linear(n, 5), activation, place
        self.weight = nn.Parameter(torch.randn(n, n) / n**0.5)

    def forward(self, x):
        return self.last(self.activation(OneWrongEntry.apply(self.activation(self.first(x)), self.weight, self.place)))


@pytest.mark.parametrize("name", RIGHT)
def test_right_models_are_called_right(name):
    model, loss, batch = RIGHT[name]
    found = gradcheck(model, loss, batch)
    assert found.ok, str(found)
    assert found.parameter is None
    assert [row.name for row in found.table] == [name for name, _ in model.named_parameters()]


@pytest.mark.parametrize("name", WRONG)
def test_planted_errors_are_found_by_name_and_index(name):
    model, loss, batch, names, index = WRONG[name]
    found = gradcheck(model, loss, batch)
    assert not found.ok
    assert found.parameter in names
    assert index is None or found.index == index
    assert dict(model.named_parameters())[found.parameter][found.index].numel() == 1  # the index is one of this parameter


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_no_false_alarm_and_no_miss_whatever_the_seed(seed):
    for name, (model, loss, batch) in RIGHT.items():
        assert gradcheck(model, loss, batch, seed=seed).ok, name
    for name, (model, loss, batch, names, index) in WRONG.items():
        found = gradcheck(model, loss, batch, seed=seed)
        assert found.parameter in names, name
        assert index is None or found.index == index, name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("factor two", "2 times"),
        ("transposed", "transpose"),
        ("sign of bias", "sign is wrong"),
        ("mean for sum", "6 examples"),
        ("straight through", "straight-through"),
        ("detach", "detach()"),
        ("float32 kernel", "1.05 times"),
    ],
)
def test_the_hint_names_the_pattern(name, words):
    model, loss, batch, _, _ = WRONG[name]
    found = gradcheck(model, loss, batch)
    assert any(words in hint.en for hint in found.hints), [hint.en for hint in found.hints]
    assert all(hint.ja for hint in found.hints)


def test_both_values_are_the_true_derivatives():
    model, loss, batch, _, _ = WRONG["factor two"]
    found = gradcheck(model, loss, batch)
    right = nn.Sequential(model[0], model[1], nn.Linear(3, 3), model[3], model[4])
    right[2].load_state_dict(model[2].state_dict())
    right = right.double()
    loss(right(batch[0].double()), batch[1].double()).backward()
    truth = right[2].weight.grad[found.index].item()
    assert found.numeric == pytest.approx(truth, rel=1e-7)
    assert found.analytic == pytest.approx(2 * truth, rel=1e-12)


def test_the_error_of_a_right_gradient_falls_as_the_square_of_the_step_and_that_of_a_wrong_one_stays():
    torch.manual_seed(0)
    right = gradcheck(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), F.mse_loss, BATCH).error_growth
    assert right.kind == "right"
    assert right.truncation == pytest.approx(2, abs=0.3)
    assert right.rounding == pytest.approx(-1, abs=0.5)
    model, loss, batch, _, _ = WRONG["factor two"]
    wrong = gradcheck(model, loss, batch).error_growth
    assert wrong.kind == "flat"
    assert max(wrong.errors[1:]) < 1.01 * min(wrong.errors[1:])


@pytest.mark.parametrize("name", ["wrong input gradient", "negative side"])
def test_the_module_at_fault_is_named(name):
    model, loss, batch, _, _ = WRONG[name]
    assert gradcheck(model, loss, batch).module == ("2" if name == "wrong input gradient" else "1")


@pytest.mark.parametrize("activation", [torch.tanh, torch.relu])
def test_one_wrong_entry_in_forty_thousand_is_found_in_few_evaluations(activation):
    torch.manual_seed(3)
    batch = (torch.randn(8, 20), torch.randint(5, (8,)))
    model = Wide(200, (0, 0), activation)
    F.cross_entropy(model(batch[0]), batch[1]).backward()
    sizes = model.weight.grad.abs().flatten()
    place = int((sizes - sizes[sizes > 0].median()).abs().argmin())  # a wrong factor on a zero would be no error
    model.place = (place // 200, place % 200)
    found = gradcheck(model, F.cross_entropy, batch)
    assert (found.parameter, found.index) == ("weight", model.place)
    assert found.analytic == pytest.approx(1.5 * found.numeric, rel=1e-5)
    assert found.n_evaluations < 700


@pytest.mark.slow
def test_one_wrong_entry_in_a_million_is_found():
    torch.manual_seed(3)
    found = gradcheck(Wide(1000, (611, 42), torch.tanh), F.cross_entropy, (torch.randn(8, 20), torch.randint(5, (8,))))
    assert (found.parameter, found.index) == ("weight", (611, 42))


def test_second_derivatives_are_checked_on_request():
    torch.manual_seed(0)
    assert gradcheck(Applied(Cube), F.mse_loss, BATCH).ok
    assert not gradcheck(Applied(Cube), F.mse_loss, BATCH, second=True).ok
    assert gradcheck(Applied(RightCube), F.mse_loss, BATCH, second=True).ok


def test_inputs_are_checked_on_request():
    class ByX(OneWrongEntry):
        @staticmethod
        def backward(ctx, grad):
            x, w = ctx.saved_tensors
            by_x = (grad @ w.T).clone()
            by_x[2, 1] = 0
            return by_x, x.T @ grad, None

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(4, 3))

        def forward(self, x):
            return ByX.apply(x, self.w, None)

    torch.manual_seed(0)
    model = Model()
    assert gradcheck(model, F.mse_loss, BATCH).ok
    found = gradcheck(model, F.mse_loss, BATCH, inputs=True)
    assert (found.parameter, found.index, found.analytic) == ("input", (2, 1), 0.0)


def test_a_failing_backward_is_an_answer():
    found = gradcheck(Applied(Raises), F.mse_loss, BATCH)
    assert not found.ok
    assert "boom" in found.verdict.en


def test_a_loss_that_is_not_finite_is_an_answer():
    found = gradcheck(nn.Linear(4, 3), lambda output, target: output.sum() / 0, BATCH)
    assert not found.ok
    assert found.table == ()


def test_frozen_parameters_are_not_checked_and_said_so():
    model = nn.Linear(4, 3)
    model.weight.requires_grad_(False)
    found = gradcheck(model, F.mse_loss, BATCH)
    assert {row.name: row.status for row in found.table} == {"weight": "skipped", "bias": "right"}


def test_a_weight_on_a_kink_is_no_fault():
    class Absolute(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(3))

        def forward(self, x):
            return self.weight.abs().sum() + x.mean()

    found = gradcheck(Absolute(), lambda output, target: output, BATCH)
    assert found.ok
    assert found.table[0].status == "kink"


def test_the_complex_step_is_taken_where_possible():
    torch.manual_seed(0)
    smooth = gradcheck(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), F.mse_loss, BATCH)
    assert "agrees with backprop" in smooth.complex_step.en
    normed = gradcheck(nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)), F.mse_loss, BATCH)
    assert normed.complex_step.en.startswith("No complex step")


@pytest.mark.parametrize("make", [lambda w: functools.partial(F.cross_entropy, weight=w), lambda w: lambda o, t: F.cross_entropy(o, t, weight=w)])
def test_float32_constants_in_the_loss_do_not_force_float32(make):
    found = gradcheck(nn.Linear(4, 3), make(torch.rand(3)), (BATCH[0], torch.tensor([0, 1, 2, 0, 1])))
    assert found.ok
    assert found.dtype == "float64"


def test_what_refuses_float64_is_checked_in_its_own_precision_and_said_so():
    model, loss, batch = RIGHT["refuses float64"]
    found = gradcheck(model, loss, batch)
    assert found.dtype == "float32"
    assert any("float64 was refused" in note.en for note in found.notes)


def test_parameters_are_tested_in_groups_beyond_the_budget_and_a_fault_is_still_found():
    torch.manual_seed(0)
    model = nn.Sequential(*(layer for _ in range(12) for layer in (nn.Linear(5, 5), nn.Tanh())), nn.Linear(5, 5), Squash("missing term"), nn.Linear(5, 5))
    found = gradcheck(model, F.mse_loss, (torch.randn(4, 5), torch.randn(4, 5)), budget_s=1e-3)
    assert not found.ok
    assert found.parameter.startswith("24.")
    right = nn.Sequential(*(layer for _ in range(12) for layer in (nn.Linear(5, 5), nn.Tanh())))
    found = gradcheck(right, F.mse_loss, (torch.randn(4, 5), torch.randn(4, 5)), budget_s=1e-3)
    assert found.ok
    assert max(row.together for row in found.table) > 1
    assert any("at a time" in note.en for note in found.notes)


def assert_nothing_changed(model, batch, check):
    """Everything the caller has is bit-identical after ``check``."""
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 7.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    flags = [(parameter.requires_grad, parameter.dtype, id(parameter)) for parameter in model.parameters()]
    attributes = [dict(vars(module)) for module in model.modules()]
    numbers, inputs = torch.get_rng_state(), batch[0].clone()
    check()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(bool((parameter.grad == 7.0).all()) for parameter in model.parameters())
    assert flags == [(parameter.requires_grad, parameter.dtype, id(parameter)) for parameter in model.parameters()]
    assert all(vars(module).keys() == kept.keys() for module, kept in zip(model.modules(), attributes, strict=True))
    assert torch.equal(torch.get_rng_state(), numbers)
    assert torch.equal(batch[0], inputs)
    assert torch.get_default_dtype() == torch.float32
    assert model.training


@pytest.mark.parametrize("name", ["in place", "dropout", "convolutions and norms", "carries state"])
def test_the_model_stays_as_it_is(name):
    model, loss, batch = right_models()[name]
    assert_nothing_changed(model, batch, lambda: gradcheck(model, loss, batch, inputs=True))


def test_a_model_that_keeps_its_last_output_can_be_checked():
    model = nn.Linear(4, 3)
    model.last = model(BATCH[0])
    assert gradcheck(model, F.mse_loss, BATCH).ok


def test_the_same_seed_gives_the_same_answer():
    model, loss, batch, _, _ = WRONG["no sum over batch"]
    first, second = gradcheck(model, loss, batch, seed=3), gradcheck(model, loss, batch, seed=3)
    assert [row.to_dict() for row in first.table] == [row.to_dict() for row in second.table]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gradcheck(nn.Linear(3, 3), F.mse_loss, BATCH), "cannot be multiplied"),
        (lambda: gradcheck(nn.Linear(4, 3), lambda o, t: o, BATCH), "0-d tensor"),
        (lambda: gradcheck(nn.Linear(4, 3), lambda o, t: 1.0, BATCH), "returned float"),
        (lambda: gradcheck(nn.Linear(4, 3), F.mse_loss, BATCH[0]), r"\(inputs, target\)"),
        (lambda: gradcheck(len, F.mse_loss, BATCH), "nn.Module"),
        (lambda: gradcheck(nn.Linear(4, 3), F.mse_loss, BATCH, tolerance=0.0), "tolerance"),
        (lambda: gradcheck(nn.Linear(4, 3), F.mse_loss, BATCH, n_directions=0), "n_directions"),
    ],
)
def test_what_cannot_be_done_is_said(call, words):
    with pytest.raises(UsageError, match=words):
        call()


def test_the_result_is_plain_data_and_speaks_both_languages():
    import json

    for name in ("factor two", "detach", "not a number"):
        model, loss, batch, _, _ = WRONG[name]
        found = gradcheck(model, loss, batch)
        assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["parameter"] == found.parameter
        assert found.parameter in found.verdict.ja
        for language in ("en", "ja"):
            header, cells = found.rows(language)
            assert all(len(row) == len(header) for row in cells)


def test_it_stands_on_the_door():
    assert kazami.gradcheck is gradcheck


def test_a_forward_pass_that_changes_weights_itself_is_told():
    torch.manual_seed(0)
    batch = (torch.randint(10, (4, 5)), torch.randn(4, 5, 3))
    limited, free = (gradcheck(nn.Embedding(10, 3, max_norm=limit), F.mse_loss, batch) for limit in (1.0, None))
    assert any("changes weights in place" in note.en and "weight" in note.en for note in limited.notes)
    assert not any("in place" in note.en for note in free.notes)
