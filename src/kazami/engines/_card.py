"""A graphics card as a machine for kernels: Triton compiles, PyTorch holds the memory."""

import linecache
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from ..kernels import Descent, Network
from ..kernels.device import LANES, WRITTEN, device_plan, device_text
from ..kernels.machines import AbstractCode, AbstractMachine, Plan, Program

SCHEDULERS = 4  # of each multiprocessor; each begins one instruction of one warp in a cycle
COMPILING = 10.0  # seconds, about, for each precision, where Triton does not find its earlier work on disk


@dataclass(frozen=True, slots=True)
class Card(AbstractMachine):
    """A CUDA device.

    Attributes:
        device: Which one.
    """

    device: torch.device

    @property
    def workers(self) -> int | None:
        """As many warps as begin an instruction in the same cycle."""
        return SCHEDULERS * multiprocessors(self.device)

    def why_not(self) -> str | None:
        """Return why nothing can be compiled for it."""
        if find_spec("triton") is None:
            return f"the training lies on {self.device}, where kernels need Triton, which is not installed; it comes with PyTorch's CUDA wheels for Linux."
        return None

    def lanes(self, itemsize: int) -> int:
        """Return the threads of a warp."""
        del itemsize
        return LANES

    def plan(self, network: Network, descent: Descent, itemsize: int, n_tangents: int, batch: int) -> Plan:
        """Return rows in registers, or tiles."""
        return device_plan(network, descent, itemsize, n_tangents, batch)

    def compile(self, program: Program, plan: Plan) -> AbstractCode:
        """Return code that Triton compiles when it is first called."""
        return _OnCard(program, plan, self.device)


class _OnCard(AbstractCode):
    """One kernel on one card."""

    def __init__(self, program: Program, plan: Plan, device: torch.device) -> None:
        """Print the source."""
        self.program, self.lanes = program, LANES
        self._device, self._is_held = device, plan.unrolled
        triton = _triton()
        self._kernel = triton.jit(_function(device_text(program, plan), triton.language), do_not_specialize=list(program.wholes))

    def __call__(self, first: int, end: int, wholes: dict[str, int], buffers: dict[str, np.ndarray]) -> None:
        """Bring the buffers there, compute, and bring back what was written."""
        there = [self._there(name, buffers[name], first, end) for name in self.program.buffers]
        numbers = [wholes[name] for name in self.program.wholes]
        try:
            with torch.cuda.device_of(there[0]):
                self._kernel[(end - first,)](*there, *numbers, num_warps=1, enable_fp_fusion=False)
        except Exception as reason:  # Triton and the driver beneath it have many kinds of errors
            said = (str(reason).strip().splitlines() or [""])[0][:200].rstrip(".")
            raise UsageError(f"The kernel should run on {self._device}, but it does not: {type(reason).__name__}: {said}.") from reason
        for name, tensor in zip(self.program.buffers, there, strict=True):
            if name in WRITTEN:
                buffers[name][first:end] = tensor.cpu().numpy()

    def _there(self, name: str, values: np.ndarray, first: int, end: int) -> Tensor:
        """Return the memory of a buffer on the card, filled where the kernel reads it."""
        if name == "scratch":
            shape = (1,) if self._is_held else (end - first, *values.shape)
            return torch.empty(shape, dtype=torch.from_numpy(values).dtype, device=self._device)
        is_by_block = self.program.buffers[name].kind == "rows"
        return torch.from_numpy(values[first:end] if is_by_block else values).to(self._device)


def multiprocessors(device: torch.device) -> int:
    """Return how many multiprocessors a card has."""
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def _triton() -> Any:
    import triton

    return triton


def _function(text: str, language: Any) -> Callable[..., Any]:
    """Return the function of a text, in such a way that Triton finds its source again."""
    name = f"<kernel {hash(text):x}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    names: dict[str, Any] = {"__name__": __name__, "tl": language}
    exec(compile(text, name, "exec"), names)
    found: Callable[..., Any] = names["train"]
    return found
