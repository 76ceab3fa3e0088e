"""The proof in a terminal: everything is there, nothing is wider than the terminal, no control character gets through."""

import re

import pytest

from kazami.records import Sentence
from kazami.reports import proof_block
from kazami.reports.wrapping import width_of
from tests.reports import proofs


@pytest.mark.parametrize("name", proofs.ALL)
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [40, 80, 110])
def test_no_line_is_wider_than_the_terminal(name, language, width):
    for line in proof_block(proofs.ALL[name](), language=language, width=width).split("\n"):
        assert width_of(line) <= width


def test_a_proof_shows_seeds_change_curves_and_what_was_tried():
    text = proof_block(proofs.cured(), width=90)
    for wanted in (
        "CURED AND PROVED",
        "3 seeds",
        "200 steps",
        "only this one helped",
        "lr=0.1",
        "+0.8",
        "0.1 … 0.12",
        "✓ lower learning rate",
        "· clip gradients",
        "clipping them",
    ):
        assert wanted in text
    before, after = re.findall(r"[▁▂▃▄▅▆▇█]{8,}", text)
    assert after[0] > after[-1]
    assert before[0] == before[-1] > after[-1]


def test_what_ceases_to_be_a_number_says_so():
    text = proof_block(proofs.run_away(), width=90)
    assert "✕" in text
    assert "→ NaN" in text


def test_an_unproved_search_is_not_green_and_a_healthy_one_is_short():
    assert "\x1b[32m" not in proof_block(proofs.unproved(), colour=True)
    assert "\x1b[32m" in proof_block(proofs.cured(), colour=True)
    assert "〜 治療は不要" in proof_block(proofs.well(), language="ja")


def test_names_cannot_steer_the_terminal():
    text = proof_block(proofs.cured(verdict=Sentence("a\x1b[31mb", "c")))
    assert "\x1b" not in text


def test_of_many_candidates_the_proved_one_is_listed():
    wrong, right = proofs.cured().tried
    text = proof_block(proofs.cured(tried=(wrong,) * 30 + (right,)))
    assert "✓ lower learning rate" in text
    assert "19 more" in text
