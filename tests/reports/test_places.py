"""Where a finding is, in words: a layer with its number and its shape, a phrase in both languages."""

import dataclasses

import pytest

from kazami.records import Finding, Layer, Sentence
from kazami.reports.places import layers_of, placed, what

LAYERS = (Layer("0", "linear", (64, 20), 20, 64), Layer("2", "conv", (16, 3, 5, 5), 75, 16), Layer("norm", "norm", (16,), 16, 16))


def finding(place, place_ja=""):
    return Finding("KZ104", "dead_units", "error", 0.9, 1, place, Sentence("", ""), place_ja=place_ja)


@pytest.mark.parametrize(
    ("place", "en", "ja"),
    [
        ("0", "0 (layer 1 of 3, linear 20→64)", "0（3 層中 1 番目、linear 20→64）"),
        ("0.weight", "0.weight (layer 1 of 3, linear 20→64)", "0.weight（3 層中 1 番目、linear 20→64）"),
        ("2", "2 (layer 2 of 3, conv 3→16, 5×5)", "2（3 層中 2 番目、conv 3→16, 5×5）"),
        ("", "", ""),
        ("elsewhere", "elsewhere", "elsewhere"),
    ],
)
def test_layers_are_described_and_other_places_stay(place, en, ja):
    assert placed(finding(place), LAYERS) == Sentence(en, ja)


def test_a_phrase_is_in_both_languages():
    assert placed(finding("the loss", "損失"), LAYERS) == Sentence("the loss", "損失")


def test_other_kinds_show_their_shape():
    assert what(Layer("e", "embedding", (100, 16), 100, 16)) == "embedding 100×16"
    assert what(Layer("scale", "other", (7,), 7, 7)) == "7"


def test_layers_come_back_from_a_stored_head_and_a_strange_head_has_none():
    head = {"layers": [dataclasses.asdict(layer) | {"shape": list(layer.shape), "of_a_later_version": 1} for layer in LAYERS]}
    assert layers_of(head) == LAYERS
    assert layers_of({}) == layers_of({"layers": [3]}) == layers_of({"layers": [{"name": "x"}]}) == ()
