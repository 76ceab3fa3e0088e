"""Seeds of a replayed script: other seeds by an offset on its own, and batches that are paired whatever a change draws. Only for the trial's own process."""

import functools
import hashlib
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

UNSEEDED = 20_240_405  # for what the script leaves to chance: any number, the same in both arms


def offset_seeds(offset: int) -> "Reseeding":
    """Shift every seed that the script sets by ``offset``, and seed what it does not; for good.

    At the beginning, whenever an optimizer is made, and after each optimizer step the global streams are set to states that depend on ``offset`` and the step
    alone. A change that draws other random numbers than the original (an initialisation, a layer) therefore meets the same batches and dropout masks from
    then on.

    Returns:
        The listener that has to be told of optimizer steps.
    """
    reseeding = Reseeding(offset)
    _shift(random, "seed", offset)
    _shift(np.random, "seed", offset)
    for owner, name in ((torch, "manual_seed"), (torch.random, "manual_seed"), (torch.cuda, "manual_seed"), (torch.cuda, "manual_seed_all")):
        _shift(owner, name, offset)
    _shift(np.random, "default_rng", offset)
    np.random.RandomState = _shifted_random_state(offset)  # type: ignore[misc]
    torch.Generator = _shifted_generator(offset)  # type: ignore[misc]
    original = torch.optim.Optimizer.__init__

    @functools.wraps(original)
    def made(self: Any, *arguments: Any, **keywords: Any) -> None:
        original(self, *arguments, **keywords)
        reseeding.again("optimizer")

    torch.optim.Optimizer.__init__ = made  # type: ignore[method-assign]
    reseeding.again("start")
    return reseeding


class Reseeding:
    """Sets the global streams to what a step has, whatever was drawn before."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._n_steps = 0
        self._seeds: tuple[Callable[[int], Any], ...] = (random.seed, np.random.seed, torch.manual_seed)  # as they are now: not shifted

    def again(self, moment: str) -> None:
        """Set the streams for a moment of the run."""
        digest = hashlib.sha256(f"{self._offset}/{moment}/{self._n_steps}".encode()).digest()
        number = int.from_bytes(digest[:4], "little")
        for seed in self._seeds:
            seed(number)

    def step_ended(self) -> None:
        """Set the streams for the next step."""
        self._n_steps += 1
        self.again("step")


def _moved(seed: Any, offset: int) -> Any:
    """Return a seed moved by the offset; nothing is the fixed one, and what is neither is left as it is."""
    if seed is None:
        return UNSEEDED + offset
    is_number = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    return (int(seed) + offset) % 2**32 if is_number and offset else seed


def _shift(owner: Any, name: str, offset: int) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def shifted(seed: Any = None, *arguments: Any, **keywords: Any) -> Any:
        if "a" in keywords:  # random.seed names its argument so
            seed = keywords.pop("a")
        return original(_moved(seed, offset), *arguments, **keywords)

    setattr(owner, name, shifted)


def _shifted_random_state(offset: int) -> Any:
    original = np.random.RandomState

    class RandomState(original):  # type: ignore[misc,valid-type]
        """numpy's own, with its seed moved; a subclass, since libraries ask for instances."""

        def __init__(self, seed: Any = None) -> None:
            original.__init__(self, _moved(seed, offset))

        def seed(self, seed: Any = None) -> None:
            """Seed it anew."""
            original.seed(self, _moved(seed, offset))

    return RandomState


def _shifted_generator(offset: int) -> Any:
    original = torch.Generator

    class Generator(original):  # type: ignore[misc,valid-type]
        """torch's own, with its seed moved."""

        def manual_seed(self, seed: int) -> Any:
            """Seed it."""
            original.manual_seed(self, _moved(seed, offset))
            return self

        def seed(self) -> int:
            """Seed it with a fixed number: what is left to chance is the same in both arms."""
            original.manual_seed(self, UNSEEDED + offset)
            return UNSEEDED + offset

    return Generator
