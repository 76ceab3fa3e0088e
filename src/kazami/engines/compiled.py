"""The stacked step as machine code: for long runs, where seconds of compiling are paid back."""

import shutil
from typing import ClassVar

import torch

from ._base import AbstractEngine, AbstractEnsemble, Job
from ._machine import machine
from ._runners import Compiled as CompiledRunner
from ._sizing import chunk_size, map_for, seconds_per_step, why_not, work_of
from ._stacked import Stacked

# Compiling a graph costs inductor about this much for each operation where nothing of it is found on disk (measured on graphs of 100 to 1000 operations).
SECONDS_PER_OPERATION = 0.1
SECONDS_AT_LEAST = 5.0
# Fused loops read and write each intermediate result about half as often (measured on networks of one to four layers).
SHARE_OF_BYTES = 0.5


SECONDS_PER_CALL = 1e-4  # of a compiled step, however small


class Compiled(AbstractEngine):
    """Runs the step of `batched`, compiled by ``torch.compile``.

    The first step of each shape of a batch is compared with the same step uncompiled. Where compiling fails or gives another result, the ensemble runs as
    `batched` does, and says why. What was compiled once is found again by later processes in PyTorch's own cache.

    Limits:
        Needs a C++ compiler. Trainings that draw random numbers in a step are not compiled: the numbers would be others.
    """

    name: ClassVar = "compiled"
    tolerance: ClassVar = 1e-9
    checks_itself: ClassVar = True

    def seconds(self, job: Job) -> float:
        """Return the time of compiling and of the loop."""
        work, fast = work_of(job), machine(torch.get_num_threads())
        chunks = -(-len(job.members) // chunk_size(job))
        saved = len(job.members) * SHARE_OF_BYTES * work.bytes * fast.byte_at(0.0) + chunks * work.calls * fast.call
        each = max(seconds_per_step(job) - saved, chunks * SECONDS_PER_CALL)
        return max(SECONDS_AT_LEAST, SECONDS_PER_OPERATION * work.calls) + job.steps * each

    def refusal(self, job: Job) -> str | None:
        """Return why not: no compiler, random numbers, a step that cannot be stacked."""
        if not any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl")):
            return "there is no C++ compiler."
        if (reason := why_not(job)) is not None:
            return reason
        return "compiled random numbers would be others than PyTorch's." if map_for(job).field.randomness.is_needed else None

    def open(self, job: Job) -> AbstractEnsemble:
        """Return the stacked ensemble with a compiled step."""
        return Stacked(job, CompiledRunner())
