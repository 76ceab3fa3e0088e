"""Members in one tensor: stacked parameters and buffers, one vmapped gradient for all, and the optimizer's rule as a pure function."""

from typing import ClassVar

from ._base import AbstractEngine, AbstractEnsemble, Job
from ._runners import Traced
from ._sizing import chunk_size, seconds_per_step, why_not
from ._stacked import Stacked

FEWEST = 4  # below, vmap costs more than it saves
# A trace costs as much as some hundred steps save by it (about 0.3 s of tracing, 0.8 ms saved in a step), so it is made after that many at the latest.
CALLS_PER_TRACE = 300


class Batched(AbstractEngine):
    """Runs an ensemble as one stacked training, with any settings per member.

    Buffers that change (BatchNorm's running statistics) and whatever else differs between seeds (frozen random layers) are stacked, too.

    Limits:
        Every operation must be known to vmap. All members see the same batches and the same randomness.

    References:
        PyTorch, "Model ensembling" (``torch.func``).
    """

    name: ClassVar = "batched"
    tolerance: ClassVar = 1e-9

    def seconds(self, job: Job) -> float:
        """Return the time of the stacked loop, from steps of more and more members."""
        return job.steps * seconds_per_step(job)

    def refusal(self, job: Job) -> str | None:
        """Return why not: too few members, another phase space for some of them, a step that cannot be stacked."""
        if len(job.members) < FEWEST:
            return f"with fewer than {FEWEST} members a plain loop is faster."
        return why_not(job)

    def open(self, job: Job) -> AbstractEnsemble:
        """Return the stacked ensemble."""
        chunks = -(-len(job.members) // chunk_size(job))
        return Stacked(job, Traced(after=0 if job.steps * chunks > 2 * CALLS_PER_TRACE else CALLS_PER_TRACE))
