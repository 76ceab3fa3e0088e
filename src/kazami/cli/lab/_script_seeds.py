"""Other initial weights of a script: it is run up to its first step again, with every seed that it sets moved."""

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ...maps import Training


@dataclass(frozen=True, slots=True)
class SeededModels:
    """A model factory that gives the weights of whichever seed torch's generator was set to last.

    Attributes:
        factory: Gives the script's own model.
        weights: Its parameters and buffers for each further seed.
    """

    factory: Any
    weights: Mapping[int, "Mapping[str, Tensor]"]

    def __call__(self) -> "nn.Module":
        """Make the model."""
        import torch

        seed = torch.initial_seed()
        model: nn.Module = self.factory()
        if seed in self.weights:
            model.load_state_dict(self.weights[seed])
        return model


def with_seeds(training: "Training", script: str, arguments: Sequence[str], seeds: Sequence[int]) -> "Training":
    """Return the training with the initial weights that the script has when all its seeds are moved by each of ``seeds``; 0 is the script itself.

    Raises:
        UsageError: With other seeds the script has another model, or none.
    """
    weights = {seed: _weights(script, arguments, seed, training) for seed in seeds if seed != training.seed}
    return training.replaced(model=SeededModels(training.model, weights))


def _weights(script: str, arguments: Sequence[str], seed: int, training: "Training") -> "Mapping[str, Tensor]":
    from .._target import loaded

    with _moved_seeds(seed):
        target = loaded((script, *arguments), None, None, steps=1)
    if target.training is None:
        raise UsageError(f"{script} with all its seeds moved by {seed} gives no training ({target.why_no_training}). Drop the factor seed.")
    found, own = target.training.model().state_dict(), training.model().state_dict()
    if {name: part.shape for name, part in found.items()} != {name: part.shape for name, part in own.items()}:
        raise UsageError(f"{script} should have the same model whatever its seeds, but moved by {seed} its weights have other names or shapes. Drop seed.")
    return found


@contextmanager
def _moved_seeds(offset: int) -> Iterator[None]:
    """Move the seeds that a script sets, and put everything back where it was; also the modules that it imports are to run again."""
    import numpy as np
    import torch

    from ...maps.training import untouched_randomness
    from ...trials.reseeding import offset_seeds

    owners = ((random, "seed"), (np.random, "seed"), (np.random, "default_rng"), (np.random, "RandomState"), (torch, "manual_seed"), (torch, "Generator"))
    more = ((torch.random, "manual_seed"), (torch.cuda, "manual_seed"), (torch.cuda, "manual_seed_all"), (torch.optim.Optimizer, "__init__"))
    kept = [(owner, name, getattr(owner, name)) for owner, name in (*owners, *more)]
    before = dict(sys.modules)
    with untouched_randomness():
        try:
            offset_seeds(offset)
            yield
        finally:
            for owner, name, value in kept:
                setattr(owner, name, value)
            _forget_modules(set(sys.modules) - set(before))


def _forget_modules(names: set[str]) -> None:
    """Let the script's own modules run again when they are imported again; libraries stay."""
    for name in names:
        file = str(getattr(sys.modules[name], "__file__", None) or "site-packages")
        if "site-packages" not in file and not file.startswith(sys.base_prefix) and not name.startswith("kazami"):
            del sys.modules[name]
