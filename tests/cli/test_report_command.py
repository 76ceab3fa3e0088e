"""``kazami report``: a stored run, or a stored proof, in every form."""

import json
from pathlib import Path

import pytest

from kazami import cli
from kazami.records import RunInfo
from kazami.storage import RunWriter, StoredProof, trace_head, write_proof
from tests.reports import proofs, runs


def call(*words):
    """Run ``kazami`` with ``words``, and return its exit code."""
    with pytest.raises(SystemExit) as leaving:
        cli.main(list(words))
    return leaving.value.code


@pytest.fixture
def run(tmp_path):
    """Return a stored run in which the gradient fades."""
    made = runs.vanishing(n_steps=120)
    place = str(tmp_path / "run")
    writer = RunWriter(place, RunInfo(id="run", command="train.py", script="train.py"))
    names = [name for name, series in made.trace.series.items() if series.values.ndim == 2]
    for row, step in enumerate(made.trace["layer_wind"].steps.tolist()):
        values = {f"{name}/{layer:03}": float(value) for name in names for layer, value in enumerate(made.trace[name].values[row])}
        writer.append(step, {"loss": float(made.trace["loss"].values[step - 1]), **values})
    writer.close(steps=120, reason="finished", exit_code=0, trace=trace_head(made.trace))
    return place


@pytest.fixture
def cure(tmp_path):
    """Return the run directory of a cure."""
    place = str(tmp_path / "cure")
    RunWriter(place, RunInfo(id="cure", command="kazami cure train.py")).close(steps=200, reason="finished", exit_code=0)
    write_proof(place, StoredProof(proofs.cured(), proofs.DIFF, "", runs.storm().trace, runs.healthy().trace))
    return place


@pytest.mark.parametrize("form", ["text", "json", "sarif", "md"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_form_of_a_run_goes_to_stdout(run, form, language, capsys):
    assert call("report", run, "--format", form, "--lang", language) == 0
    text = capsys.readouterr().out
    if form in ("json", "sarif"):
        json.loads(text)
    if form == "md":
        assert text.startswith("# ")
        assert len(text) < 4000


def test_the_document_names_the_report_once_there_is_one(run, capsys):
    call("report", run, "--format", "json")
    assert json.loads(capsys.readouterr().out)["report"] is None
    call("report", run)
    assert capsys.readouterr().out.strip() == f"{run}/report.html"
    call("report", run, "--format", "json")
    assert json.loads(capsys.readouterr().out)["report"] == f"{run}/report.html"


def test_a_proof_is_shown_again(cure, capsys):
    assert call("report", cure) == 0
    page = Path(cure, "report.html").read_text(encoding="utf-8")
    assert "Cured and proved" in page
    assert 'id="weather"' in page
    capsys.readouterr()
    call("report", cure, "--format", "text")
    assert "CURED AND PROVED" in capsys.readouterr().out
    call("report", cure, "--format", "json")
    document = json.loads(capsys.readouterr().out)
    assert (document["cured"], document["changes"], document["diff"]) == (True, ["lower_learning_rate"], proofs.DIFF)
    assert document["run"] == cure
    assert document["findings"][0]["id"] == "KZ201"
    call("report", cure, "--format", "sarif")
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["ruleId"] == "KZ201"
    call("report", cure, "--format", "md", "--lang", "ja")
    assert "治療を証明しました" in capsys.readouterr().out


def test_a_file_may_be_named_and_one_that_cannot_be_written_is_told(run, tmp_path, capsys):
    assert call("report", run, "--format", "md", "-o", str(tmp_path / "sheet.md")) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "sheet.md")
    assert (tmp_path / "sheet.md").read_text(encoding="utf-8").startswith("# ")
    assert call("report", run, "--format", "md", "-o", str(tmp_path / "none" / "sheet.md")) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert call("report", str(tmp_path / "nothing")) == 5
