"""Forward-mode differentiation, made ready without torch's own deprecation warnings reaching the user."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch.autograd import forward_ad


@contextmanager
def dual_numbers() -> Iterator[None]:
    """Inside, dual numbers carry tangents along, without a graph.

    >>> with dual_numbers():
    ...     print(forward_ad.unpack_dual(forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0)) ** 2).tangent)
    tensor(6.)
    """
    _prepare()
    with torch.no_grad(), forward_ad.dual_level():
        yield


@cache
def _prepare() -> None:
    """Use it once: the first use compiles torch's decompositions by torch.jit.script, which torch itself has deprecated."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)
        with forward_ad.dual_level():
            forward_ad.make_dual(torch.zeros(1), torch.zeros(1))
