"""MLflow: in the script's active run where it has one, else in a run of our own."""

import os
import re
import time
from typing import Any, ClassVar

from ..records.finding import Finding
from ._base import PREFIX, AbstractSink, in_words

MOST_METRICS = 1000  # that MLflow takes in one call
NOT_ALLOWED = re.compile(r"[^\w\-./: ]", re.ASCII)


class MLflow(AbstractSink):
    """Logs through an ``MlflowClient`` by the run's identifier, so that the script's own active run and its threads are left as they are.

    A run of our own goes to the tracking server that the script or ``MLFLOW_TRACKING_URI`` names, else to MLflow's default, ``./mlflow.db`` (mlflow-skinny
    alone has no database; the extra brings one). The setting is the experiment, ``kazami`` where there is none.
    """

    name: ClassVar = "mlflow"
    package: ClassVar = "mlflow"
    extra: ClassVar = "mlflow"
    patience_s: ClassVar = 15.0  # a server may answer late
    _client: Any = None
    _run_id: str = ""
    _is_own: bool = False

    def log(self, step: int, values: dict[str, float]) -> None:
        """Log the numbers of one step."""
        client = self._opened()
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(NOT_ALLOWED.sub("_", name), float(value), now, step) for name, value in values.items()]
        for first in range(0, len(metrics), MOST_METRICS):
            client.log_batch(self._run_id, metrics=metrics[first : first + MOST_METRICS])

    def finding(self, step: int, finding: Finding) -> None:
        """Tag the run with a finding."""
        self._opened().set_tag(self._run_id, f"{PREFIX}findings/{finding.name}", f"{finding.id}, step {step}: {in_words(finding)}")

    def artifact(self, path: str) -> None:
        """Add the report as an artefact."""
        self._opened().log_artifact(self._run_id, path, "kazami")

    def close(self) -> None:
        """End a run of our own; the script's run is the script's."""
        if self._is_own and self._run_id:
            self._client.set_terminated(self._run_id)

    def _opened(self) -> Any:
        if self._client is None:
            from mlflow import MlflowClient

            client = MlflowClient()
            self._run_id = _run_of_script() or self._own(client)
            self._client = client
        return self._client

    def _own(self, client: Any) -> str:
        experiment = self.setting or "kazami"
        known = client.get_experiment_by_name(experiment)
        number = known.experiment_id if known is not None else client.create_experiment(experiment)
        self._is_own = True
        return str(client.create_run(number, run_name=os.path.basename(self.run.rstrip("/")) or None).info.run_id)


def _run_of_script() -> str:
    """Return the identifier of the active run of any thread, empty where there is none: ``mlflow.active_run`` sees only that of its own thread."""
    try:
        from mlflow.tracking.fluent import _get_latest_active_run
    except ImportError:
        return ""
    run = _get_latest_active_run()
    return str(run.info.run_id) if run is not None else ""
