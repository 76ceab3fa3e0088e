"""Whole tensors at chosen steps."""

import numpy as np
import pytest
from safetensors.numpy import load

from kazami.records import RunInfo
from kazami.storage import RunWriter, open_run, trajectory


@pytest.fixture(params=["local", "memory"])
def writer(request, tmp_path):
    made = RunWriter(str(tmp_path / "run") if request.param == "local" else f"memory://{tmp_path.name}", RunInfo("a"), flush_seconds=60.0)
    yield made
    made.close()


def weights(step):
    return {"0.weight": np.full((3, 2), float(step), dtype=np.float32), "0.bias": np.arange(2.0) + step}


def test_round_trip_over_several_parts(writer):
    for step in range(0, 10, 2):
        writer.append_trajectory(step, weights(step))
        if step % 4 == 0:
            writer.flush()
    writer.flush()
    stored = open_run(writer.location).trajectory()
    assert stored.steps.tolist() == [0, 2, 4, 6, 8]
    assert stored["0.weight"].shape == (5, 3, 2)
    assert stored["0.weight"].dtype == np.float32
    assert stored["0.bias"][:, 0].tolist() == [0, 2, 4, 6, 8]
    np.testing.assert_array_equal(stored.at(6)["0.bias"], [6, 7])
    assert [step for step, tensors in stored if set(tensors) == {"0.weight", "0.bias"}] == [0, 2, 4, 6, 8]
    assert writer.problems == []


def test_part_is_plain_safetensors(tmp_path):
    writer = RunWriter(str(tmp_path / "run"), RunInfo("a"))
    for step in (1, 2):
        writer.append_trajectory(step, weights(step))
    writer.close()
    tensors = load((tmp_path / "run" / "trajectory" / "part-1-2.safetensors").read_bytes())
    assert {name: tensor.shape for name, tensor in tensors.items()} == {"step": (2,), "0.weight": (2, 3, 2), "0.bias": (2, 2)}


def test_tensors_are_copied(writer):
    theta = np.zeros(3)
    writer.append_trajectory(1, {"theta": theta})
    theta += 1
    writer.flush()
    assert open_run(writer.location).trajectory()["theta"].tolist() == [[0, 0, 0]]


def test_changed_names_or_shapes_begin_a_new_part(writer):
    writer.append_trajectory(1, {"a": np.zeros(2)})
    writer.append_trajectory(2, {"a": np.zeros(3)})
    writer.append_trajectory(3, {"b": np.float64(1.0)})
    writer.flush()
    stored = open_run(writer.location).trajectory()
    assert stored.steps.tolist() == [1, 2, 3]
    assert stored.at(2)["a"].shape == (3,)
    assert stored["b"].tolist() == [1.0]


def test_what_cannot_be_stored_is_named_and_the_rest_is_stored(writer):
    writer.append_trajectory(1, {"step": np.zeros(1), "words": np.array(["x"]), "a": np.zeros(1)})
    writer.append_trajectory(1, {"a": np.ones(1)})
    writer.append_trajectory(2, None)
    writer.flush()
    assert open_run(writer.location).trajectory()["a"].tolist() == [[0.0]]
    assert len(writer.problems) == 3
    assert "steps must rise" in writer.problems[1]


def test_what_waits_is_bounded(writer, monkeypatch):
    monkeypatch.setattr(trajectory, "MOST_WAITING", 100)
    for step in range(1, 30):
        writer.append_trajectory(step, {"a": np.zeros(4)})
    writer.flush()
    assert open_run(writer.location).trajectory().steps.tolist() == [1, 2, 3]
    assert "dropped" in writer.problems[0]
    writer.append_trajectory(40, {"a": np.zeros(4)})
    writer.flush()
    assert open_run(writer.location).trajectory().steps.tolist() == [1, 2, 3, 40]


def test_torn_part_is_left_out_and_named(tmp_path):
    writer = RunWriter(str(tmp_path / "run"), RunInfo("a"))
    for step in (1, 2):
        writer.append_trajectory(step, weights(step))
        writer.flush()
    writer.close()
    part = tmp_path / "run" / "trajectory" / "part-1-1.safetensors"
    part.write_bytes(part.read_bytes()[:-10])
    run = open_run(str(tmp_path / "run"))
    assert run.trajectory().steps.tolist() == [2]
    assert run.trajectory()["0.bias"].shape == (1, 2)
    assert len(run.problems) == 1
    assert "part-1-1.safetensors" in run.problems[0]


def test_nothing_stored(writer):
    stored = open_run(writer.location).trajectory()
    assert stored.steps.tolist() == []
    assert list(stored) == []
    for ask in (lambda: stored["a"], lambda: stored.at(1)):
        with pytest.raises(KeyError):
            ask()
