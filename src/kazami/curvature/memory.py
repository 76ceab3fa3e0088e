"""How much memory is free, and how much a graph holds."""

import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

UNKNOWN = 4 * 2**30  # where the system does not tell


def available_bytes(device: torch.device) -> int:
    """Return the free memory of ``device``, in bytes.

    Example:
        >>> available_bytes(torch.device("cpu")) > 0
        True
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE")) // 2
    except (AttributeError, ValueError, OSError):
        return UNKNOWN


def gibibytes(n_bytes: float) -> str:
    """Return a number of bytes as people read it.

    >>> gibibytes(3 * 2**29), gibibytes(5 * 2**20)
    ('1.5 GiB', '5.0 MiB')
    """
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**29 else f"{n_bytes / 2**20:.1f} MiB"


def graph_bytes(build: Callable[[], object]) -> int:
    """Return how many bytes of tensors the graphs hold that ``build`` makes; each storage counts once."""
    sizes: dict[int, int] = {}

    def seen(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(seen, lambda kept: kept):
        made = build()
    del made
    return sum(sizes.values())
