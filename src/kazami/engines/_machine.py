"""How fast this machine is, measured once in a process in some tens of milliseconds of work that engines do."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from ._work import Work

LEAST_RUNS = 5  # however long they take: one alone may have been disturbed
SETS = (2**18, 2**20, 2**22, 2**23, 2**24, 2**25, 2**26)  # bytes: from below a second-level cache to beyond what caches and allocators hold back


@dataclass(frozen=True, slots=True)
class Machine:
    """Measured costs, in seconds, with as many threads as PyTorch uses now.

    Attributes:
        call: Of one operation on a tensor with a few entries, called as traced steps call it.
        fma: Of one multiplication with addition, in many small matrix products.
        transcendental: Of one tanh in float32.
        byte: Of one byte read or written, by the size of what is worked on: pairs of (bytes, seconds).
    """

    call: float
    fma: float
    transcendental: float
    byte: tuple[tuple[int, float], ...]

    def seconds(self, work: Work, *, times: float = 1.0, calls: float = 1.0, working_set: float = 0.0) -> float:
        """Return how long ``work`` takes when its data are ``times`` as much and its calls ``calls`` as many."""
        busy = work.fma * self.fma + work.transcendental * self.transcendental + work.bytes * self.byte_at(working_set)
        return work.calls * calls * self.call + busy * times

    def byte_at(self, working_set: float) -> float:
        """Return the cost of a byte in a working set of this many bytes: that of the next larger one measured."""
        return next((cost for size, cost in self.byte if size >= working_set), self.byte[-1][1])


@cache
def machine(threads: int | None = None) -> Machine:
    """Return what this machine can do; measured at the first call for each number of threads."""
    del threads  # the key only: PyTorch's setting counts
    left, right = torch.randn(256, 64, 8), torch.randn(256, 8, 8)
    angles = torch.randn(2**15)
    with torch.no_grad():
        call = _best(_calls) / 10
        fma = max(_best(lambda: torch.bmm(left, right)) - call, 1e-9) / (256 * 64 * 8 * 8)
        transcendental = max(_best(lambda: torch.tanh(angles)) - call, 1e-9) / 2**15
        costs = [_byte(size) for size in SETS]
    byte = tuple((size, min(costs[number:])) for number, size in enumerate(SETS))  # more data are not faster: what looks slower than they are was disturbed
    return Machine(call, fma, transcendental, byte)


def _calls() -> None:
    """Make ten of the calls of which steps consist, on next to nothing."""
    ops = torch.ops.aten
    one, two = torch.ones(2, 3, 4), ops.transpose.int(torch.ones(2, 3, 4), 1, 2)
    product = ops.bmm.default(one, two)
    moved = ops.tanh.default(ops.add.Tensor(product, product))
    logs = ops._log_softmax.default(moved, 2, False)
    total = ops.sum.dim_IntList(ops.mul.Tensor(logs, moved), [1])
    ops.expand.default(ops.unsqueeze.default(total, 1), [2, 3, 3])


def _byte(size: int) -> float:
    """Return the cost of a byte when a chain of operations works on ``size`` bytes, each making a new tensor as engines do."""
    parts = [torch.zeros(size // 4 // 4) for _ in range(3)]

    def chain() -> None:
        parts.append(torch.add(parts[0], parts[-1]))
        del parts[0]

    return _best(chain) / (3 * size / 4)


def _best(work: Callable[[], object], seconds: float = 3e-3) -> float:
    """Return the shortest time of several runs: what disturbs only makes longer."""
    best, end = float("inf"), time.perf_counter() + seconds
    for number in range(1, 201):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
        if number >= LEAST_RUNS and time.perf_counter() > end:
            break
    return best


def available_memory() -> int | None:
    """Return the bytes that this process may still use, as the system and the container's limit tell; ``None`` where nobody tells."""
    found = []
    try:
        rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        found.append(int(rows["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError, ValueError):
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit, used in (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):
        with suppress(OSError, ValueError):
            group = Path("/sys/fs/cgroup")
            found.append(int((group / limit).read_text(encoding="ascii")) - int((group / used).read_text(encoding="ascii")))
    return min(found) if found else None
