"""How a program is cut into tiles: which values stay in registers while a loop goes over the rest."""

from collections.abc import Iterator
from dataclasses import dataclass

from ._program import Builder, Place
from .network import Network

LATENCY = 4  # cycles until the result of a multiply–add can be used
SCRATCH_BYTES = 2**15  # of the values of one group of samples: beside parameters and gradient in the near caches
SMALL_BODY = 192  # multiply–adds that may be written out instead of looped over


@dataclass(frozen=True, slots=True)
class Plan:
    """The cut.

    Attributes:
        samples: How many samples go through the network together; a power of 2.
        accumulators: How many sums may be kept in registers.
        unrolled: Whether everything but steps and samples is written out.
        is_parallel: Whether all blocks of lanes run at once, so that each needs scratch memory of its own.
    """

    samples: int
    accumulators: int
    unrolled: bool = False
    is_parallel: bool = False

    def forward_tile(self, n_rows: int) -> tuple[int, int]:
        """Return how many rows of a matrix times how many samples make a tile, by the cheapest estimate per sample."""
        choices = []
        samples = 1
        while samples <= self.samples:
            rows = _even(n_rows, max(1, self.accumulators // samples))
            choices.append((sum(_cycles(part, samples) for part in _parts(n_rows, rows)) / samples, -samples, rows))
            samples *= 2
        _, negative, rows = min(choices)
        return rows, -negative

    def gradient_tile(self, n_rows: int, n_columns: int) -> tuple[int, int]:
        """Return how many rows times columns of a gradient make a tile."""
        choices = []
        for limit in range(1, min(n_rows, self.accumulators) + 1):
            rows = _even(n_rows, limit)
            columns = _even(n_columns, max(1, self.accumulators // rows))
            cost = sum(_cycles(a, c) for a in _parts(n_rows, rows) for c in _parts(n_columns, columns))
            choices.append((cost, rows, columns))
        _, rows, columns = min(choices)
        return rows, columns


def plan_for(network: Network, row_bytes: int, registers: int, batch: int, *, unrolled: bool = False) -> Plan:
    """Return the plan for a network on a machine with ``registers`` vector registers, one row of lanes taking ``row_bytes``."""
    rows = 2 * sum(layer.n_outputs for layer in network.layers)
    samples = 1
    while not unrolled and samples < min(batch, 16) and 2 * samples * rows * row_bytes <= SCRATCH_BYTES:
        samples *= 2
    if not unrolled:
        samples = max(samples, min(4, 1 << (batch - 1).bit_length()))
    return Plan(samples, registers // 2, unrolled)


def tiled(builder: Builder, count: int, size: int, *, unroll: bool = False) -> Iterator[tuple[Place, int]]:
    """Yield begin and width of each tile: full ones in one symbolic loop (unless there is one only), then the rest."""
    full, rest = divmod(count, size)
    for place, _ in builder.rounds(full, unroll=unroll or full == 1):
        yield place * size, size
    if rest:
        yield Place(full * size), rest


def _cycles(rows: int, columns: int) -> float:
    """Return the cycles of one round over a tile: two loads and two multiply–adds in each, and no faster than a sum can be added to again."""
    return max((rows + columns) / 2.0, rows * columns / 2.0, LATENCY) + 0.5


def _even(count: int, limit: int) -> int:
    """Return the size of tiles, at most ``limit``, that cover ``count`` most evenly with the fewest tiles."""
    n_tiles = -(-count // limit)
    return -(-count // n_tiles)


def _parts(count: int, size: int) -> list[int]:
    return [size] * (count // size) + ([count % size] if count % size else [])
