"""A stand-in for Triton in NumPy: executes printed kernels as they are printed, one program instance after another, on any machine."""

import types

import numpy as np


class Pointer:
    """A place in a flat array, or one for each lane."""

    def __init__(self, memory: np.ndarray, place=0) -> None:
        self.memory, self.place = memory, place

    def __add__(self, more):
        return Pointer(self.memory, self.place + more)


class Block(int):
    """The instance that is running."""


def _load(pointer):
    place = np.asarray(pointer.place)
    assert (place >= 0).all(), "a kernel reads before its memory"
    return pointer.memory[place]


def _store(pointer, value):
    place = np.asarray(pointer.place)
    assert (place >= 0).all(), "a kernel writes before its memory"
    assert np.shape(value) == place.shape, "a kernel stores something else than a row"
    pointer.memory[place] = value


def _fma(a, b, c):
    if a.dtype == np.float32:  # the product is exact in double precision
        return (a.astype(np.float64) * b + c).astype(np.float32)
    return a * b + c


def _same_kind(*arrays):
    assert len({array.dtype for array in arrays}) == 1, "Triton would convert one of them"


def _full(shape, value, dtype):
    made = np.full(shape, value, dtype)
    return made + np.zeros((), dtype) if made.dtype.kind == "f" and not value else made  # Triton's zero has no sign


def _cast(value, dtype, bitcast=False):
    if not isinstance(value, np.ndarray):
        return dtype(value)
    return value.view(dtype) if bitcast else value.astype(dtype)


def _where(mask, a, b):
    assert mask.dtype == bool
    _same_kind(a, b)
    return np.where(mask, a, b)


def language(block: list[int]) -> types.ModuleType:
    """Return a module with what kernels call of `triton.language`; ``block`` holds the number of the running instance."""
    tl = types.ModuleType("triton.language")
    tl.float32, tl.float64, tl.int32, tl.int64 = np.float32, np.float64, np.int32, np.int64
    tl.arange, tl.program_id, tl.minimum = np.arange, lambda axis: block[axis], min
    tl.load, tl.store, tl.fma, tl.full, tl.cast, tl.where = _load, _store, _fma, _full, _cast, _where
    tl.div_rn, tl.sqrt_rn, tl.sqrt = np.divide, np.sqrt, np.sqrt
    tl.broadcast_to = lambda value, shape: np.broadcast_to(value, shape).copy()
    return tl


class Jitted:
    """What `triton.jit` would return: ``kernel[grid](…)`` runs all instances on arrays, or on tensors in ordinary memory."""

    def __init__(self, function) -> None:
        self._function = function

    def __getitem__(self, grid):
        def launch(*arguments, **options):
            assert set(options) <= {"num_warps", "enable_fp_fusion"}
            given = [number if isinstance(number, int) else Pointer(np.asarray(number).reshape(-1)) for number in arguments]
            for instance in range(grid[0]):
                BLOCK[0] = instance
                with np.errstate(all="ignore"):
                    self._function(*given)

        return launch


BLOCK = [0]


def module() -> types.ModuleType:
    """Return a module in Triton's place."""
    triton = types.ModuleType("triton")
    triton.language = language(BLOCK)
    triton.jit = lambda function, **options: Jitted(function)
    return triton
