"""The page holds the numbers of autograd, and what it works out by hand is right."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.derivatives import backprop, backprop_of
from kazami.derivatives.backprop_page import render_page
from kazami.derivatives.backprop_scenes import scenes_of
from kazami.derivatives.backpropagation import ACTIVATIONS, LOSSES
from tests.derivatives.test_backpropagation import network


class Tables(HTMLParser):
    """Collects the last table of each step: its result."""

    def __init__(self):
        super().__init__()
        self.found, self.name, self.is_cell = {}, "", False

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "li" and "data-name" in given:
            self.name = given["data-name"]
        elif tag == "table":
            self.found[self.name] = []
        elif tag == "tr":
            self.found[self.name].append([])
        self.is_cell = tag == "td"

    def handle_data(self, data):
        if self.is_cell:
            self.found[self.name][-1].append(float(data.replace("−", "-")))
            self.is_cell = False


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_the_gradients_on_the_page_are_those_of_autograd(loss):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    x, y = torch.randn(5, 3).double(), torch.randn(5, 2).double() if loss == "mse" else torch.tensor([0, 1, 1, 0, 1])
    hidden = model[0](x)
    output = model[2](model[1](hidden))
    hidden.retain_grad()
    output.retain_grad()
    cost = F.mse_loss(output, y) if loss == "mse" else F.cross_entropy(output, y)
    cost.backward()
    reader = Tables()
    reader.feed(render_page(backprop_of(model, loss, (x, y))))
    theirs = {"Z_1": hidden, "A_2": output, "C": cost.reshape(1, 1), "delta_1": hidden.grad, "delta_2": output.grad}
    theirs |= {f"dW_{place}": model[at].weight.grad.T for place, at in ((1, 0), (2, 2))} | {
        f"db_{place}": model[at].bias.grad[None] for place, at in ((1, 0), (2, 2))
    }
    for name, tensor in theirs.items():
        np.testing.assert_allclose(reader.found[name], tensor.detach().numpy(), rtol=0.0051, err_msg=name)  # three digits


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_what_is_worked_out_by_hand_is_right(loss, activation):
    draw = np.random.default_rng(3)  # whole numbers, so that nothing is lost where they are written down
    sizes = [(3, 4), (4, 2)]
    weights, biases = [draw.integers(-2, 3, size=size).astype(float) for size in sizes], [draw.integers(-2, 3, size=size[1]).astype(float) for size in sizes]
    Y = [0, 1] if loss == "cross_entropy" else [[1.0, 0.0], [0.0, 2.0]]
    found = backprop(weights, biases, [activation, "identity"], draw.integers(-2, 3, size=(2, 3)).astype(float), Y, loss)
    n_checked = 0
    for scene in scenes_of(found):
        parts = re.sub("<sub>.*?</sub>|</?b>", "", scene.by_hand).split(" = ")
        if len(parts) < 3:
            continue
        sum_, value = (
            part.replace("·", "*").replace("−", "-").replace("²", "**2").replace("[", "(").replace("]", ")").replace("ln", "log*") for part in parts[1:]
        )
        if "log" in sum_ or "φ" in sum_ or "…" in sum_:
            continue
        expected = float(np.atleast_2d(scene.step.value)[scene.entry])
        assert eval(sum_) == pytest.approx(float(value), rel=0.011, abs=1e-3), scene.by_hand
        assert float(value) == pytest.approx(expected, rel=0.0051)
        n_checked += 1
    assert n_checked >= 7


def test_the_entries_marked_are_those_of_the_sum():
    found = backprop(*network((3, 4, 2), "tanh", "mse"))
    scene = next(scene for scene in scenes_of(found) if scene.step.name == "delta_1")
    later, transposed, slope = scene.tiles
    row, column = scene.entry
    picked = [np.array([[tile.marked(i, j) for j in range(tile.value.shape[1])] for i in range(tile.value.shape[0])]) for tile in scene.tiles]
    assert (picked[0] == (np.arange(4)[:, None] == row)).all()
    product = later.value[picked[0]] @ transposed.value[picked[1]] * slope.value[picked[2]]
    assert product[0] == pytest.approx(scene.step.value[row, column])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_network_has_its_page(activation):
    page = render_page(backprop(*network((9, 3, 2), activation, "cross_entropy", examples=9)), language="ja")
    assert page.count('<li class="step') == 12
    assert '<html lang="ja">' in page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)  # nothing is fetched
    assert not re.search(r"\[\[\w+\]\]", page)  # no hole of the template is left


def test_a_batch_without_a_loss_that_is_finite_still_has_its_page():
    page = render_page(backprop([[[np.nan]]], [[0.0]], ["identity"], [[2.0]], [[1.0]]))
    assert "NaN" in page
