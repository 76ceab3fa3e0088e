"""trackio: a run of our own in its local store."""

import os
import threading
from types import ModuleType
from typing import Any, ClassVar

from ..records.finding import Finding
from ._base import AbstractSink, in_words

LEVELS = {"info": "INFO", "warning": "WARN", "error": "ERROR"}


class Trackio(AbstractSink):
    """Logs to a run of its own; the script's own trackio run, which belongs to the script's thread, is left as it is.

    The setting is the project, ``kazami`` where there is none. What trackio says on stdout about our run is not said: stdout is the script's.
    ``TRACKIO_SPACE_ID`` and ``TRACKIO_DIR`` are obeyed.
    """

    name: ClassVar = "trackio"
    package: ClassVar = "trackio"
    extra: ClassVar = "trackio"
    patience_s: ClassVar = 15.0  # the end of a run writes its store
    _run: Any = None

    def log(self, step: int, values: dict[str, float]) -> None:
        """Log the numbers of one step."""
        self._opened().log(values, step=step)

    def finding(self, step: int, finding: Finding) -> None:
        """Send a finding as an alert."""
        import trackio

        level = trackio.AlertLevel[LEVELS[finding.severity]]
        self._opened().alert(title=f"kazami {finding.id} {finding.name}", text=in_words(finding), level=level, step=step)

    def artifact(self, path: str) -> None:
        """Add the report as an artefact."""
        self._opened().log_artifact(path, name="kazami-report", type="report")

    def close(self) -> None:
        """Finish the run."""
        if self._run is not None:
            self._run.finish()

    def _opened(self) -> Any:
        if self._run is None:
            import trackio
            import trackio.run
            import trackio.utils

            for module in (trackio, trackio.run, trackio.utils):
                _say_nothing_here(module)
            name = os.path.basename(self.run.rstrip("/")) or None
            self._run = trackio.init(project=self.setting or "kazami", name=name, embed=False, auto_log_gpu=False, auto_log_cpu=False)
        return self._run


def _say_nothing_here(module: ModuleType) -> None:
    """Have a module's ``print`` say nothing in this thread; in every other it says what it said."""
    ours, former = threading.get_ident(), vars(module).get("print", print)

    def print_elsewhere(*words: Any, **options: Any) -> None:
        if threading.get_ident() != ours:
            former(*words, **options)

    vars(module)["print"] = print_elsewhere
