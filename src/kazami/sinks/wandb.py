"""Weights & Biases: beside the script's own run where it has one, else in an offline run; nobody is ever asked to log in."""

import os
from typing import Any, ClassVar

from ..errors import UsageError
from ..records.finding import Finding
from ._base import PREFIX, AbstractSink, in_words

LEVELS = {"info": "INFO", "warning": "WARN", "error": "ERROR"}
STEP = f"{PREFIX}step"


class Wandb(AbstractSink):
    """Logs to the run that the script has opened before its first optimizer step, else to one of its own.

    In the script's run the numbers join the row that the script itself completes with its next ``log``: its step counter never moves, and
    ``kazami/step`` is the axis of our charts. A run of our own is always offline (``wandb sync`` sends it), in the project that the setting names, ``kazami``
    where there is none. ``WANDB_MODE=disabled`` is obeyed.

    Limits:
        Rows of ours that come between two ``log`` calls of the script become one: the newest number of each name stays.
        What comes after the script has finished its run (the report) can no longer be added to it; that is the one warning then.
    """

    name: ClassVar = "wandb"
    package: ClassVar = "wandb"
    extra: ClassVar = "wandb"
    patience_s: ClassVar = 15.0  # it starts a process of its own
    _run: Any = None
    _is_own: bool = False

    def log(self, step: int, values: dict[str, float]) -> None:
        """Log the numbers of one step."""
        run = self._opened()
        if self._is_own:
            run.log({**values, STEP: step}, step=step)
        else:
            run.log({**values, STEP: step}, commit=False)

    def finding(self, step: int, finding: Finding) -> None:
        """Send a finding as an alert, and keep it in the run's summary; a run of our own is tagged with it."""
        run = self._opened()
        run.alert(title=f"kazami {finding.id} {finding.name}", text=f"step {step}: {in_words(finding)}", level=LEVELS[finding.severity])
        run.summary[f"{PREFIX}findings/{finding.name}"] = in_words(finding)
        if self._is_own:
            run.tags = (*(run.tags or ()), finding.name)

    def artifact(self, path: str) -> None:
        """Add the report as an artefact."""
        self._opened().log_artifact(path, name="kazami-report", type="report")

    def close(self) -> None:
        """Finish a run of our own; the script's run is the script's."""
        if self._is_own and self._run is not None:
            self._run.finish()

    def _opened(self) -> Any:
        import wandb

        if self._run is None:
            self._is_own = wandb.run is None
            self._run = wandb.run or self._init(wandb)
            self._run.define_metric(f"{PREFIX}*", step_metric=STEP, hidden=False)
        elif not self._is_own and wandb.run is not self._run:
            raise UsageError("the script has finished its W&B run, so what came after is not in it")
        return self._run

    def _init(self, wandb: Any) -> Any:
        mode = "disabled" if os.environ.get("WANDB_MODE") == "disabled" else "offline"
        quiet = wandb.Settings(silent=True, console="off", disable_git=True, save_code=False, x_disable_meta=True, x_disable_stats=True)
        run = wandb.init(project=self.setting or "kazami", name=os.path.basename(self.run.rstrip("/")) or None, mode=mode, settings=quiet, reinit="create_new")
        if run is None:
            raise UsageError("wandb.init gave no run")
        return run
