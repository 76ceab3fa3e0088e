"""The pictures: nothing overlaps, no arrow runs through a box, text stays inside, and the files are what they say."""

import itertools
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
import torch
from torch import nn

from kazami.errors import CannotWrite, UsageError
from kazami.nets import graph
from kazami.nets.graph import insides
from kazami.nets.graph.drawing import wrapped
from kazami.nets.graph.layout import laid_out, least_height
from kazami.nets.graph.lettering import text_width
from kazami.nets.graph.looks import DARK, LIGHT
from kazami.nets.graph.picture import BOLD, SIZES, picture_of
from kazami.nets.graph.shapes import samples
from kazami.records.trace import Layer, Series, Trace

from .zoo import ZOO, data, mlp

NAMES = ("mlp", "resnet", "unet", "densenet", "lstm", "unrolled", "gpt", "tied", "towers", "branching", "attention")


@pytest.fixture(scope="module")
def graphs():
    torch.manual_seed(0)
    return {name: graph(*ZOO[name]()) for name in NAMES}


def drawn(found, **options):
    picture = picture_of(found.nodes, found.edges, found.blocks, **{"open_blocks": False, "fold": True, "language": "en", **options})
    return picture, laid_out(picture)


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_no_two_boxes_overlap_and_no_arrow_runs_through_a_box(graphs, name, is_open):
    picture, laid = drawn(graphs[name], open_blocks=is_open)
    places = {box.id: (*laid.boxes[box.id], *box.size) for box in picture.boxes}
    for (x, y, w, h), (a, b, c, d) in itertools.combinations(places.values(), 2):
        assert abs(x - a) >= (w + c) / 2 - 0.5 or abs(y - b) >= (h + d) / 2 - 0.5
    for arrow, (curve, _) in zip(picture.arrows, laid.curves, strict=True):
        for name_of_box, (x, y, w, h) in places.items():
            inside = [p for p in samples(curve) if abs(p[0] - x) < w / 2 - 1 and abs(p[1] - y) < h / 2 - 1]
            assert not inside or name_of_box in (arrow.source, arrow.target)


@pytest.mark.parametrize("name", NAMES)
def test_text_stays_inside_its_box(graphs, name):
    picture, _ = drawn(graphs[name])
    for box in picture.boxes:
        width, height = box.size
        widest = max(text_width(text, SIZES[style], is_bold=style in BOLD) for text, style in box.lines)
        total = sum(SIZES[style] for _, style in box.lines)
        if box.shape == "ellipse":
            assert (widest / width) ** 2 + (total / height) ** 2 < 1.02  # the corners of the text lie on or in the ellipse
        else:
            assert widest + 8 <= width
            assert total + 3 <= height


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", NAMES)
def test_the_svg_is_well_formed_and_names_what_it_shows(graphs, name, language):
    svg = graphs[name].to_svg(language=language)
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    labelled = root.attrib["aria-labelledby"].split()
    assert [child.attrib["id"] for child in root if child.tag.endswith(("title", "desc"))] == labelled
    assert "prefers-color-scheme:dark" in svg
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", svg)
    assert svg == graphs[name].to_svg(language=language)


def test_every_block_opens(graphs):
    svg = graphs["mlp"].to_svg()
    assert svg.count('role="button"') == 2
    assert svg.count("kg-inside g") == 2


def test_light_and_dark_show_the_same_roles():
    assert LIGHT.keys() == DARK.keys()


def test_folding_and_opening_change_what_is_drawn(graphs):
    boxes = {(fold, is_open): len(drawn(graphs["gpt"], fold=fold, open_blocks=is_open)[0].boxes) for fold in (True, False) for is_open in (True, False)}
    assert boxes[True, False] < boxes[True, True] < boxes[False, True]
    assert boxes[True, False] < boxes[False, False] / 3


