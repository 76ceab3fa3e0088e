"""Random numbers of one's own, while torch's generator stays where it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Inside, torch draws on the CPU as after ``torch.manual_seed(seed)``; outside, as if nothing had been drawn. ``None`` changes nothing.

    >>> _ = torch.manual_seed(1)
    >>> with seeded(0):
    ...     first = torch.rand(1)
    >>> with seeded(0):
    ...     torch.equal(torch.rand(1), first)
    True
    >>> torch.initial_seed()
    1
    """
    if seed is None:
        yield
        return
    before = torch.get_rng_state()
    try:
        torch.default_generator.manual_seed(seed)  # the CPU's alone: torch.manual_seed would also reseed every other device
        yield
    finally:
        torch.set_rng_state(before)
