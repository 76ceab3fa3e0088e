"""Neurons and wires, counted and drawn."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from kazami.nets.explained.bipartite import bipartite_svg, bipartite_text, n_wires

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("sizes", [(3, 4, 2), (1, 1), (6, 6), (2, 5, 1, 3, 2)])
def test_small_networks_are_drawn_wire_by_wire(sizes):
    svg = ElementTree.fromstring(bipartite_svg(sizes, label="drawn"))
    assert len(svg.findall(f"{SVG}line")) == n_wires(sizes) == sum(a * b for a, b in pairwise(sizes))
    assert len(svg.findall(f"{SVG}circle")) == sum(sizes)
    assert sum(line.count("○") for line in bipartite_text(sizes)) == sum(sizes)


def test_long_layers_and_deep_networks_are_cut():
    drawn = ElementTree.fromstring(bipartite_svg((784, 128, 64, 10), label="drawn"))
    texts = ["".join(text.itertext()) for text in drawn.findall(f"{SVG}text")]
    assert texts.count("⋮") == 4
    assert {"784", "128", "64", "10", "X784", "Y10"} <= set(texts)
    deep = bipartite_text([5] + [6] * 50 + [2])
    assert any("⋯" in line for line in deep)
    assert max(map(len, deep)) <= 40
    assert deep[-1].split() == ["5", "6", "6", "2"]


def test_negative_weights_are_dashed_and_large_ones_thick():
    svg = ElementTree.fromstring(bipartite_svg((2, 2), label="drawn", weights=[np.array([[1.0, -0.5], [0.25, 0.0]])]))
    lines = svg.findall(f"{SVG}line")
    assert [line.get("stroke-dasharray") is not None for line in lines] == [False, True, False, False]
    widths = [float(line.get("stroke-width")) for line in lines]
    assert widths == sorted(widths, reverse=True)


def test_the_weights_of_the_last_layers_of_a_deep_network_are_its_own():
    sizes = [2] * 9
    weights = [np.full((2, 2), 1.0)] * 7 + [np.full((2, 2), -1.0)]
    svg = ElementTree.fromstring(bipartite_svg(sizes, label="drawn", weights=weights))
    dashed = [line for line in svg.findall(f"{SVG}line") if line.get("stroke-dasharray")]
    assert len(dashed) == 4
    assert len(svg.findall(f"{SVG}line")) == 8  # of the first and the last pair


def test_every_wire_of_the_text_drawing_leaves_dots():
    text = "\n".join(bipartite_text((2, 2)))
    assert re.search(r"[\u2801-\u28ff]", text)


def test_the_label_is_escaped():
    assert 'aria-label="a &lt;b&gt; &quot;c&quot;"' in bipartite_svg((1, 1), label='a <b> "c"')