def test_a_png_is_written(graphs, tmp_path):
    path = str(tmp_path / "net.png")
    assert graphs["unet"].to_png(path) == path
    head = (tmp_path / "net.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(head[16:20]) > 400
    with pytest.raises(CannotWrite):
        graphs["mlp"].to_png(str(tmp_path / "no" / "net.png"))


def test_text_formats(graphs):
    mermaid = graphs["mlp"].to_mermaid()
    assert mermaid.startswith("flowchart TD\n")
    assert '["0<br/>φ(X·W + b)<br/>φ = relu"]' in mermaid
    assert graphs["gpt"].to_mermaid().count("subgraph") == 1
    dot = graphs["gpt"].to_dot()
    assert dot.count("{") == dot.count("}") == 2


def test_the_json_holds_the_whole_graph(graphs):
    found = graphs["gpt"].to_dict()
    assert found["schema"] == 1
    assert len(found["nodes"]) == len(graphs["gpt"].nodes)
    ids = {node["id"] for node in found["nodes"]}
    assert all(edge["source"] in ids and edge["target"] in ids for edge in found["edges"])
    assert all(set(block["nodes"]) <= ids for block in found["blocks"])
    assert found["parameters"] == graphs["gpt"].parameters


def test_colours_follow_the_values(graphs):
    svg = graphs["mlp"].coloured({"0": -6.0, "2.weight": 2.0}, label="layer wind", scale="wind").to_svg()
    assert "fill:#1b2454" in svg  # dead calm
    assert "fill:#8c1e16" in svg  # storm
    assert "layer wind" in svg
    plain = graphs["mlp"].coloured({"0": 1.0, "2": 3.0, "1": math.nan}, label="gradient")
    assert plain.colouring.scale == "linear"
    assert graphs["mlp"].coloured({"0": 1e-3, "2": 3.0}).colouring.scale == "log"
    with pytest.raises(UsageError, match="at least one value"):
        graphs["mlp"].coloured({})
    with pytest.raises(UsageError, match="above zero"):
        graphs["mlp"].coloured({"0": -1.0}, scale="log")


def trace(name="0"):
    layers = (Layer(name, "linear", (4, 3), 3, 4), Layer("2", "linear", (2, 4), 4, 2))
    series = {"layer_wind": Series(torch.arange(1, 3).numpy(), torch.tensor([[0.0, 0.0], [-6.0, 2.0]], dtype=torch.float64).numpy())}
    return Trace(step=2, series=series, layers=layers)


def test_a_run_colours_the_graph_of_its_model(graphs):
    found = graphs["mlp"].coloured_by(trace())
    assert dict(found.colouring.values) == {"0": -6.0, "2": 2.0}
    with pytest.raises(UsageError, match=r'no quantity of every layer in this run "layer_win"\. Did you mean "layer_wind"'):
        graphs["mlp"].coloured_by(trace(), series="layer_win")
    with pytest.raises(UsageError, match="No layer of the run is in this graph"):
        graphs["gpt"].coloured_by(trace("somewhere.else"))


def test_lines_are_wrapped_to_the_width():
    lines = wrapped("torch.export could not capture it. 図は例の入力で通った経路です。ほかの経路もあり得ます。", 10.0, 120.0)
    assert all(text_width(line, 10.0) <= 120.0 for line in lines)
    assert "".join(lines).replace(" ", "").startswith("torch.exportcouldnotcaptureit.図は")
    assert not any(line.startswith("。") for line in lines)


@pytest.mark.parametrize("depth", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_unequal_layers_are_drawn(depth):
    widths = [place * place % 61 + 2 for place in range(depth + 1)]
    found = graph(nn.Sequential(*[nn.Linear(one, two) for one, two in itertools.pairwise(widths)]), data(2, 2))
    assert len(ET.fromstring(found.to_svg(fold=False))) > 2 * depth


def test_nothing_is_said_on_stderr():
    code = "import torch; from torch import nn; from kazami.nets import graph; graph(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), torch.ones(2, 3)).to_svg()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_notebook_shows_the_picture():
    assert graph(mlp(), data(5, 3))._repr_svg_().startswith("<svg")


class Stepped(nn.Module):
    """One cell, called for every step."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(2, 3)

    def forward(self, x):
        state = x.new_zeros(len(x), 3)
        for step in range(x.shape[1]):
            state = self.cell(x[:, step], state)
        return state


def test_a_long_loop_is_not_laid_out_step_by_step(monkeypatch):
    laid = []

    def counted(picture):
        laid.append(len(picture.boxes))
        return laid_out(picture)

    monkeypatch.setattr(insides, "laid_out", counted)
    svg = graph(Stepped(), torch.ones(2, 60, 2)).to_svg()
    assert "× 60" in svg
    assert max(laid) < 60


@pytest.mark.parametrize("name", sorted(ZOO))
def test_no_layout_is_lower_than_the_least_height(name):
    found = graph(*ZOO[name]())
    picture = picture_of(found.nodes, found.edges, found.blocks, open_blocks=False, fold=False, language="en")
    assert 0 < least_height(picture) <= laid_out(picture).height + 1
