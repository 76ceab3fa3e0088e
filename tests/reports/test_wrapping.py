import pytest

from kazami.reports.wrapping import clean, cut, cut_start, pad, width_of, wrap, wrap_code

TEXTS = [
    "The gradient fades on its way back: the first layers learn nothing.",
    "勾配が入力側へ戻る途中で消えています。シグモイドが 12 層続き、（各層が）勾配を「4 分の 1」以下に減らします。",
    "a_very_long_name_without_any_space_that_is_wider_than_the_line_itself",
    "層 transformer.layers.11.attention.query.weight に届く勾配",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("width", [10, 17, 24, 79])
def test_no_line_is_too_wide_and_nothing_is_lost(text, width):
    lines = wrap(text, width)
    assert max(map(width_of, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("width", range(12, 60))
def test_no_line_begins_with_a_stop_or_ends_with_a_bracket(width):
    for line in wrap(TEXTS[1], width):
        assert line[0] not in "。、）」"
        assert line[-1] not in "（「"


def test_code_keeps_its_margin():
    assert wrap_code("if x:\n    call(first, second)", 18) == ["if x:", "    call(first,", "        second)"]


def test_nothing_steers_the_terminal():
    assert clean("a\x1b]0;title\x07b\u202ec\nd") == "a]0;titlebc d"


def test_cutting_and_filling_count_columns():
    assert width_of(pad("微風", 7)) == 7
    assert width_of(cut("微風微風", 5)) <= 5
    assert cut_start("層.出力", 5) == "…出力"
    assert cut("abc", 0) == ""
