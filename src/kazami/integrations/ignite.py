"""PyTorch Ignite: ``watched = attach(trainer, model, optimizer)``, then ``trainer.run(...)``, then ``watched.findings``."""

from collections.abc import Iterable
from typing import Any

from ignite.engine import Engine, Events

from ..sinks import AbstractSink
from ._base import Attachment


def attach(
    trainer: Engine,
    model: Any = None,
    optimizer: Any = None,
    *others: Any,
    run: str | None = None,
    every: int | None = None,
    dynamics: bool = False,
    sinks: Iterable[str | AbstractSink] = (),
) -> Attachment:
    """Watch every ``trainer.run`` of an Ignite engine.

    Args:
        trainer: The engine that trains; those that evaluate need nothing.
        model: Its model.
        optimizer: Its optimizer; without one, all optimizers of this process are watched while the engine runs.
        others: More models and optimizers (a generator and its critic).
        run: A run directory to write; where it is taken, ``-2``, ``-3`` and so on are added.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs.
        sinks: Loggers that get the numbers, the findings and the report too, as `kazami.watch` takes them.

    Returns:
        An object with ``findings``, ``verdict``, ``watch`` and ``close()``.

    Limits:
        Nothing listens to ``Events.EXCEPTION_RAISED``, as Ignite no longer raises what someone listens to: after an exception, asking for the findings ends
        the watching.
    """
    attachment = Attachment(Engine.run, run=run, every=every, dynamics=dynamics, sinks=sinks)
    trainer.add_event_handler(Events.STARTED, lambda: attachment.begin(model, optimizer, *others))
    for ended in (Events.COMPLETED, Events.TERMINATE, Events.INTERRUPT):
        trainer.add_event_handler(ended, attachment.close)
    return attachment
