"""TensorBoard's own reader reads the event file."""

import math

import pytest

from kazami.records import Finding, Sentence
from kazami.sinks.tensorboard import TensorBoard

pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # another package's warnings are not ours
FINDING = Finding("KZ104", "dead_units", "warning", 0.9, 3, "0", Sentence("Half of them are dead.", "死"))


def test_its_reader_gives_back_scalars_and_texts(tmp_path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    sink = TensorBoard(str(tmp_path))
    for step in (1, 2, 3):
        sink.log(step, {"kazami/loss": 1 / step, "kazami/layer_wind/encoder.0": math.nan})
    sink.finding(3, FINDING)
    sink.artifact("/runs/1/report.html")
    sink.close()
    events = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0}).Reload()
    assert [(one.step, one.value) for one in events.Scalars("kazami/loss")] == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert all(math.isnan(one.value) for one in events.Scalars("kazami/layer_wind/encoder.0"))
    (text,) = events.Tensors("kazami/findings/dead_units/text_summary")
    assert "Half of them are dead." in text.tensor_proto.string_val[0].decode()
    assert "kazami/report/text_summary" in events.Tags()["tensors"]


def test_without_a_folder_it_goes_into_the_run_directory(tmp_path) -> None:
    sink = TensorBoard(run=str(tmp_path))
    sink.log(1, {"kazami/loss": 1.0})
    sink.close()
    assert len(list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))) == 1
