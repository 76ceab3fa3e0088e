"""One run told to all its sinks."""

from kazami.records import Finding, Sentence
from kazami.sinks import Broadcast
from kazami.sinks._broadcast import named
from tests.sinks.strangers import Keeping, failing_at

FINDING = Finding("KZ104", "dead_units", "warning", 0.9, 3, "0", Sentence("Dead.", "死"))


def test_a_sink_that_fails_takes_nothing_from_the_others() -> None:
    said, well = [], Keeping()
    broadcast = Broadcast([failing_at("log", ValueError("no")), well], said.append)
    for step in (1, 2):
        broadcast.row(step, {"loss": 1.0}, [])
        broadcast.findings(step, [FINDING])
    broadcast.close()
    assert len(said) == 1
    assert [step for step, _ in well.of("log")] == [1, 2]
    assert well.of("finding") == [(1, FINDING)]  # once
    assert not broadcast.is_open


def test_layers_of_the_same_name_stay_apart_and_unnamed_ones_have_their_number() -> None:
    row = {"layer_wind/000": 1.0, "layer_wind/001": 2.0, "layer_wind/002": 3.0, "layer_wind/003": 4.0}
    assert named(row, ["fc", "fc", ""]) == {
        "kazami/layer_wind/fc#0": 1.0,
        "kazami/layer_wind/fc#1": 2.0,
        "kazami/layer_wind/2": 3.0,
        "kazami/layer_wind/3": 4.0,
    }


def test_the_marks_of_batches_are_no_measures_and_stay_in_the_run_directory() -> None:
    assert named({"loss": 1.0, "batch_inputs": 2546200624889856.0, "batch_targets": 3706715570700288.0}, []) == {"kazami/loss": 1.0}
