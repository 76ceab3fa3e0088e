"""Members on a Dask cluster, each worker with an engine of its own."""

from typing import ClassVar

from ._base import AbstractEngine, AbstractEnsemble, Job
from ._pools import pool
from ._remote import Remote
from ._sizing import fastest_here

SECONDS_TO_CONNECT = 5.0


class Cluster(AbstractEngine):
    """Runs parts of an ensemble on a cluster: ``"cluster:tcp://host:8786"`` uses one that runs, ``"cluster:local:2"`` starts one here with two workers.

    States come back after each call, so that what a dead worker had is done again by another one, with the same numbers.

    Args:
        option: The address; a cluster here with as many workers as cores by default.

    Limits:
        Needs the extra ``cluster``, and the same versions of kazami and PyTorch on the workers.
    """

    name: ClassVar = "cluster"
    tolerance: ClassVar = 1e-9
    is_automatic: ClassVar = False

    def __init__(self, option: str = "") -> None:
        """Nothing is connected yet."""
        self._address = option or None

    def seconds(self, job: Job) -> float:
        """Return the time of connecting and of the work, as if there were one worker: how many there are is not known before."""
        return SECONDS_TO_CONNECT + fastest_here(job)

    def refusal(self, job: Job) -> str | None:
        """Return ``None``: what runs here runs there."""
        del job
        return None

    def open(self, job: Job) -> AbstractEnsemble:
        """Connect and open a part in each worker."""
        return Remote(job, pool("cluster", address=self._address), "auto")
