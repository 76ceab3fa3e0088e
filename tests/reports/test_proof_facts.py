"""The sentences of a proof say what its numbers say."""

import math

from kazami.records import ProofRow, Sentence
from kazami.reports.loss_bands import band_of
from kazami.reports.proof_facts import cause_in_words, curves_in_words, is_accepted, table_in_words
from tests.reports import proofs


def test_the_cause_counts_what_was_tried_and_what_helped():
    assert cause_in_words(proofs.cured()).en == "Tried 2 changes; only this one helped."
    assert "none could be proved" in cause_in_words(proofs.unproved()).en
    assert cause_in_words(proofs.well()).en == "No change was tried."


def test_a_gain_within_the_placebo_is_no_help_and_one_beyond_it_is():
    first, second = proofs.cured().tried
    better = proofs.cured(tried=(type(first)(first.changes, 200, 0.5, 0.4, first.why), second))
    assert "1 more gained something" in cause_in_words(better).en
    within = proofs.cured(tried=(type(first)(first.changes, 200, 0.11, 0.019, first.why), second))
    assert "only this one" in cause_in_words(within).en


def test_what_the_trials_themselves_say_comes_first():
    said = Sentence("The step was too long.", "ステップが長すぎました。")
    assert cause_in_words(proofs.cured(cause=said)) == said


def test_the_accepted_candidate_is_the_one_with_the_same_numbers():
    proof = proofs.cured()
    assert [is_accepted(one, proof) for one in proof.tried] == [False, True]
    other = proofs.cured(changes=(proofs.change(learning_rate=0.2),))
    assert not any(is_accepted(one, other) for one in other.tried)


def test_the_table_holds_the_worst_against_the_best():
    assert "gives 0.9; unchanged, the best gives 0.12" in table_in_words(proofs.cured()).en
    overlapping = proofs.cured(table=(ProofRow(0, 0.5, 0.4), ProofRow(1, 0.1, 0.9)))
    assert "overlap" in table_in_words(overlapping).en
    assert "no score" in table_in_words(proofs.run_away()).en
    assert "at least one seed" in table_in_words(proofs.cured(table=(ProofRow(0, 0.5, None),))).en


def test_the_curves_say_where_they_end():
    before, after = band_of([[2.0, 2.0, math.nan, math.nan]]), band_of([[2.0, 1.0, 0.5, 0.25]])
    assert curves_in_words(before, after).en == "With the change the loss ends at 0.25; without it the loss is no longer finite from step 3 on"
    assert curves_in_words(before, None).en == "Unchanged the loss is no longer finite from step 3 on"
    assert curves_in_words(None, after).ja.startswith("変更後は")
    assert curves_in_words(None, None).en == "No loss was recorded"
