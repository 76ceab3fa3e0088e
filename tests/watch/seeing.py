"""Runs small trainings under an observer and gives what was seen, for tests of what is read."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from kazami.records import Layer, Trace
from kazami.watch.observer import Observer
from kazami.watch.reading import Reading
from kazami.watch.sampling import Sampling


def watched(step: Callable[[], Any], steps: int = 1, modules: Iterable[nn.Module] = ()) -> list[Trace]:
    """Return the traces of ``steps`` calls of ``step``, all of them recorded."""
    observer = Observer(modules, sampling=Sampling(every=1))
    observer.attach()
    try:
        for _ in range(steps):
            step()
    finally:
        observer.detach()
    assert "kazami" not in observer.blind, observer.blind["kazami"]
    return observer.traces()


def trained(forward: Callable[[], Tensor], parameters: Iterable[Tensor], modules: Iterable[nn.Module] = (), *, lr: float = 0.1, steps: int = 1) -> Trace:
    """Return the trace of plain SGD steps on the loss that ``forward`` gives."""
    optimizer = torch.optim.SGD(list(parameters), lr=lr)

    def step() -> None:
        optimizer.zero_grad()
        forward().backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    (trace,) = watched(step, steps, modules)
    return trace


def of_model(model: nn.Module, loss: Callable[[Tensor], Tensor], x: Tensor, **settings: Any) -> Trace:
    """Return the trace of steps of a module."""
    return trained(lambda: loss(model(x)), model.parameters(), [model], **settings)


def layers(trace: Trace) -> dict[str, Layer]:
    """Return the layers of a trace by name, in order."""
    return {layer.name: layer for layer in trace.layers}


def latest(trace: Trace, quantity: str, layer: str) -> float:
    """Return the newest value of a layer's quantity."""
    return float(trace[quantity].latest[list(layers(trace)).index(layer)])


def readings_of(loss: Tensor) -> Reading:
    """Return what one backward call on ``loss`` shows (the loss stays usable)."""
    from kazami.watch.graph import LiveGraph
    from kazami.watch.names import Names
    from kazami.watch.reading import GraphReader

    observer = Observer()
    with torch.no_grad():
        value = float(loss)
        is_bad = not abs(value) < float("inf")
        return GraphReader(Names()).read(LiveGraph((loss,)), (loss,), observer, is_bad=is_bad, value=value)


def fact(loss: Tensor, name: str) -> Any:
    """Return a structural fact of a loss's graph, ``None`` where it does not hold."""
    return readings_of(loss).facts.get(name)
