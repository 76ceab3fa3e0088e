"""A copy of a model that can be asked anything, while the user's own model, generators and settings stay as they are."""

import copy
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ...errors import UsageError

Mode = Literal["eval", "train", "as_is"]


def private_copy(model: nn.Module, *, mode: Mode = "eval", dtype: torch.dtype | None = None) -> nn.Module:
    """Return a deep copy of ``model`` whose parameters ask for no gradient.

    Tensors with a history that hang on a module as plain attributes (old-style ``weight_norm`` leaves them there) are copied by value, which ``copy.deepcopy``
    alone refuses. With ``dtype`` floating tensors that are plain attributes are cast as well, which ``Module.to`` alone leaves out.

    Args:
        model: Any module; it stays as it is.
        mode: Switch the copy to evaluation or training, or leave it as the model is.
        dtype: Cast floating parameters, buffers and attributes; ``None`` leaves them.

    Raises:
        UsageError: The model cannot be copied.
    """
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and value.grad_fn is not None:
                memo[id(value)] = value.detach().clone()
    try:
        copied = copy.deepcopy(model, memo)
    except Exception as error:  # whatever an attribute's own __deepcopy__ raises
        raise UsageError(
            f"The model should be one that copy.deepcopy can copy, and {type(model).__name__} is not ({type(error).__name__}: {error}). "
            "Give its attributes a __deepcopy__, or take out what cannot be copied (open files, locks, generators)."
        ) from None
    for parameter in copied.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    if dtype is not None:
        copied.to(dtype)
        _cast_attributes(copied, dtype)
    return copied if mode == "as_is" else copied.train(mode == "train")


def _cast_attributes(model: nn.Module, dtype: torch.dtype) -> None:
    for module in model.modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, Tensor) and value.is_floating_point():
                setattr(module, name, value.detach().to(dtype))


@contextmanager
def undisturbed(model: nn.Module, dtype: torch.dtype | None = None, seed: int | None = None) -> Iterator[None]:
    """Inside, random numbers may be drawn and settings changed; outside, everything is as before.

    Attention runs as plain mathematics, since the fused kernels have no forward-mode and no second derivative. With ``dtype`` new tensors made inside a
    ``forward`` are of it too.

    Args:
        model: Its devices' generators are kept.
        dtype: The default dtype inside.
        seed: Seeds torch, numpy and random inside, so that a network that draws random numbers draws the same ones every time.
    """
    devices = sorted({parameter.device.index or 0 for parameter in model.parameters() if parameter.is_cuda})
    before = torch.get_default_dtype(), torch.backends.mha.get_fastpath_enabled(), random.getstate(), np.random.get_state()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=devices))
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        try:
            torch.set_default_dtype(dtype or before[0])
            torch.backends.mha.set_fastpath_enabled(False)
            if seed is not None:
                _seed_all(seed, devices)
            yield
        finally:
            torch.set_default_dtype(before[0])
            torch.backends.mha.set_fastpath_enabled(before[1])
            random.setstate(before[2])
            np.random.set_state(before[3])


def _seed_all(seed: int, devices: list[int]) -> None:
    """Seed every generator a model may draw from; ``torch.manual_seed`` would format a stack trace for every device that sleeps."""
    torch.default_generator.manual_seed(seed)
    for device in devices:
        torch.cuda.default_generators[device].manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
