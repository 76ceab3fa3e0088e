"""Compiles LLVM text for the machine it runs on, through llvmlite (extra ``fast``)."""

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..errors import UsageError
from ._llvm import Target, llvm_text
from ._plan import Plan, plan_for
from ._program import Program
from .machines import AbstractCode, AbstractMachine
from .network import Descent, Network

ALIGNMENT = 64  # bytes: a cache line, and the widest vectors


class Compiled(AbstractCode):
    """Machine code of one program for this machine's cores, called without holding the interpreter's lock.

    Attributes:
        program: What was compiled.
        lanes: Numbers in one row.
    """

    def __init__(self, program: Program, target: Target) -> None:
        """Compile it."""
        import llvmlite.binding as llvm

        self.program, self.lanes = program, target.lanes
        self._target = target
        machine = _target_machine()
        engine = llvm.create_mcjit_compiler(_optimised(program, target, machine), machine)
        engine.finalize_object()
        self._engine = engine  # owns the code
        n_wholes = 2 + len(program.wholes)
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * n_wholes, *[ctypes.c_void_p] * len(program.buffers))
        self._function: Callable[..., None] = kind(engine.get_function_address("train"))

    @property
    def assembly(self) -> str:
        """The text of the machine code, for those who want to look at it."""
        machine = _target_machine()
        return str(machine.emit_assembly(_optimised(self.program, self._target, machine)))

    def __call__(self, first: int, end: int, wholes: dict[str, int], buffers: dict[str, np.ndarray]) -> None:
        """Compute blocks of lanes from ``first`` to before ``end``; buffers as `aligned` makes them."""
        numbers = [wholes[name] for name in self.program.wholes]
        self._function(first, end, *numbers, *(buffers[name].ctypes.data for name in self.program.buffers))


@dataclass(frozen=True, slots=True)
class Host(AbstractMachine):
    """The cores of this machine, with the widest vectors they have."""

    @property
    def workers(self) -> int | None:
        """Each thread computes its own blocks."""
        return None

    def why_not(self) -> str | None:
        """Return why nothing can be compiled here."""
        return why_not()

    def lanes(self, itemsize: int) -> int:
        """Return how many numbers one vector holds."""
        return lanes(itemsize)

    def plan(self, network: Network, descent: Descent, itemsize: int, n_tangents: int, batch: int) -> Plan:
        """Return tiles that fit into the vector registers."""
        del descent, n_tangents
        target = host_target(itemsize)
        return plan_for(network, target.width // 8, target.registers, batch)

    def compile(self, program: Program, plan: Plan) -> Compiled:
        """Return machine code."""
        del plan
        return compile_program(program)


def why_not() -> str | None:
    """Return why nothing can be compiled here; ``None`` if it can."""
    return None if find_spec("llvmlite") is not None else "llvmlite is not installed; install kazami[fast]."


@cache
def host_target(itemsize: int) -> Target:
    """Return the widest vectors that this machine has, for numbers of ``itemsize`` bytes.

    Raises:
        UsageError: Nothing can be compiled here.
    """
    reason = why_not()
    if reason is not None:
        raise UsageError(f"Kernels should be compiled, but {reason}")
    features = _host_features()
    has_512 = features.get("avx512f", False) and features.get("avx512dq", False)
    bits = 512 if has_512 else 256 if features.get("avx2", False) else 128
    is_x86 = "sse2" in features
    has_fma = bool(features.get("fma", False)) or not is_x86
    return Target(lanes=bits // 8 // itemsize, width=bits, has_fma=has_fma, registers=32 if has_512 or not is_x86 else 16)


def lanes(itemsize: int) -> int:
    """Return how many numbers of ``itemsize`` bytes are side by side on this machine; where nothing can be compiled, on one with the widest vectors."""
    return ALIGNMENT // itemsize if why_not() is not None else host_target(itemsize).lanes


def compile_program(program: Program) -> Compiled:
    """Return machine code for ``program``.

    Raises:
        UsageError: Nothing can be compiled here.
    """
    return Compiled(program, host_target(program.dtype.itemsize))


def aligned(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return zeros that begin on a cache line."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    offset = -raw.ctypes.data % ALIGNMENT
    return raw[offset : offset + size].view(kind).reshape(shape)


@cache
def _host_features() -> dict[str, bool]:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return dict(llvm.get_host_cpu_features())


def _target_machine() -> Any:
    import llvmlite.binding as llvm

    features = _host_features()
    named = ",".join(("+" if has else "-") + name for name, has in features.items())
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=named, opt=3, jit=True)


def _optimised(program: Program, target: Target, machine: Any) -> Any:
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(llvm_text(program, target, "train"))
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False  # the text says what is to be side by side
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return module
