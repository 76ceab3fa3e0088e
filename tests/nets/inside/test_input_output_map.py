"""Rows are found in every arrangement, inputs and outputs of every structure are flattened, and whole numbers become vectors."""

import copy

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets.inside.input_output_map import input_output_map
from tests.nets.models import Written, normal, seeded_model


@pytest.mark.parametrize(
    ("make", "example", "batch", "sizes"),
    [
        (lambda: nn.Linear(4, 3), normal(5, 4), 0, (4, 3)),
        (lambda: nn.Linear(4, 4), normal(4), None, (4, 4)),
        (lambda: nn.LSTM(3, 5, batch_first=True), normal(4, 7, 3), 0, (21, 45)),
        (lambda: nn.LSTM(3, 5), (normal(7, 4, 3), (normal(1, 4, 5), normal(1, 4, 5))), 1, (31, 45)),
        (lambda: Written(lambda _, x: torch.softmax(x @ x.T, 1) @ x), normal(4, 3), None, (12, 12)),
        (lambda: Written(lambda _, x: x.reshape(4, 3) * 2), normal(4, 3), None, (12, 12)),
        (lambda: Written(lambda _, x: torch.fft.rfft(x)), normal(4, 6), 0, (6, 8)),
        (lambda: Written(lambda _, x: {"a": x[:, 0], "n": x.argmax(1), "b": (x, x)}), normal(4, 6), 0, (6, 13)),
    ],
)
def test_rows_and_sizes(make, example, batch, sizes):
    function = input_output_map(seeded_model(make), example)
    assert function.batch_dimension == batch
    assert (function.n_inputs, function.n_outputs) == sizes
    assert function(function.rows, function.each_row).shape == (len(function.rows), sizes[1])


def test_the_outputs_are_the_models_own():
    model = seeded_model(lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.Tanh()))
    x = normal(5, 2, 6, 6)
    function = input_output_map(model, x)
    assert torch.allclose(function(x.flatten(1)), model(x).flatten(1))


def test_masks_belong_to_their_rows():
    model = Written(lambda _, x, mask: x * mask)
    x, mask = normal(3, 2), torch.tensor([[0, 1], [1, 0], [1, 1]])
    function = input_output_map(model, x, {"mask": mask})
    assert torch.equal(function(x, function.each_row), x * mask)
    assert torch.equal(function(x), x * mask[0])


def test_tokens_are_varied_as_vectors_and_positions_are_not():
    def forward(self, tokens):
        return self.out(self.token(tokens.long()) + self.place(torch.arange(tokens.shape[1])))

    model = seeded_model(lambda: Written(forward, token=nn.Embedding(9, 4), place=nn.Embedding(5, 4), out=nn.Linear(4, 2)))
    tokens = torch.randint(9, (6, 5), generator=torch.Generator().manual_seed(0), dtype=torch.int32)
    function = input_output_map(model, tokens)
    assert [part.name for part in function.inputs] == ["embedding 0"]
    assert torch.allclose(function(function.rows), model(tokens).flatten(1))


def test_a_model_that_insists_on_single_precision_is_asked_in_it():
    model = Written(lambda self, x: self.layer(x.float()), layer=nn.Linear(3, 2))
    function = input_output_map(model, torch.ones(2, 3))
    assert function.dtype is torch.float32
    assert "float64" in function.notes[0].en


def test_random_numbers_are_noticed():
    function = input_output_map(nn.Dropout(), torch.ones(4, 8), mode="train")
    assert function.is_random
    assert torch.equal(function.in_chunks(function.rows), function.in_chunks(function.rows))


def test_nothing_is_disturbed():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout())
    x = torch.ones(4, 3, requires_grad=True)
    kept, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    function = input_output_map(model, x, mode="train")
    function(function.rows)
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert (model.training, x.grad, model[0].weight.requires_grad) == (True, None, True)


def test_what_cannot_be_varied_is_refused():
    with pytest.raises(UsageError, match="neither"):
        input_output_map(Written(lambda _, x: x.float()), torch.ones(2, 3, dtype=torch.long))
    with pytest.raises(UsageError, match="floating output"):
        input_output_map(Written(lambda _, x: x.argmax(1)), torch.ones(2, 3))
    with pytest.raises(UsageError, match=r"Linear.forward raised RuntimeError"):
        input_output_map(nn.Linear(4, 2), torch.ones(2, 3))
