"""Members in processes of this machine, each with an engine of its own."""

from typing import ClassVar

from ..errors import UsageError
from ._base import AbstractEngine, AbstractEnsemble, Job
from ._pools import cores, pool
from ._remote import Remote
from ._sizing import fastest_here

SECONDS_TO_START = 4.0  # until Python and PyTorch are there, in each worker at the same time


class Processes(AbstractEngine):
    """Runs parts of an ensemble in processes of their own; ``"processes:4"`` asks for four.

    States come back after each call, so that what a dead worker had is done again by another one, with the same numbers.

    Args:
        option: How many processes; as many as there are cores by default.

    Limits:
        Pays where one process leaves cores idle (trainings that cannot be stacked) and calls of ``advance`` take many steps.
    """

    name: ClassVar = "processes"
    tolerance: ClassVar = 1e-9
    is_automatic: ClassVar = False

    def __init__(self, option: str = "") -> None:
        """Nothing is started yet."""
        if option and not (option.isdigit() and int(option)):
            raise UsageError(f'The engine should be asked for as "processes" or "processes:4", but it was "processes:{option}".')
        self._workers = int(option) if option else cores()

    def seconds(self, job: Job) -> float:
        """Return the time of starting and of the longest part."""
        return SECONDS_TO_START + fastest_here(job) / min(self._workers, len(job.members))

    def refusal(self, job: Job) -> str | None:
        """Return ``None``: what runs here runs there."""
        del job
        return None

    def open(self, job: Job) -> AbstractEnsemble:
        """Start the processes and open a part in each."""
        return Remote(job, pool("processes", workers=min(self._workers, len(job.members))), "auto")
