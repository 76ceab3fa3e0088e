"""What tells two sweeps apart: their factors, what is recorded, and what the training is made of."""

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import torch
from torch import nn

from ..maps.training import untouched_randomness
from .design import Design
from .running import Setup
from .variants import FACTORIES

DEEPEST = 6  # functions called by functions


def fingerprint(design: Design, setup: Setup) -> dict[str, str]:
    """Return a digest of each thing that must be the same for two sweeps to be one: ``factors``, ``records``, ``training``, ``weights`` and ``data``."""
    factors = repr([(name, design.places[name], design.labels[name]) for name in design.names])
    asked = repr((setup.records, setup.steps, setup.every, setup.dtype))  # where and by which engine it runs does not make it another sweep
    return {"factors": _digest(factors), "records": _digest(asked), "training": _digest(_told(design)), **_made(design, setup)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]


def _told(design: Design) -> str:
    training = design.training
    plain = [(name, getattr(training, name)) for name in ("steps", "seed", "clip_grad_norm", "zero_grad")]
    factories = [(name, "\n".join(_source(getattr(training, name), DEEPEST, set()))) for name in FACTORIES]
    functions = [_key_of_choice(value) for cell in design.cells[:1000] for value in cell.values() if callable(value)]
    return repr((plain, factories, sorted(set(functions))))


def _key_of_choice(value: Any) -> str:
    return "\n".join(_source(value, DEEPEST, set()))


def _source(thing: Any, depth: int, seen: set[int]) -> Iterator[str]:
    """Yield what ``thing`` is made of: its source without comments and layout, its defaults and what it closes over, and the same of what it names."""
    if id(thing) in seen or depth < 0:
        return
    seen.add(id(thing))
    if isinstance(thing, (np.ndarray, torch.Tensor)):
        yield _digest_of_array(thing)
    elif thing is None or isinstance(thing, (bool, int, float, str, bytes, complex)):
        yield repr(thing)
    elif isinstance(thing, Mapping):
        for key in sorted(thing, key=str):
            yield str(key)
            yield from _source(thing[key], depth - 1, seen)
    elif isinstance(thing, (list, tuple)):
        for part in thing:
            yield from _source(part, depth - 1, seen)
    elif isinstance(thing, FunctionType):
        yield from _of_function(thing, depth, seen)
    else:
        yield from _of_object(thing, depth, seen)


def _of_object(thing: Any, depth: int, seen: set[int]) -> Iterator[str]:
    if isinstance(thing, type):
        yield f"{thing.__module__}.{thing.__qualname__}"
        if _is_the_users(thing):
            yield _text(thing)
        return
    yield from _source(type(thing), depth - 1, seen)
    if isinstance(thing, nn.Module):
        yield str(thing)
        yield from (_digest_of_array(part) for part in thing.state_dict().values() if isinstance(part, torch.Tensor))
    elif hasattr(thing, "func") and hasattr(thing, "keywords"):  # a partial
        yield from _source((thing.func, thing.args, thing.keywords), depth - 1, seen)
    elif is_dataclass(thing):
        yield from _source({part.name: getattr(thing, part.name) for part in fields(thing)}, depth - 1, seen)
    elif inspect.ismethod(thing):
        yield from _source((thing.__func__, thing.__self__), depth - 1, seen)
    elif _is_the_users(type(thing)):
        yield from _source(vars(thing) if hasattr(thing, "__dict__") else {}, depth - 1, seen)


def _of_function(function: FunctionType, depth: int, seen: set[int]) -> Iterator[str]:
    is_read = _is_the_users(function)
    yield _text(function) if is_read else f"{function.__module__}.{function.__qualname__}"
    yield from _source((function.__defaults__, function.__kwdefaults__), depth - 1, seen)
    for cell in function.__closure__ or ():
        try:
            yield from _source(cell.cell_contents, depth - 1, seen)
        except ValueError:  # not filled yet
            continue
    for name in sorted(_names(function.__code__)) if is_read else ():
        if name in function.__globals__ and not inspect.ismodule(function.__globals__[name]):
            yield name
            yield from _source(function.__globals__[name], depth - 1, seen)


def _names(code: CodeType) -> set[str]:
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return set(code.co_names).union(*(_names(part) for part in inner)) if inner else set(code.co_names)


def _is_the_users(thing: Any) -> bool:
    """Libraries are known by their names; what the user wrote is read."""
    top = str(getattr(thing, "__module__", "") or "").partition(".")[0]
    return top not in ("torch", "numpy", "kazami", "scipy", "sklearn", "builtins", "functools", "")


def _text(thing: Any) -> str:
    """Return the source without comments and layout; the code's own instructions where there is no source."""
    code = getattr(thing, "__code__", None)
    if code is not None and code.co_name == "<lambda>":
        return _instructions(code)  # its source line may hold others
    try:
        return ast.dump(ast.parse(textwrap.dedent(inspect.getsource(thing))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return _instructions(code) if code is not None else repr(getattr(thing, "__qualname__", ""))


def _instructions(code: CodeType) -> str:
    constants = [
        _instructions(part) if isinstance(part, CodeType) else repr(sorted(part, key=repr) if isinstance(part, frozenset) else part) for part in code.co_consts
    ]
    return repr((code.co_code.hex(), code.co_names, code.co_varnames, constants))


def _digest_of_array(given: Any) -> str:
    array = given.detach().cpu() if isinstance(given, torch.Tensor) else torch.from_numpy(np.ascontiguousarray(given)) if given.dtype.kind in "biufc" else None
    if array is None:
        return _digest(repr(given.tolist()))
    if array.dtype == torch.bfloat16:
        array = array.float()
    plain = array.contiguous()
    return hashlib.sha256(repr((plain.dtype, tuple(plain.shape))).encode() + plain.numpy().tobytes()).hexdigest()[:20]


def _made(design: Design, setup: Setup) -> dict[str, str]:
    """Return digests of the first structure's initial weights and first batch: data read from a file has no source."""
    training, _ = setup.made(0)
    try:
        with untouched_randomness():
            weights = [_digest_of_array(part) for part in training.start().model.state_dict().values() if isinstance(part, torch.Tensor)]
            batch = next(iter(training.endless_batches()))
    except Exception:  # it will fail when it runs, and be recorded
        return {"weights": "", "data": ""}
    del design
    return {"weights": _digest(repr(weights)), "data": _digest("".join(_source(batch, DEEPEST, set())))}


def different(mine: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """Return what differs between two fingerprints, in words."""
    words = {
        "factors": "the factors or their values",
        "records": "what is recorded, or the steps",
        "training": "the training's source or its settings",
        "weights": "the initial weights",
        "data": "the first batch",
    }
    return [said for name, said in words.items() if mine.get(name) != there.get(name)]
