"""Affine networks give their matrix, whatever they are made of; everything else is told apart, by the right reason."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.errors import UsageError
from kazami.nets.inside.collapse import collapse_report, linear_collapse
from tests.nets.models import Written, normal, seeded_model


def stack(*layers):
    return lambda: nn.Sequential(*layers)


AFFINE = {
    "identities": (lambda: nn.Sequential(*[nn.Linear(6, 6) for _ in range(4)], nn.Identity(), nn.Linear(6, 2)), normal(3, 6)),
    "eval norm and dropout": (lambda: nn.Sequential(nn.Linear(6, 6), nn.Dropout(), nn.BatchNorm1d(6), nn.Linear(6, 2)), normal(3, 6)),
    "convolution": (lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 5)), normal(2, 1, 6, 6)),
    "transposed": (lambda: nn.ConvTranspose1d(2, 3, 3), normal(2, 2, 5)),
    "leaky of slope one": (lambda: nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(1.0)), normal(2, 4)),
    "residual": (lambda: Written(lambda self, x: x + self.f(x), f=nn.Linear(4, 4)), normal(2, 4)),
    "relu minus relu": (lambda: Written(lambda self, x: F.relu(x) - F.relu(-x)), normal(2, 4)),
    "two in two out": (lambda: Written(lambda self, a, b: {"s": self.f(a) + b, "t": (a - 2 * b,)}, f=nn.Linear(3, 3)), (normal(4, 3), normal(4, 3, seed=1))),
    "rows minus mean": (lambda: Written(lambda self, x: x - x.mean(0)), normal(4, 3)),
    "unbatched": (lambda: nn.Linear(4, 3), normal(4)),
    "spectral norm": (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)), normal(2, 4)),
}


@pytest.mark.parametrize("name", AFFINE)
def test_an_affine_network_gives_its_matrix(name):
    make, example = AFFINE[name]
    model = seeded_model(make).eval()
    found = linear_collapse(model, example)
    assert found is not None
    report = collapse_report(model, example)
    matrix, bias = report.matrix, report.bias
    assert torch.equal(matrix, found[0])
    fresh = report.function.rows + normal(*report.function.rows.shape, seed=9)
    assert torch.allclose(fresh @ matrix + bias, report.function(fresh), atol=1e-10)
    assert report.verified < 1e-12


BENT = {
    "max pool": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2)), normal(2, 1, 6, 6), "1 (MaxPool2d)"),
    "layer norm": (lambda: nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), normal(2, 4), "1 (LayerNorm)"),
    "softmax": (lambda: nn.Sequential(nn.Linear(4, 4), nn.Softmax(1)), normal(2, 4), "1 (Softmax)"),
    "functional": (lambda: Written(lambda self, x: self.g(F.gelu(self.f(x))), f=nn.Linear(4, 4), g=nn.Linear(4, 4)), normal(2, 4), "own forward"),
    "tiny square": (lambda: Written(lambda self, x: x + 1e-3 * x**2), normal(2, 4), "own forward"),
    "tiny wave": (lambda: Written(lambda self, x: x + 1e-8 * torch.sin(x)), normal(2, 4), "own forward"),
    "step": (lambda: Written(lambda self, x: x + torch.sign(x)), normal(2, 4), "own forward"),
    "logarithm": (lambda: Written(lambda self, x: torch.log(x)), normal(2, 4).abs(), "NaN"),
    "attention over rows": (lambda: Written(lambda self, x: torch.softmax(x @ x.T, 1) @ x), normal(4, 3), "own forward"),
    "recurrent": (lambda: nn.LSTM(3, 4, batch_first=True), normal(2, 5, 3), "own forward"),
    "product": (lambda: Written(lambda self, a, b: a * b), (normal(3, 2), normal(3, 2, seed=1)), "multiplied"),
    "chaos": (lambda: Written(lambda self, x: chaotic(x)), normal(2, 8), "own forward"),
}


def chaotic(x):
    for _ in range(80):
        x = torch.tanh(3 * x + 2 * torch.roll(x, 1, -1) - 2.5 * torch.roll(x, 2, -1))
    return x


@pytest.mark.parametrize("name", BENT)
def test_what_bends_is_told_with_its_reason(name):
    make, example, reason = BENT[name]
    model = seeded_model(make)
    assert linear_collapse(model, example) is None
    report = collapse_report(model, example)
    assert (report.is_affine, report.matrix) == (False, None)
    assert reason in report.why.en
    assert report.why.ja


@pytest.mark.parametrize("example", [normal(20, 4), normal(1, 4)])
def test_affine_on_the_data_is_not_affine_everywhere(example):
    model = seeded_model(lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)))
    model[0].bias.data += 100.0
    report = collapse_report(model, example)
    assert (report.is_affine, report.affine_on_data) == (False, True)
    assert "affine on your data, but not everywhere" in report.why.en
    assert [layer.name for layer in report.nonlinear_layers] == ["1"]


def test_a_sigmoid_near_zero_is_no_line():
    assert linear_collapse(nn.Sigmoid(), 1e-9 * normal(4, 3)) is None


def test_cancelling_terms_leave_rounding_only():
    model = seeded_model(lambda: nn.Sequential(nn.Linear(4, 8, bias=False), nn.Linear(8, 4, bias=False)))
    model[0].weight.data[4:] = model[0].weight.data[:4]
    model[1].weight.data[:, 4:] = -model[1].weight.data[:, :4]
    report = collapse_report(model, normal(3, 4))
    assert report.is_affine
    assert float(report.matrix.abs().max()) < 1e-14


def test_a_thousand_layers():
    model = seeded_model(lambda: nn.Sequential(*[nn.Linear(8, 8) for _ in range(1000)]))
    for layer in model:
        nn.init.orthogonal_(layer.weight, generator=torch.Generator().manual_seed(1))
    report = collapse_report(model, normal(2, 8), layers=False)
    product = torch.linalg.multi_dot([layer.weight for layer in reversed(model)]).detach()
    assert report.why.en == "This 1000-layer network is one matrix: 8 → 8."
    assert torch.allclose(report.matrix, product.T, atol=1e-11)


def test_a_bottleneck_shows_in_the_rank():
    report = collapse_report(seeded_model(lambda: nn.Sequential(nn.Linear(9, 2), nn.Linear(2, 7))), normal(3, 9))
    assert report.rank == 2
    assert "of numerical rank 2" in report.why.en


def test_batch_statistics_are_no_affine_map():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    assert linear_collapse(model, normal(6, 3)) is not None
    report = collapse_report(model, normal(6, 3), mode="train")
    assert not report.is_affine
    assert "Batch statistics" in report.why.en
    assert report.batch_dimension is None


def test_dropout_in_training_is_a_matrix_per_draw():
    report = collapse_report(nn.Sequential(nn.Linear(6, 6), nn.Dropout()), normal(3, 6), mode="train")
    assert not report.is_affine
    assert "for each draw it is one matrix" in report.why.en


def test_state_between_calls_is_no_function():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x):
            self.seen += x.detach().sum()
            return x + self.seen

    assert "keeps state" in collapse_report(Counter(), normal(3, 2)).why.en


def test_an_embedding_counts_as_a_linear_layer_of_one_hot_vectors():
    tokens = torch.randint(10, (6, 5), generator=torch.Generator().manual_seed(0))
    model = seeded_model(lambda: nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(20, 3)))
    report = collapse_report(model, tokens)
    assert report.is_affine
    assert any("one-hot" in note.en for note in report.notes)
    assert torch.allclose(model[0](tokens).flatten(1) @ report.matrix + report.bias, model(tokens))
    assert linear_collapse(nn.Sequential(nn.Embedding(10, 4), nn.ReLU(), nn.Flatten(), nn.Linear(20, 3)), tokens) is None


def test_the_operator_is_the_matrix():
    report = collapse_report(seeded_model(AFFINE["convolution"][0]), AFFINE["convolution"][1])
    operator = report.operator()
    x, y = np.random.default_rng(0).standard_normal(36), np.random.default_rng(1).standard_normal(5)
    assert np.allclose(operator @ x, report.matrix.numpy().T @ x)
    assert np.allclose(operator.rmatvec(y), report.matrix.numpy() @ y)


def test_a_matrix_that_is_too_large_is_an_operator():
    model = nn.AvgPool1d(3, stride=1, padding=1)
    with pytest.raises(UsageError, match="operator"):
        linear_collapse(model, torch.ones(1, 1, 6000))
    report = collapse_report(model, torch.ones(1, 1, 6000))
    assert (report.is_affine, report.matrix) == (True, None)
    assert math.isclose((report.operator() @ np.ones(6000))[3000], 1.0)


def test_dtype_and_model_stay():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    kept = copy.deepcopy(model.state_dict())
    matrix, bias = linear_collapse(model, torch.ones(4, 3))
    assert (matrix.dtype, bias.dtype, model.training) == (torch.float32, torch.float32, True)
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())


def test_a_layer_that_hides_behind_zero_is_named():
    model = Written(lambda self, x: x + 0 * self.act(x), act=nn.Tanh())
    assert "does not reach the output" in collapse_report(model, normal(3, 2)).why.en


def test_plain_data():
    document = collapse_report(seeded_model(stack(nn.Linear(2, 2), nn.ReLU())), normal(3, 2)).to_dict("ja")
    assert document["layers"][1]["is_affine"] is False
    assert "曲げている層" in document["why"]
