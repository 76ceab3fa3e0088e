"""proof.json comes back as it was written, and what is not ours is refused with a sentence."""

import json
import math

import numpy as np
import pytest

from kazami.errors import RunUnreadable
from kazami.records import Layer, Proof, RunInfo, Series, Trace
from kazami.storage import RunWriter, StoredProof, open_run, write_proof
from tests.reports import proofs


@pytest.fixture
def run(tmp_path):
    place = str(tmp_path / "cure")
    RunWriter(place, RunInfo(id="cure")).close(reason="finished")
    return place


def trace(n=3):
    values = np.arange(2.0 * n).reshape(n, 2)
    values[0, 1] = math.nan
    layers = (Layer("a", "linear", (2, 3), 3, 2), Layer("b", "linear", (1, 2), 2, 1))
    return Trace(step=n, layers=layers, series={"layer_wind": Series(np.arange(1, n + 1), values), "sharpness": Series(np.array([1]), np.array([2.0]))})


@pytest.mark.parametrize("name", proofs.ALL)
def test_a_proof_comes_back(run, name):
    proof = proofs.ALL[name]()
    write_proof(run, StoredProof(proof, "the diff", "the lines"))
    found = open_run(run).proof()
    assert (found.diff, found.lines) == ("the diff", "the lines")
    assert json.dumps(found.proof.to_dict()) == json.dumps(proof.to_dict())
    assert found.before is found.after is None


def test_the_file_holds_the_proof_as_the_command_prints_it(run, tmp_path):
    proof = proofs.cured()
    write_proof(run, StoredProof(proof, "d", ""))
    data = json.loads((tmp_path / "cure" / "proof.json").read_text())
    assert data["cured"] is True
    assert data["verdict"]["en"] == proof.verdict.en
    assert data["table"][0] == {"seed": 0, "before": 0.1, "after": 0.9, "gain": 0.8}
    assert data["diff"] == "d"


def test_of_the_traces_what_a_report_draws_comes_back(run):
    write_proof(run, StoredProof(proofs.cured(), before=trace(), after=trace(5)))
    found = open_run(run).proof()
    np.testing.assert_array_equal(found.before["layer_wind"].values, trace()["layer_wind"].values)
    assert found.before.layers == trace().layers
    assert len(found.after["layer_wind"]) == 5
    assert not found.before.has("sharpness")


def test_long_traces_are_thinned_and_keep_their_ends(run):
    write_proof(run, StoredProof(proofs.cured(), before=trace(5000)))
    steps = open_run(run).proof().before["layer_wind"].steps
    assert (steps[0], steps[-1]) == (1, 5000)
    assert steps.size == 400


def test_another_run_has_no_proof_and_a_broken_one_is_named(run, tmp_path):
    assert open_run(run).proof() is None
    for text in ("{", "3", '{"verdict": 3}', '{"proof": []}'):
        (tmp_path / "cure" / "proof.json").write_text(text)
        with pytest.raises(RunUnreadable, match=r"proof\.json"):
            open_run(run).proof()


def test_fields_of_a_later_version_and_null_for_nan_are_read():
    data = proofs.cured().to_dict()
    data |= {"of_a_later_version": 1, "losses_before": [[1.0, None]]}
    found = Proof.from_dict(data)
    assert found.losses_before[0][0] == 1.0
    assert math.isnan(found.losses_before[0][1])


def test_the_report_of_a_run_is_named_where_there_is_one(run, tmp_path):
    assert open_run(run).report() is None
    (tmp_path / "cure" / "report.html").touch()
    assert open_run(run).report() == f"{run}/report.html"
