"""What a forward pass is made of, as far as numerical differentiation must know: casts to fewer digits, and rounding."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Piecewise constant operations on real numbers: their true derivative is zero, so whoever trains through them replaces it (straight-through estimators).
ROUNDING = frozenset(
    {"round", "floor", "ceil", "trunc", "fix", "sign", "sgn", "heaviside", "floor_divide", "fake_quantize_per_tensor_affine", "quantize_per_tensor", "frac"}
)


class Looking(TorchDispatchMode):
    """Sees each operation while it is entered.

    Attributes:
        coarse: The coarsest floating dtype that a more precise tensor was cast to, ``None`` if none was.
        rounding: Names of rounding operations on floating tensors.
        n_operations: How many operations ran.

    Limits:
        What happens outside torch (NumPy, kernels of one's own) is not seen.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self.coarse: torch.dtype | None = None
        self.rounding: set[str] = set()
        self.n_operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and note what kind it is."""
        del types
        out = func(*args, **(kwargs or {}))
        self.n_operations += 1
        name = func.__name__.split(".")[0].rstrip("_")
        first = args[0] if args else None
        if isinstance(first, Tensor) and first.is_floating_point():
            if name in ROUNDING:
                self.rounding.add(name)
            if name in ("_to_copy", "copy") and isinstance(out, Tensor):
                self._note_cast(first if name == "_to_copy" else args[1], out)
        return out

    def _note_cast(self, source: Any, out: Tensor) -> None:
        if not isinstance(source, Tensor) or not source.is_floating_point() or not out.is_floating_point():
            return
        if torch.finfo(out.dtype).eps > torch.finfo(source.dtype).eps and (self.coarse is None or torch.finfo(out.dtype).eps > torch.finfo(self.coarse).eps):
            self.coarse = out.dtype
