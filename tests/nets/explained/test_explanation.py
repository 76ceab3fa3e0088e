"""From one neuron to a network: every number that is shown is the one that is computed."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from torch import nn

from kazami.errors import CannotWrite, UsageError
from kazami.nets.explained.explanation import SOFTMAX_OF, explain
from kazami.reports.wrapping import width_of

SPECS = ("3-4-2", "1-1", "784-128-64-10", "5-6-6-6-6-6-2", "2-3-3-3-3-3-3-3-3-3-3-3-1")


def logistic(x: np.ndarray) -> np.ndarray:
    """Return the sigmoid, by NumPy."""
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("sizes", SPECS)
def test_the_three_steps_are_one_formula(sizes):
    shown = explain(sizes, activation=nn.Sigmoid)
    first = shown.layers[0]
    x, w, b = first.x[0], first.weight[:, 0], first.bias[0, 0]
    assert shown.one_input.y == pytest.approx(logistic(x[0] * w[0] + b), abs=1e-12)
    assert shown.neuron.y == pytest.approx(logistic(x @ w + b), abs=1e-12)
    assert shown.neuron.y == pytest.approx(first.y[0, 0], abs=1e-12)  # the neuron is the layer's first column
    y = first.x
    for layer in shown.layers:
        assert np.allclose(layer.x, y)
        y = logistic(y @ layer.weight + layer.bias)
        assert np.abs(y - layer.y).max() < 1e-12
    with torch.no_grad():
        assert np.abs(shown.model(shown.example).numpy() - y).max() < 1e-12


def test_what_is_shown_can_be_checked_by_hand():
    text = explain("3-4-2", activation=nn.Tanh).to_text()
    x, w, b, vote, y = re.search(r"= φ\((\S+) · \(?(-?[\d.]+)\)? \+ \(?(-?[\d.]+)\)?\) = φ\((\S+)\) = (\S+)", text).groups()
    assert float(x) * float(w) + float(b) == pytest.approx(float(vote), abs=5e-3)
    assert np.tanh(float(vote)) == pytest.approx(float(y), abs=5e-3)
    assert all(f"{value:.4f}" in text for value in np.exp(SOFTMAX_OF) / np.exp(SOFTMAX_OF).sum())


def test_softmax_and_votes():
    shown = explain("3-4-2", activation=nn.Tanh)
    expected = np.exp(SOFTMAX_OF) / np.exp(SOFTMAX_OF).sum()
    assert np.abs(np.array(shown.softmax) - expected).max() < 1e-14
    assert [round(value, 3) for value in shown.softmax] == [0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175]
    sums = shown.layers[0].sums[0]
    assert [vote.fires for vote in shown.votes] == [bool(value >= 0) for value in sums]  # x·w ≥ -b
    assert {vote.fires for seed in range(4) for vote in explain("3-4-2", seed=seed, activation=nn.Tanh).votes} == {True, False}


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("sizes", SPECS)
def test_the_text_fits_a_terminal_and_its_numbers_are_the_same(sizes, language):
    shown = explain(sizes, language, activation=nn.Sigmoid)
    text = shown.to_text()
    assert max(width_of(line) for line in text.splitlines()) <= 80
    assert f"{shown.n_wires:,}" in text
    assert all(f"\n{number}  " in text for number in range(1, 9))
    assert ("ニューロン" in text) is (language == "ja")
    assert shown.forms.difference < 1e-12


class Tags(HTMLParser):
    """Counts what a page holds, and checks that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href") and value and not value.startswith("#")]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_holds_both_drawings_and_asks_nothing(language):
    page = explain("3-4-2", language, activation="tanh").to_html()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.seen.count("section") == 8
    assert tags.seen.count("svg") >= 2
    assert tags.seen.count("math") > 8
    assert tags.addresses == []
    assert "script" not in tags.seen
    assert f'lang="{language}"' in page


def test_the_document_is_complete():
    document = json.loads(json.dumps(explain("784-16-2", activation="relu").to_dict(), allow_nan=False))
    assert document["schema"] == 1
    assert document["drawings"] == {"neurons": 802, "wires": 784 * 16 + 32, "blocks": 2, "quantities": 3}
    assert document["layers"][0]["weight"] == {"shape": [784, 16], "values": None}
    assert document["softmax"]["sum"] == pytest.approx(1)
    assert document["forms"]["row"]["shapes"]["weight"] == [784, 16]


def test_the_seed_alone_decides():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert explain("3-4-2", activation=nn.Tanh).to_text() == explain([3, 4, 2], activation=nn.Tanh).to_text()
    assert explain("3-4-2", activation=nn.Tanh, seed=1).to_text() != explain("3-4-2", activation=nn.Tanh).to_text()
    assert torch.equal(torch.get_rng_state(), before)


def test_wrong_requests_get_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="such as 3-4-2"):
        explain("3")
    with pytest.raises(UsageError, match="1,000,000,000,000 weights is too large"):
        explain("1000000-1000000", activation=nn.Tanh)
    with pytest.raises(UsageError, match="mixes several"):
        explain("3-4-2", activation=nn.Softmax(dim=-1))
    with pytest.raises(UsageError, match="needs an activation of one number"):
        explain("3-4-2", activation=nn.GLU)
    with pytest.raises(UsageError, match="en or ja"):
        explain("3-4-2", "fr", activation=nn.Tanh)
    with pytest.raises(CannotWrite, match="cannot be written"):
        explain("3-4-2", activation="tanh").write_html(str(tmp_path / "none" / "page.html"))
