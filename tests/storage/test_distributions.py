"""Histograms come back as they were stored; what is missing, foreign or torn is left out."""

import numpy as np

from kazami.records import RunInfo
from kazami.storage import BINS, RunWriter, open_run


def tensors(n_layers, *, high=1.0):
    shares = np.zeros((n_layers, BINS), dtype=np.uint8)
    shares[:, 3] = 255
    ends = np.tile(np.array([0.0, high, 0.25, 0.0], dtype=np.float32), (n_layers, 1))
    return {"weight/shares": shares, "weight/range": ends}


def written(place, *steps):
    writer = RunWriter(place, RunInfo(id="one"))
    for step, found in steps:
        writer.append_distributions(step, found)
    writer.close(reason="finished")
    assert writer.problems == []
    return open_run(place)


def test_what_was_stored_comes_back_by_layer(tmp_path):
    found = written(str(tmp_path / "a"), (1, tensors(2)), (4, tensors(3, high=2.0))).distributions(1)
    assert set(found) == {"weight"}
    weight = found["weight"]
    assert weight.steps.tolist() == [1, 4]
    assert weight.high.tolist() == [1.0, 2.0]
    assert weight.shares[:, 3].tolist() == [1.0, 1.0]
    assert weight.zeros.tolist() == [0.25, 0.25]
    assert not weight.is_logarithmic


def test_a_layer_that_came_later_has_only_its_own_steps(tmp_path):
    run = written(str(tmp_path / "a"), (1, tensors(2)), (4, tensors(3)))
    assert run.distributions(2)["weight"].steps.tolist() == [4]
    assert run.distributions(3) == {}


def test_a_layer_in_which_nothing_was_counted_has_none(tmp_path):
    nothing = tensors(1)
    nothing["weight/range"][:] = np.nan
    assert written(str(tmp_path / "a"), (1, nothing)).distributions(0) == {}


def test_an_older_run_and_strange_tensors_give_none(tmp_path):
    assert written(str(tmp_path / "a")).distributions(0) == {}
    strange = {"weight/shares": np.zeros(3), "weight/range": np.zeros((3, 4)), "gradient/shares": np.zeros((3, 2)), "x": np.zeros(2)}
    assert written(str(tmp_path / "b"), (1, strange)).distributions(0) == {}
