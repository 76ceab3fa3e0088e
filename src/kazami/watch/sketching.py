r"""Sketches of weights: a few hundred numbers from which the distance between two networks of the same shapes can be told.

Every weight gets a random sign, and the signed weights are summed into buckets (CountSketch; Charikar, Chen and Farach-Colton 2002):

.. math:: z_c = \sum_{i \equiv c} \sigma_i \theta_i, \qquad \mathrm{E} \sum_c (z_c - z'_c)^2 = \lVert \theta - \theta' \rVert^2 .

Signs and buckets depend on nothing but the shapes, so that sketches of two runs, of two machines, of two devices may be subtracted. The sums are kept in
double precision: rounding of single weights is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

VERSION = 1  # of signs, buckets and hashes; sketches of different versions are not compared
WIDTH = 251  # buckets of the whole; a prime that divides no customary layer width, so that no column of a matrix falls into one bucket alone
PIECE = 64  # weights that share a bucket of their parameter
CHUNK = 2**16  # weights worked on at once; all buffers together stay in a second-level cache of 2 MB
TILE = 2**20  # signs in memory; larger networks use them again, shifted
MOST_NARROW = 16  # buckets of one parameter
MOST_HASHED = 2**18  # values of a batch; a photograph more or less differs almost everywhere
EXACT_BYTES = 2**14  # networks up to this size are stored whole
SEED = 0x6B617A616D69  # "kazami"

Tensors = dict[str, np.ndarray[Any, Any]]


@dataclass(slots=True)
class Part:
    """What one chunk holds of the tensors of one device and type.

    Attributes:
        whole: Tensors that lie in it entirely, by number, and where they are copied to.
        cut: Tensors of which it holds a range ``(number, first, end, place)``.
        owner: For each piece the tensor that it belongs to.
        slot: For each piece the tensor's bucket that it falls into.
        signs: Of the weights.
        multiplier: Odd; makes the hashes of equal chunks differ.
        bench: Where the work is done; shared by all parts.
        used: So many weights are in it, whole pieces.
    """

    bench: "Bench"
    owner: Tensor
    slot: Tensor
    signs: Tensor
    multiplier: int
    whole: list[tuple[int, Tensor]] = field(default_factory=list)
    cut: list[tuple[int, int, int, Tensor]] = field(default_factory=list)
    used: int = 0


class Bench:
    """Memory to work in, made once: fresh memory of this size costs more than the arithmetic.

    Attributes:
        stage: The weights of a chunk.
        words: Their bits, multiplied.
        signed: The weights with their signs.
        exact: The same in double precision.
    """

    def __init__(self, device: torch.device, kind: torch.dtype) -> None:
        self.stage = torch.zeros(CHUNK, dtype=kind, device=device)
        self.words = torch.zeros(CHUNK * kind.itemsize // 4, dtype=torch.int32, device=device)
        self.signed = torch.zeros(CHUNK, dtype=kind, device=device)
        self.exact = self.signed if kind is torch.float64 else torch.zeros(CHUNK, dtype=torch.float64, device=device)


class Sketcher:
    """Sketches one list of tensors again and again.

    Limits:
        Of a sharded tensor only this rank's shard is sketched. A hash of 64 bits, not a cryptographic one, stands for a tensor's exact value.

    Example:
        >>> sketcher, weights = Sketcher(), [torch.zeros(100, 100), torch.zeros(100)]
        >>> before = sketcher.sketch(weights)["total"]
        >>> _ = weights[0].fill_(0.01)
        >>> distance = float(np.linalg.norm(sketcher.sketch(weights)["total"] - before))
        >>> abs(distance - 1.0) < 4 / (2 * WIDTH) ** 0.5  # the true one is 1; the standard error 1/sqrt(2 · 251)
        True
    """

    def __init__(self) -> None:
        self._known: tuple[Any, ...] = ()
        self._parts: list[Part] = []

    def sketch(self, tensors: Sequence[Tensor]) -> Tensors:
        """Return what is stored of the tensors; they are read once and stay as they are.

        Returns:
            ``weights``, all of them, where they take less than 16 kB; else ``total``, shape ``(251,)``, ``parameters``, shape ``(tensors, buckets)``, and
            ``hash``, shape ``(tensors,)``.
        """
        with torch.no_grad():
            return self._sketched([_plain(tensor) for tensor in tensors])

    def _sketched(self, own: list[Tensor]) -> Tensors:
        if is_small(own):
            kind = torch.float64 if any(_stage_type(one) is torch.float64 for one in own) else torch.float32
            return {"weights": torch.cat([one.reshape(-1).to("cpu", kind) for one in own]).numpy() if own else np.empty(0)}
        form = tuple((one.shape, one.dtype, one.device) for one in own)
        if form != self._known:
            self._parts, self._known = _parts_of(own), form
        return self._summed(own)

    def _summed(self, own: list[Tensor]) -> Tensors:
        narrow = narrow_width(len(own))
        total, parameters, hashes = np.zeros(WIDTH), np.zeros(len(own) * narrow), np.zeros(len(own), dtype=np.int64)
        for device in dict.fromkeys(part.bench.stage.device for part in self._parts):
            sums = torch.zeros(WIDTH, dtype=torch.float64, device=device)
            slots = torch.zeros(len(own) * narrow + 1, dtype=torch.float64, device=device)
            marks = torch.zeros(len(own) + 1, dtype=torch.int64, device=device)
            for part in self._parts:
                if part.bench.stage.device == device:
                    _add(part, own, sums, slots, marks)
            total += sums.cpu().numpy()
            parameters += slots[:-1].cpu().numpy()
            hashes += marks[:-1].cpu().numpy()
        return {"total": total, "parameters": parameters.reshape(len(own), narrow), "hash": hashes}


def narrow_width(n_tensors: int) -> int:
    """Return how many buckets each of so many parameters gets: as many as keep all together near 256, 16 at most and 2 at least."""
    return min(MOST_NARROW, max(256 // max(n_tensors, 1), 2))


def is_small(tensors: Sequence[Tensor]) -> bool:
    """Return whether tensors are stored whole."""
    return sum(one.numel() * (8 if _stage_type(one) is torch.float64 else 4) for one in tensors) <= EXACT_BYTES


def hashed(tensor: Tensor) -> int:
    """Return a number of 52 bits that stands for the exact values and their order, never 0; of more than 262144 values every second, third … is looked at.

    Example:
        >>> hashed(torch.tensor([1, 2])) == hashed(torch.tensor([1, 2])) != hashed(torch.tensor([2, 1]))
        True
    """
    own = _plain(tensor)
    flat = own.reshape(-1)[:: own.numel() // MOST_HASHED + 1]
    flat = flat.to(torch.float64 if own.is_floating_point() else torch.int64).contiguous()
    mark = torch.zeros((), dtype=torch.int64, device=flat.device)
    for index, words in enumerate(flat.view(torch.int32).split(2 * CHUNK)):
        odd = _odd(flat.device)[: words.numel()]
        mark += (words * odd).view(torch.int64).sum() * (2 * index + 1)
    return (int(mark) * 0x9E3779B97F4A7C15 + own.numel()) % 2**64 // 2**12 or 1


def _add(part: Part, own: list[Tensor], sums: Tensor, slots: Tensor, marks: Tensor) -> None:
    bench, used = part.bench, part.used
    stage, signed, exact = bench.stage[:used].zero_(), bench.signed[:used], bench.exact[:used]
    if part.whole:
        torch._foreach_copy_([view for _, view in part.whole], [own[number] for number, _ in part.whole])
    for number, first, end, place in part.cut:
        place.copy_(own[number].reshape(-1)[first:end])
    bits = stage.view(torch.int32)
    words = bench.words[: bits.numel()]
    torch.mul(bits, _odd(stage.device)[: bits.numel()], out=words)
    pieces = words.view(torch.int64).view(used // PIECE, -1).sum(1)
    marks.index_add_(0, part.owner[: used // PIECE], pieces, alpha=part.multiplier)
    torch.mul(stage, part.signs[:used], out=signed)
    if exact.data_ptr() != signed.data_ptr():
        exact.copy_(signed)
    n_whole = used // WIDTH * WIDTH
    sums += exact[:n_whole].view(-1, WIDTH).sum(0)
    sums[: used - n_whole] += exact[n_whole:]
    slots.index_add_(0, part.slot[: used // PIECE], exact.view(-1, PIECE).sum(1))


def _parts_of(own: list[Tensor]) -> list[Part]:
    """Return the parts: every tensor begins at a whole piece, one after the other, and the row of weights is cut into chunks."""
    parts: dict[tuple[int, torch.device, torch.dtype], Part] = {}
    benches: dict[tuple[torch.device, torch.dtype], Bench] = {}
    narrow, position = narrow_width(len(own)), 0
    for number, one in enumerate(own):
        kind = _stage_type(one)
        if (one.device, kind) not in benches:
            benches[one.device, kind] = Bench(one.device, kind)
        bench = benches[one.device, kind]
        done = 0
        while done < one.numel():
            chunk, place = divmod(position, CHUNK)
            key = (chunk, one.device, kind)
            if key not in parts:
                parts[key] = _new_part(chunk, bench, len(own), narrow)
            size = min(one.numel() - done, CHUNK - place)
            pieces = slice(place // PIECE, -(-(place + size) // PIECE))
            parts[key].owner[pieces] = number
            parts[key].slot[pieces] = number * narrow + _lots(chunk, one.device)[pieces] % narrow
            target = bench.stage[place : place + size]
            parts[key].used = pieces.stop * PIECE
            if size == one.numel():
                parts[key].whole.append((number, target.view(one.shape)))
            else:
                parts[key].cut.append((number, done, done + size, target))
            done += size
            position += -(-size // PIECE) * PIECE
    return list(parts.values())


def _new_part(chunk: int, bench: Bench, n_tensors: int, narrow: int) -> Part:
    stage, n_free = bench.stage, TILE // CHUNK
    draw = int(_raw(chunk + 2, 1)[0])
    offset = chunk * CHUNK if chunk < n_free else draw // 2 % (TILE - CHUNK)
    flip = -1 if chunk >= n_free and draw % 2 else 1
    signs = torch.from_numpy(_signs()[offset : offset + CHUNK]).to(stage.device, stage.dtype) * flip
    n_pieces = CHUNK // PIECE
    owner = torch.full((n_pieces,), n_tensors, dtype=torch.int64, device=stage.device)
    slot = torch.full((n_pieces,), n_tensors * narrow, dtype=torch.int64, device=stage.device)
    return Part(bench, owner, slot, signs, 2 * chunk + 1)


def _plain(tensor: Tensor) -> Tensor:
    """Return the tensor as ordinary real numbers on this rank."""
    own = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    own = own.detach()
    return torch.view_as_real(own) if own.is_complex() else own


def _stage_type(tensor: Tensor) -> torch.dtype:
    """Return the type that holds the tensor's numbers exactly (integers up to 2^53)."""
    return torch.float32 if tensor.dtype.itemsize <= 4 and tensor.is_floating_point() else torch.float64


def _raw(stream: int, n: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return random words that no version of NumPy will change: the bit generator's own."""
    return np.asarray(np.random.PCG64(SEED + stream).random_raw(n), dtype="<u8")


@cache
def _signs() -> np.ndarray[Any, Any]:
    bits = np.unpackbits(_raw(0, TILE // 64).view(np.uint8))
    return bits.astype(np.int8) * np.int8(2) - np.int8(1)


@cache
def _odd(device: torch.device) -> Tensor:
    """Return odd multipliers for the words of a chunk: one changed word changes the product surely."""
    return torch.from_numpy((_raw(1, CHUNK).view(np.uint32) | 1).view(np.int32)).to(device)


@cache
def _lots(chunk: int, device: torch.device) -> Tensor:
    return torch.from_numpy((_raw(chunk + 2, CHUNK // PIECE + 1)[1:] >> np.uint64(32)).astype(np.int64)).to(device)
