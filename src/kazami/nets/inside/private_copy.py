"""A copy of a model that can be asked anything, while the user's own model, generators and settings stay as they are."""

import copy
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
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
        dtype: Cast floating parameters, buffers and attributes, complex ones to the complex type of the same precision; ``None`` leaves them.

    Raises:
        UsageError: The model cannot be copied, or has no weights yet.
    """
    _refuse_lazy(model)
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and value.grad_fn is not None:
                memo[id(value)] = value.detach().clone()
    try:
        with torch.no_grad():  # scripted modules copy their parameters by an operation, which would make them computed values
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
        copied._apply(partial(_cast, dtype=dtype))  # Module.to would cut off the imaginary part of complex weights
        _cast_attributes(copied, dtype)
    return copied if mode == "as_is" else copied.train(mode == "train")


def _cast_attributes(model: nn.Module, dtype: torch.dtype) -> None:
    for module in model.modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()):
                setattr(module, name, _cast(value.detach(), dtype))


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a floating tensor in ``dtype``, a complex one in the complex type of that precision, and any other as it is."""
    if tensor.is_complex():
        return tensor.to(dtype.to_complex())
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def hookable(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules of ``model`` that hooks can be put on, by name: a scripted one is closed, also to what is in it.

    >>> list(hookable(nn.Sequential(nn.Linear(2, 2), nn.ReLU())))
    ['', '0', '1']
    """
    return {name: module for name, module in model.named_modules() if not isinstance(module, torch.jit.ScriptModule)}


def _refuse_lazy(model: nn.Module) -> None:
    for name, module in model.named_modules():
        own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        if any(nn.parameter.is_lazy(one) for one in own):
            place = f" ({name})" if name else ""
            raise UsageError(f"{type(module).__name__}{place} has no weights yet. Call the model once on an example first.")


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
