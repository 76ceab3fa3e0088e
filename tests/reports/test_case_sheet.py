"""The sheet of Markdown: short, whole, the most important first."""

import dataclasses

import pytest

from kazami.records import Sentence, Trace
from kazami.reports.case_sheet import case_sheet
from tests.reports import proofs, runs


@pytest.mark.parametrize("name", runs.ALL)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_run_fits_on_one_sheet(name, language):
    run = runs.ALL[name]()
    text = case_sheet(run.info, run.trace, run.findings, language=language)
    assert len(text) < 4000
    assert text.startswith("# ")
    assert text.count("```") % 2 == 0


def test_cause_evidence_change_and_exclusions_are_there():
    run = runs.vanishing()
    text = case_sheet(run.info, run.trace, run.findings)
    for wanted in (
        "vanishing_gradient (KZ101)",
        "**4.6 decades**",
        "limit 3.5 decades",
        "nn.init.xavier_uniform_",
        "- KZ105 Most units",
        "- precision",
        "SGD learning_rate=0.1",
    ):
        assert wanted in text


def test_a_long_list_is_cut_between_entries_and_counted():
    run = runs.vanishing()
    many = tuple(Sentence(f"reason number {n} " + "x" * 60, "理由") for n in range(200))
    text = case_sheet(run.info, run.trace, [run.findings[0].replaced(not_the_cause=many)])
    assert len(text) < 4000
    assert " more in the report" in text
    assert "reason number 0" in text


def test_the_code_fence_is_longer_than_any_within():
    run = runs.vanishing()
    code = dataclasses.replace(run.findings[0].prescriptions[0], code='x = """\n```\n"""')
    text = case_sheet(run.info, run.trace, [run.findings[0].replaced(prescriptions=(code,))])
    assert "````python" in text


def test_a_proof_comes_before_the_run_and_is_not_said_twice():
    text = case_sheet(runs.info("cure", 200), Trace(step=0), [], proof=proofs.cured())
    assert text.startswith("# Cured and proved: lower_learning_rate.\n")
    assert "| 1 | 0.11 | 0.91 | 0.8 |" in text
    assert text.count("## Not the cause") == 1
    assert case_sheet(runs.info("cure", 200), Trace(step=0), [], proof=proofs.evil())


def test_an_assistant_finds_loss_layers_line_and_the_next_command():
    run = runs.vanishing()
    finding = run.findings[0].replaced(file="train.py", line=12)
    text = case_sheet(dataclasses.replace(run.info, script="train.py", seeds={"torch": 7}, reason="exception", exit_code=1), run.trace, [finding])
    loss = run.trace["loss"]
    assert f"(step {loss.steps[0]}) → " in text
    assert "`train.py:12`" in text
    assert "`kazami cure train.py`" in text
    assert "torch 7" in text
    assert "exception, exit code 1" in text
    assert text.count(finding.sentence.en) == 1  # the headline has said it
    rows = [line for line in text.splitlines() if line.startswith("| ") and "→" in line]
    assert 0 < len(rows) <= 8


def test_a_name_with_a_bar_stays_in_its_cell():
    run = runs.vanishing()
    layers = tuple(dataclasses.replace(layer, name=f"a|{index}") for index, layer in enumerate(run.trace.layers))
    text = case_sheet(run.info, dataclasses.replace(run.trace, layers=layers), run.findings)
    assert "| a\\|0 |" in text


def test_a_proof_says_the_cause_that_the_headline_does_not():
    run = runs.vanishing()
    text = case_sheet(run.info, run.trace, run.findings, proof=proofs.cured())
    assert run.findings[0].sentence.en in text or "## Cause" not in text
