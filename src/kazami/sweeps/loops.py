"""Members one after another by the training's own loop, for optimizers whose rule kazami does not know."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from ..engines import AbstractEnsemble, Grown, Member
from ..errors import UsageError, unknown_name
from ..maps import Training
from ..maps._settings import Settings
from ..maps.training import untouched_randomness


class PlainLoops(AbstractEnsemble):
    """Runs each member with its own module, optimizer and scheduler; its states are the parameters alone.

    Args:
        training: What is trained.
        members: What each has of its own; the seed is that of the initialisation, as everywhere.

    Limits:
        Random numbers drawn in the steps are those of the training's seed, one stream for each member.
    """

    def __init__(self, training: Training, members: Sequence[Member]) -> None:
        """Start all of them."""
        self._training = training
        self._time = 0
        self._runs = [_Single(training, member) for member in members]

    @property
    def time(self) -> int:
        """Steps taken."""
        return self._time

    @property
    def states(self) -> Tensor:
        """The parameters, flat."""
        return torch.stack([nn.utils.parameters_to_vector(run.parameters).detach() for run in self._runs])

    def set_states(self, states: Tensor, *, time: int | None = None) -> None:
        """Put the parameters at ``states``; only before the first step.

        Raises:
            UsageError: Steps were taken already.
        """
        if self._time or time:
            raise UsageError("The states of a plain loop should be set before its first step: its optimizer's memory is not part of them.")
        for run, state in zip(self._runs, states, strict=True):
            nn.utils.vector_to_parameters(state.to(run.parameters[0]), run.parameters)

    def advance(self, steps: int) -> Tensor:
        """Take the steps, member after member."""
        self._time += steps
        return torch.tensor([run.advance(steps) for run in self._runs], dtype=torch.float64).T

    def advance_with_tangents(self, vectors: Tensor, steps: int, *, every: int = 1) -> Grown:
        """Refuse: there is no derivative of an unknown rule.

        Raises:
            UsageError: Always.
        """
        del vectors, steps, every
        raise UsageError("Tangents need an optimizer whose rule is known.")

    def write_into(self, model: nn.Module, index: int) -> None:
        """Copy parameters and buffers."""
        model.load_state_dict(self._runs[index].model.state_dict())

    def close(self) -> None:
        """Forget the members."""
        self._runs = []


class _Single:
    def __init__(self, training: Training, member: Member) -> None:
        self._training = training
        with untouched_randomness():
            run = training.replaced(seed=training.seed if member.seed is None else member.seed).start()
            self.model, self._optimizer = run.model, run.optimizer
            self.parameters = [part for group in run.optimizer.param_groups for part in group["params"] if part.requires_grad]
            if member.settings:
                _write_settings(run.optimizer, member.settings)
            self._scheduler: Any = training.scheduler(run.optimizer) if training.scheduler else None
            torch.manual_seed(training.seed)
            self._batches = training.endless_batches()
            self._randomness = torch.get_rng_state()

    def advance(self, steps: int) -> list[float]:
        losses = []
        with untouched_randomness(), torch.enable_grad():
            torch.set_rng_state(self._randomness)
            for batch in islice(self._batches, steps):
                losses.append(float(self._training.step(self.model, self._optimizer, batch)))
                if self._scheduler is not None:
                    self._scheduler.step()
            self._randomness = torch.get_rng_state()
        return losses


def _write_settings(optimizer: torch.optim.Optimizer, settings: Any) -> None:
    words = Settings(lambda: optimizer, None)
    for name, value in settings.items():
        if name not in words.current(0):
            raise unknown_name("setting of this optimizer", name, words.current(0))
        words.change(name, value)
