"""Keeping the caller undisturbed: captures run on a copy of the model, and random numbers go on as if nothing had been drawn."""

import copy
import io
import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@contextmanager
def quiet() -> Iterator[None]:
    """Run without warnings, log lines and prints (a tracer's speak of our own attempts, a model's would come once for each run), and without compiling."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), torch.compiler.set_stance("force_eager"), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Put all generators (torch on every device, numpy, random) back afterwards."""
    ours, theirs = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(ours)
            np.random.set_state(theirs)


@contextmanager
def borrowed(model: nn.Module) -> Iterator[nn.Module]:
    """Give a copy of the model to work on; where it cannot be copied, the model itself, put back afterwards."""
    with quiet(), same_random_numbers(), torch.enable_grad():
        try:
            made = copy.deepcopy(model)
        except Exception:  # a model may hold anything: files, locks, tensors in the middle of a graph
            made = None
        if made is not None:
            yield made
            return
        kept = [(module, dict(vars(module)), *_contents(module)) for module in model.modules()]
        try:
            yield model
        finally:
            for module, attributes, tables, tensors in kept:
                _put_back(module, attributes, tables, tensors)


def _contents(module: nn.Module) -> tuple[dict[str, dict[str, Any]], list[tuple[Tensor, Tensor]]]:
    tables = {name: dict(table) for name, table in vars(module).items() if isinstance(table, dict)}
    values = [*module._parameters.values(), *module._buffers.values(), *vars(module).values()]
    tensors = [one for one in values if isinstance(one, Tensor) and not nn.parameter.is_lazy(one)]
    return tables, [(one, one.detach().clone()) for one in tensors]


def _put_back(module: nn.Module, attributes: dict[str, Any], tables: dict[str, dict[str, Any]], tensors: list[tuple[Tensor, Tensor]]) -> None:
    state = vars(module)
    for name in set(state) - set(attributes):
        del state[name]
    state.update(attributes)
    for name, table in tables.items():
        state[name].clear()
        state[name].update(table)
    for tensor, value in tensors:
        if not torch.equal(tensor.detach(), value):  # kernels write running statistics without a new version number
            with torch.no_grad(), suppress(RuntimeError):  # a tensor that may not be written was not written by the model either
                tensor.copy_(value)
