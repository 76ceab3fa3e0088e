"""The walk as page, SVG and PNG."""

from xml.etree import ElementTree

import pytest

from kazami.derivatives import backprop
from kazami.errors import CannotWrite, UsageError
from tests.derivatives.test_backpropagation import network


@pytest.fixture(scope="module")
def found():
    return backprop(*network((3, 4, 2), "tanh", "cross_entropy", examples=2))


def test_svg_holds_every_number_in_one_language(found, tmp_path):
    path = found.write(str(tmp_path / "steps.svg"), "ja")
    root = ElementTree.parse(path).getroot()
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "逆伝播" in " ".join(texts)
    assert "backward" not in " ".join(texts)
    arrays = [*(step.value for step in found.steps()), *found.weights, *found.biases, found.target]
    n_numbers = sum(array.size for array in arrays)
    assert sum(node.get("class") == "bp-number" for node in root.iter("{http://www.w3.org/2000/svg}text")) == n_numbers


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("html", b"<!DOCTYPE html>")])
def test_other_files(found, tmp_path, ending, magic):
    with open(found.write(str(tmp_path / f"steps.{ending}")), "rb") as file:
        assert file.read(len(magic)) == magic


def test_what_cannot_be_written_is_said(found, tmp_path):
    with pytest.raises(UsageError, match=r"\.html, \.svg, \.png"):
        found.write(str(tmp_path / "steps.pdf"))
    for ending in ("html", "svg", "png"):
        with pytest.raises(CannotWrite):
            found.write(str(tmp_path / "none" / f"steps.{ending}"))
