"""Figures: one look, files by their ending, and SVG that a page can take in."""

import re
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import pytest

from kazami.errors import CannotWrite, UsageError
from kazami.reports import figures
from kazami.reports.figures import INK, MUTED, drawing, figure_language, inline_svg, new_figure, save_figure


def figure(title="A title", label="勾配"):
    """A small figure with text in two languages."""
    made, axes = new_figure(width=3, height=2)
    with drawing():
        axes.plot([0, 1, 2], [1, 4, 9])
        axes.set(title=title, xlabel=label, ylabel="loss")
    return made


def test_a_figure_has_no_effect_on_the_user_s_own_settings():
    before = dict(mpl.rcParams)
    inline_svg(figure(), "a line")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_the_ending_decides(tmp_path, name, begins):
    path = save_figure(figure(), str(tmp_path / name))
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert path == str(tmp_path / name)


def test_another_ending_and_a_missing_folder_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"should end in \.png, \.svg, \.pdf"):
        save_figure(figure(), str(tmp_path / "a.bmp"))
    with pytest.raises(CannotWrite, match=r"a\.png cannot be written"):
        save_figure(figure(), str(tmp_path / "nowhere" / "a.png"))


def test_the_same_figure_gives_the_same_file(tmp_path):
    texts = [(tmp_path / f"{number}.svg", save_figure(figure(), str(tmp_path / f"{number}.svg"))) for number in (0, 1)]
    assert texts[0][0].read_bytes() == texts[1][0].read_bytes()


def test_an_inlined_figure_is_well_formed_spoken_and_takes_the_page_s_colours():
    svg = inline_svg(figure(), 'a < b & "c"')
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == 'a < b & "c"'
    assert root.get("role") == "img"
    assert root.get("width") is None
    assert INK not in svg
    assert MUTED not in svg.replace("var(--muted, #56636f)", "")
    assert "currentColor" in svg
    assert "勾配" in svg  # text stays text


def test_two_figures_on_one_page_share_no_id():
    ids = [set(re.findall(r'\bid="([^"]+)"', inline_svg(figure(title), title))) for title in ("one", "two")]
    assert ids[0]
    assert not ids[0] & ids[1]
    svg = inline_svg(figure(), "one")
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    assert used <= set(re.findall(r'\bid="([^"]+)"', svg))


def test_without_a_japanese_font_only_svg_speaks_japanese(monkeypatch):
    monkeypatch.setattr(figures, "japanese_font", lambda: None)
    assert [figure_language(name, "ja") for name in ("a.png", "a.pdf", "a.SVG")] == ["en", "en", "ja"]
    monkeypatch.setattr(figures, "japanese_font", lambda: "Some Gothic")
    assert figure_language("a.png", "ja") == "ja"
    assert figure_language("a.png", "en") == "en"


def test_the_fonts_of_an_inlined_figure_are_the_reader_s_own():
    svg = inline_svg(figure(), "one")
    assert "DejaVu" not in svg
    assert "system-ui" in svg
