"""Members as lanes of the machine's vectors: networks of the MLP family, each run staying in the cache."""

from typing import ClassVar

import torch

from ..errors import UsageError
from ..kernels import AbstractMachine
from ..kernels.cost import member_step_seconds
from ._base import AbstractEngine, AbstractEnsemble, Job
from ._card import COMPILING as COMPILING_FOR_CARDS
from ._family import NotOfTheFamily
from ._lanes import Lanes, machine_for
from ._recognised import CLOSE, disagreement, recognised
from ._sizing import map_for, seconds_per_step

COMPILING = 0.5  # seconds, about, for each precision
CARD = 3.0  # times as long as a core takes for a vector: a scheduler begins one instruction in a cycle of about 1.7 GHz, a core two in one of 2.5 GHz


class Fused(AbstractEngine):
    """Runs an ensemble of small networks in machine code of its own.

    Networks of the family are affine maps (with or without bias, with constant factors) and activations one after another: tanh, sigmoid, ReLU, leaky ReLU,
    GELU, SiLU, softplus; with cross-entropy or mean squares, SGD, Adam or AdamW, any parameter groups, schedulers and batches. However the module is
    written, it is traced; before a run three steps of two members are compared with the plain loop in float64.

    Limits:
        Up to some thousand parameters. Sums go in another order than torch's, so chaotic orbits differ in their bits. A deviation vector that vanishes
        stays zero. Needs the extra ``fast``; where the training lies on a CUDA device it runs there, and needs Triton instead.
    """

    name: ClassVar = "fused"
    tolerance: ClassVar = 1e-9

    def seconds(self, job: Job) -> float:
        """Return the time by the count of vector operations; nothing for what is not of the family, so that it is asked, and says why."""
        try:
            found = recognised(job)
        except NotOfTheFamily:
            return 0.0
        batch = len(map_for(job).field.batches.at(0)[0])
        machine = _machine(job)
        side_by_side = machine.lanes(job.dtype.itemsize)
        each = member_step_seconds(found.network, batch, job.n_tangents, side_by_side)
        blocks = -(-len(job.members) // side_by_side)
        if machine.workers is not None:
            return 2.0 * COMPILING_FOR_CARDS + CARD * each * job.steps * blocks * side_by_side / min(machine.workers, blocks)
        return COMPILING + each * job.steps * blocks * side_by_side / min(torch.get_num_threads(), blocks)

    def refusal(self, job: Job) -> str | None:
        """Return why not: another module, loss or optimizer, no llvmlite, or another result than the plain loop's."""
        try:
            found = recognised(job)
        except NotOfTheFamily as reason:
            return f"{reason}."
        missing = _machine(job).why_not()
        if missing is not None:
            return f"{missing} The next engine is about {max(1.0, job.steps * seconds_per_step(job) / self.seconds(job)):.0f} times slower."
        if "disagreement" not in job.known:
            try:
                job.known["disagreement"] = disagreement(job, found)
            except UsageError as reason:  # a card may not take the kernel
                return str(reason)
        difference: float = job.known["disagreement"]
        return None if difference <= CLOSE else f"after three steps it differs from the plain loop by {difference:.1e}."

    def open(self, job: Job) -> AbstractEnsemble:
        """Return the ensemble in lanes."""
        return Lanes(job, recognised(job), map_for(job))


def _machine(job: Job) -> AbstractMachine:
    """Return what would run the kernels: a card where the training lies on one."""
    return machine_for(map_for(job).current_state().device)
