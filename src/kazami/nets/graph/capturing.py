"""graph: captures the data flow of a model, by torch.export where it works, else by torch.fx, else by running it."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch._dynamo.eval_frame import OptimizedModule

from ...errors import UsageError
from ...records.finding import Sentence
from . import words
from .batch import Batch, name_sizes, parameters_of, with_one_row_more
from .building import Facts, built
from .calling import Call
from .cleaning import cleaned
from .data_flow import Graph
from .from_export import capture_by_export
from .from_fx import capture_by_fx
from .from_run import capture_by_run
from .keeping import borrowed, quiet, same_random_numbers
from .tape import Tape

Capture = Callable[[nn.Module, Call, dict[int, tuple[str, ...]]], Tape]
WAYS: dict[str, Capture] = {
    "torch.export": capture_by_export,
    "torch.fx": capture_by_fx,
    "run": lambda model, call, names: capture_by_run(model, call, names)[0],
}
CHEAP = 1500  # operations up to which a second capture, for the batch, is made where the first graph does not run on a larger batch


def graph(model: nn.Module, example: Any, keywords: Mapping[str, Any] | None = None, *, way: str | None = None) -> Graph:
    r"""Return the data-flow graph of a model: quantities, operations, and the blocks :math:`\varphi(X \cdot W + b)` that people think in.

    The model runs on a copy: its parameters, buffers, gradients and mode, and the random numbers of the program, stay as they are.

    Args:
        model: Any module.
        example: What its ``forward`` is called with: a tensor, or a tuple of positional arguments; ``None`` or ``()`` where all are keywords.
        keywords: Keyword arguments of its ``forward``.
        way: ``"torch.export"``, ``"torch.fx"`` or ``"run"`` for one way only; by default the first of them that works.

    Returns:
        The graph; ``graph.captured_by`` and ``graph.notes`` say how it was found.

    Raises:
        UsageError: The model itself fails on the example.

    Limits:
        What Python does with values of the data (branches, loops, numpy) is seen for the example only, and is marked. A size is written with N
        where one row more in the batch shows that it moves with it. Forward hooks of the model run.

    Example:
        >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        >>> found = graph(net, torch.ones(5, 3))
        >>> [block.formula for block in found.blocks], found.parameters
        (['φ(X·W + b)', 'X·W + b'], 26)
    """
    model = _unwrapped(model)
    call = Call.of(model, example, keywords)
    fresh = partial(_ready, model, call)
    elements, random_path = _first_look(fresh, call)
    notes = [words.TRAINING_MODE if model.training else words.EVALUATION_MODE, *random_path]
    used, tape, failures = _first_that_works(fresh, call, way)
    batch = with_one_row_more(fresh, call)
    if batch is None:
        name_sizes(tape, None, 1)
    else:
        is_everywhere = name_sizes(tape, _larger(fresh, batch, used, tape), batch.size)
        notes.append(words.batch_found(batch.size, is_everywhere=is_everywhere))
    tape.again = None  # it holds the copy of the model
    return built(cleaned(tape), Facts(type(model).__name__, used, [*failures, *notes], elements))


def _unwrapped(model: nn.Module) -> nn.Module:
    inner: Any = model
    while isinstance(inner, nn.DataParallel | nn.parallel.DistributedDataParallel | OptimizedModule):
        inner = inner._orig_mod if isinstance(inner, OptimizedModule) else inner.module
    unwrapped: nn.Module = inner
    return unwrapped


class _ready:  # noqa: N801
    """Lends a copy of the model whose lazy parameters have been made."""

    def __init__(self, model: nn.Module, call: Call) -> None:
        self._lender = borrowed(model)
        self._call = call

    def __enter__(self) -> nn.Module:
        model = self._lender.__enter__()
        if any(nn.parameter.is_lazy(one) for one in [*model.parameters(), *model.buffers()]):
            torch.manual_seed(0)
            self._call.copied().on(model)
        return model

    def __exit__(self, *error: Any) -> None:
        self._lender.__exit__(*error)


def _first_look(fresh: Callable[[], Any], call: Call) -> tuple[dict[str, int], list[Sentence]]:
    """Run the model once: its own errors are the user's to see, and random numbers drawn in Python may choose its path.

    Returns:
        The number of elements of each parameter by its first name, tied ones once; and what there is to say of the path.
    """
    try:
        with fresh() as model:
            before = _states()
            call.copied().on(model)
            is_same = _states() == before
            elements = {name: one.numel() for name, one in model.named_parameters()}
    except Exception as error:
        raise UsageError(f"The model fails on this example: {type(error).__name__}: {str(error)[:400]}") from error
    return elements, [] if is_same else [words.RANDOM_PATH]


def _states() -> tuple[Any, ...]:
    """Return how far the generators of Python and numpy have come."""
    numbers: Any = np.random.get_state()
    return random.getstate(), numbers[1].tobytes(), numbers[2]


def _first_that_works(fresh: Callable[[], Any], call: Call, way: str | None) -> tuple[str, Tape, list[Sentence]]:
    if way is not None and way not in WAYS:
        raise UsageError(f"way should be one of {', '.join(WAYS)}, and is {way!r}.")
    failures: list[Sentence] = []
    for name in [way] if way else WAYS:
        try:
            return name, _captured(fresh, call, name), failures
        except Exception as error:  # each tracer has its own exceptions, and a user's model may raise any
            failures.append(words.failed(name, error))
    raise UsageError(" ".join(sentence.en for sentence in failures))


def _captured(fresh: Callable[[], Any], call: Call, way: str) -> Tape:
    with fresh() as model:
        tape = WAYS[way](model, call.copied(), parameters_of(model))
        if not tape.outputs:
            raise UsageError("the model gives no tensor that it computed")
        return tape


def _larger(fresh: Callable[[], Any], batch: Batch, way: str, tape: Tape) -> Tape | None:
    """Return the tape with one row more: of the same graph run again where that gives the model's own shapes, else of a second capture."""
    call = batch.call
    with suppress(Exception), quiet(), same_random_numbers():
        tape_again = tape.again(call.copied()) if tape.again is not None else None
        if tape_again is not None and [tape_again.operations[place].values[slot].shape for _, (place, slot) in tape_again.outputs] == batch.shapes:
            return tape_again
    if len(tape.operations) > CHEAP:
        return None
    try:
        return _captured(fresh, call, way)
    except Exception:  # the larger batch is a wish: sizes are then those of the example
        return None
