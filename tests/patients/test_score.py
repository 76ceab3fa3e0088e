"""The command: tables, JSON, going on where it stopped, and what fails."""

import json

import pytest

from kazami.patients import score

NAME = "deep_but_linear"


@pytest.fixture
def in_this_process(monkeypatch):
    """Do the work here, without processes; return the list of what was done."""
    done = []

    class Pool:
        def __init__(self, *arguments, **options):
            del arguments, options

        def submit(self, function, *arguments):
            done.append(arguments[:2])
            future = score.Future()
            future.set_result(function(*arguments))
            return future

        def shutdown(self, **options):
            del options

    monkeypatch.setattr(score, "ProcessPoolExecutor", Pool)
    return done


def made_up(kind, name, split, budget):
    del split, budget
    if kind == score.DIAGNOSIS:
        return {"name": name, "label": "no_nonlinearity", "true": ["no_nonlinearity"], "early": [], "whole": ["no_nonlinearity"], "remarks": []}
    return {"name": name, "label": "no_nonlinearity", "is_changed": True, "changes": ["x"], "scores": [0.9], "good": 0.5, "n_tried": 1, "seconds": 1.0}


def test_it_prints_counts_and_goes_on_where_it_stopped(in_this_process, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(score, "work", made_up)
    options = ["--split", "calibration", "--name", NAME, "--cure", "--progress", str(tmp_path / "p"), "--json", str(tmp_path / "j")]
    assert score.main(options) == 0
    out = capsys.readouterr().out
    assert "1 patients, 1 ill and 0 healthy" in out
    assert "ill flagged                       ≥ 0.95   · 0.000 (0/1)           ✓ 1.000 (1/1)" in out
    assert "cured                             ≥ 0.90   ✓ 1.000 (1/1)" in out
    assert NAME not in out
    document = json.loads((tmp_path / "j").read_text())
    assert (document["schema"], document["ill"], document["failed"]) == (1, 1, 0)
    assert document["cure"][0]["cure"] == {"n": 1, "of": 1, "share": 1.0, "met": True}
    assert "results" not in document
    assert len(in_this_process) == 2
    assert score.main(options) == 0
    assert len(in_this_process) == 2
    assert capsys.readouterr().out == out


def test_detail_names_patients_and_json_alone_goes_to_stdout(in_this_process, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(score, "work", made_up)
    options = ["--split", "calibration", "--name", NAME, "--progress", str(tmp_path / "p")]
    assert score.main([*options, "--detail"]) == 0
    assert NAME in capsys.readouterr().out
    assert score.main([*options, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnosis"][0]["whole"]["n"] == 1


def test_a_mistake_of_ours_is_counted_and_told(in_this_process, monkeypatch, tmp_path, capsys):
    def fails(patient):
        raise RuntimeError("no luck")

    monkeypatch.setattr(score, "read", fails)
    assert score.main(["--split", "calibration", "--name", NAME, "--progress", str(tmp_path / "p")]) == 1
    assert "1 could not be scored" in capsys.readouterr().out
    assert len(in_this_process) == 1


def test_one_patient_is_really_read(in_this_process, tmp_path, capsys):
    assert score.main(["--split", "calibration", "--name", NAME, "--progress", str(tmp_path / "p")]) == 0
    assert "a true cause named                ≥ 0.90   ✓ 1.000 (1/1)" in capsys.readouterr().out
