import re

import pytest

from kazami.records import Evidence, Finding, Prescription, Sentence
from kazami.reports import verdict_block
from kazami.reports.wrapping import width_of
from tests.reports import runs

ANSI = re.compile(r"\x1b\[[0-9;]*m")
REPORT = "runs/2026-11-21-train-1/report.html"


def crowded():
    """A run with far more to say than fits on one screen."""
    run = runs.vanishing()
    first = run.findings[0]
    sentences = [Sentence(f"Layer {n} is saturated.", f"層 {n} が飽和しています。") for n in range(20)]
    many = tuple(Finding(f"KZ4{n:02}", "saturated", "warning", 0.7, n, f"fc{n}", sentence) for n, sentence in enumerate(sentences))
    source = "a source that is long enough to need a second line of text"
    code = "\n".join(f"line_{n} = something(long, enough, to, wrap, on, narrow, screens)" for n in range(9))
    full = first.replaced(
        evidence=tuple(Evidence(f"number {n} that takes some words to name", 1e-9 * n, 3.0, "decades", source) for n in range(1, 9)),
        prescriptions=tuple(Prescription("x", {}, code, Sentence("x", "x"), k) for k in range(4)),
    )
    return runs.Run(run.info, run.trace, (full, *many))


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("make", [*runs.ALL.values(), crowded])
def test_the_block_fits_one_screen(make, width, language):
    run = make()
    lines = verdict_block(run.info, run.findings, language=language, width=width, report=REPORT).splitlines()
    assert len(lines) <= 24
    assert max(map(width_of, lines[:-1])) <= width
    assert not ANSI.search("\n".join(lines))
    assert lines[-1].strip().endswith(REPORT)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_values_stand_in_one_column(language):
    run = runs.vanishing()
    lines = verdict_block(run.info, run.findings, language=language, width=80, report=REPORT).splitlines()
    body = lines[lines.index("") + 1 :]
    places = {width_of(re.match(r"\S+(?: \S+)*  +", line)[0]) for line in body if not line.startswith(" ")}
    assert len(places) == 1
    margin = places.pop()
    assert all(line.startswith(" " * margin) for line in body if line.startswith(" "))


def test_colour_changes_nothing_but_colour():
    run = runs.storm()
    coloured = verdict_block(run.info, run.findings, colour=True)
    assert "\x1b[35m" in coloured
    assert ANSI.sub("", coloured) == verdict_block(run.info, run.findings)


def test_the_whole_story_is_told():
    run = runs.storm()
    text = verdict_block(run.info, run.findings, report=REPORT)
    beginning = ("✕ HURRICANE 颶風", "33 times above", "lr too high (certain, 0.95)", "the whole model", "step 41")
    for part in (*beginning, "sharpness 6700 > 200", "limit: 2 / learning rate", "the data: finite", "lr=3e-3", "!! The loss became NaN."):
        assert part in text
    japanese = verdict_block(run.info, run.findings, language="ja")
    for part in ("✕ 颶風", "学習率が安定限界の 33 倍です。", "原因", "確実", "モデル全体", "ステップ 41 から", "無関係", "対処"):
        assert part in japanese


def test_what_gives_way_is_counted():
    run = crowded()
    text = verdict_block(run.info, run.findings)
    assert re.search(r"… \d+ more in the report", text)


def test_a_healthy_run_says_what_was_checked():
    text = verdict_block(runs.healthy().info, ())
    assert text.startswith("〜 BREEZE 微風")
    assert "9 checks passed" in text
    assert "dead units" in text


def test_names_cannot_steer_the_terminal():
    evil = Finding("KZ1", "x\x1b[2J", "error", 0.5, 0, "fc\x1b[31m1\r\n", Sentence("bad\x07 thing", "悪い"), is_primary=True)
    text = verdict_block(runs.info("run\x1b]0;x\x07", 3), (evil,))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert "before the first step" in text
    assert "not sure" in text
