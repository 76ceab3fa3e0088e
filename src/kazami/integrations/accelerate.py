"""Hugging Face accelerate: ``with watch(model, optimizer) as w:`` around a loop over prepared objects."""

from collections.abc import Iterable
from typing import Any

from accelerate import Accelerator
from accelerate.utils import extract_model_from_parallel
from torch import nn

from ..sinks import AbstractSink
from ..watch import watch as watch_torch
from ..watch.watching import Watch


def watch(*watched: Any, run: str | None = None, every: int | None = None, dynamics: bool = False, sinks: Iterable[str | AbstractSink] = ()) -> Watch:
    """Watch a training by accelerate until the returned `~kazami.watch.watching.Watch` is closed.

    An ``AcceleratedOptimizer`` has no hooks; the optimizer inside has, and is what is watched.

    Args:
        watched: Models and optimizers as ``accelerator.prepare`` has given them, or the accelerator itself: then all that it has prepared so far.
        run: A run directory to write. Without it nothing is written.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs.
        sinks: Loggers that get the numbers, the findings and the report too, as `kazami.watch` takes them.

    Raises:
        CannotWatch: Something else than these was given.
        RunTaken: ``run`` already holds a run.
    """
    things: list[Any] = []
    for thing in watched:
        things += [*thing._models, *thing._optimizers] if isinstance(thing, Accelerator) else [thing]
    inner = [extract_model_from_parallel(thing) if isinstance(thing, nn.Module) else thing for thing in things]
    return watch_torch(*inner, run=run, every=every, dynamics=dynamics, sinks=sinks)
