"""MLflow, in a database of the test's own."""

import pytest

from kazami.records import Finding, Sentence
from kazami.sinks.mlflow import MLflow

mlflow = pytest.importorskip("mlflow", reason="the package mlflow is not installed")
pytest.importorskip("sqlalchemy", reason="mlflow has no database here")
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]  # making the database takes seconds
FINDING = Finding("KZ104", "dead_units", "warning", 0.9, 3, "0", Sentence("Half of them are dead.", "死"))


@pytest.fixture(autouse=True)
def _at_home(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    yield
    mlflow.set_tracking_uri(None)


def told(sink: MLflow, tmp_path) -> mlflow.entities.Run:
    """Tell it something of everything, and return the run as stored."""
    (tmp_path / "report.html").write_text("a report")
    for step in (1, 2):
        sink.log(step, {"kazami/loss": 1 / step, "kazami/layer_wind/odd(name)": 1.0})
    sink.finding(2, FINDING)
    sink.artifact(str(tmp_path / "report.html"))
    sink.close()
    return mlflow.MlflowClient().get_run(sink._run_id)


def test_a_run_of_its_own_is_finished(tmp_path) -> None:
    run = told(MLflow("study", run="runs/abc"), tmp_path)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "abc"
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "kazami/loss")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 0.5)]
    assert run.data.metrics["kazami/layer_wind/odd_name_"] == 1.0
    assert "Half of them are dead." in run.data.tags["kazami/findings/dead_units"]
    assert [file.path for file in mlflow.MlflowClient().list_artifacts(run.info.run_id, "kazami")] == ["kazami/report.html"]


def test_it_joins_the_scripts_run_from_another_thread_and_leaves_it_open(tmp_path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with mlflow.start_run() as script:
        mlflow.log_metric("mine", 3.0)
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(told, MLflow(), tmp_path).result()
        assert run.info.run_id == script.info.run_id
        assert run.info.status == "RUNNING"
        assert run.data.metrics["mine"] == 3.0
