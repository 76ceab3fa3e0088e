"""The door of the room: ``watch`` a training from Python, ``check`` it before it starts."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ..diagnosis import all_rules, examine
from ..errors import CannotWatch
from ..records import Finding, Findings, RunInfo, Trace
from ..reports import verdict
from ..reports.notebook import framed
from ..sinks import AbstractSink, chosen
from .joined import joined
from .language import chosen_language
from .observer import Observer
from .page import page_of, sheet_of
from .sampling import Sampling
from .telling import Telling, is_first_rank
from .writing import RunDirectory

CHECKS = tuple(rule.name for rule in all_rules())


class Watch:
    """A watched training; leaving its ``with`` block ends the watching.

    Attributes:
        observer: What listens to the hooks.
    """

    def __init__(self, observer: Observer, directory: RunDirectory | None = None, telling: Telling | None = None) -> None:
        self.observer = observer
        self._directory = directory
        self._telling = telling
        if directory is not None:
            observer.on_step = directory.on_step(observer)
            directory.follow(observer)
        if telling is not None:
            telling.follow(observer)
        observer.attach()

    @property
    def findings(self) -> list[Finding]:
        """What is found so far, most important first."""
        return Findings(findings_of(self.observer))

    @property
    def verdict(self) -> str:
        """One sentence on the training so far."""
        return verdict(RunInfo(id="", steps=self.observer.clock - 1), self.findings, CHECKS).en

    @property
    def trace(self) -> Trace:
        """What was seen of the training with most parameters."""
        traces = self.observer.traces()
        if not traces:
            return Trace(step=0, blind=tuple(self.observer.blind.values()))
        return max(traces, key=lambda trace: float(trace.facts.get("trained_parameters", 0)))

    def _repr_html_(self) -> str:
        """Return the report of what was seen so far, in a frame of its own."""
        language = chosen_language(None)
        return framed(page_of(self.observer, self.findings, language=language), self.verdict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return the report, the case sheet for front ends without HTML, and the verdict for those without both."""
        del include, exclude  # the front end picks
        sheet = sheet_of(self.observer, self.findings, language=chosen_language(None))
        return {"text/html": self._repr_html_(), "text/markdown": sheet, "text/plain": self.verdict}

    def close(self) -> None:
        """End the watching; what was seen stays."""
        self.observer.detach()
        if self._directory is not None:
            self._directory.close(self.observer)
            self._directory = None
        if self._telling is not None:
            self._telling.close()
            self._telling = None

    def __enter__(self) -> "Watch":
        """Return the watch itself."""
        return self

    def __exit__(self, *details: object) -> None:
        """End the watching."""
        self.close()


def watch(*watched: Any, run: str | None = None, every: int | None = None, dynamics: bool = False, sinks: Iterable[str | AbstractSink] = ()) -> Watch:
    """Watch a training until the returned `Watch` is closed; the user's loop stays as it is.

    Args:
        watched: Models (``nn.Module``) and optimizers, in any order; none: everything in this process.
        run: A run directory to write (a path or an fsspec URL). Without it nothing is written.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs (``every`` is then 1 unless given).
        sinks: Loggers that get the numbers, the findings and the report too: ``"tensorboard"``, ``"jsonl:metrics.jsonl"``, or sinks of your own. Under a
            launcher of several ranks the first rank alone has them.

    Raises:
        CannotWatch: Something else than models and optimizers was given.
        RunTaken: ``run`` already holds a run.
        UsageError: A sink is unknown, or its package is not installed.

    Example:
        >>> model = nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> with watch(model, optimizer) as w:
        ...     for _ in range(3):
        ...         optimizer.zero_grad()
        ...         nn.functional.mse_loss(model(torch.ones(4, 2)), torch.zeros(4, 1)).backward()
        ...         optimizer.step()
        >>> w.trace.step
        3
    """
    watched = tuple(map(innermost, watched))
    models = [thing for thing in watched if isinstance(thing, nn.Module)]
    optimizers = [thing for thing in watched if isinstance(thing, torch.optim.Optimizer)]
    strangers = [thing for thing in watched if not isinstance(thing, nn.Module | torch.optim.Optimizer)]
    if strangers:
        raise CannotWatch(
            f"watch(...) takes models (nn.Module) and optimizers (torch.optim.Optimizer), but got {type(strangers[0]).__name__}. "
            "Leave it out to watch everything in this process."
        )
    told = chosen(sinks, run or "")
    observer = Observer(models, optimizers, Sampling(every=1 if dynamics and every is None else every), is_dynamics=dynamics)
    for optimizer in optimizers:
        observer.player_of(optimizer)
    return Watch(observer, RunDirectory(run) if run is not None else None, Telling(told) if told and is_first_rank() else None)


def innermost(thing: Any) -> Any:
    """Return of an optimizer the one of torch inside the wrappers of frameworks (accelerate, Lightning), which alone steps; all else as it is."""
    while not isinstance(thing, nn.Module) and isinstance(inner := getattr(thing, "optimizer", None), torch.optim.Optimizer):
        thing = inner
    return thing


def check(model: nn.Module, optimizer: torch.optim.Optimizer | None, loss_fn: Any, batch: tuple[Any, Any], *, steps: int = 1) -> list[Finding]:
    """Return what can be known of a training before its first step; model, optimizer and random streams stay as they are.

    A copy of the model takes one step on the batch, watched.

    Args:
        model: The model.
        optimizer: Its optimizer, or ``None``.
        loss_fn: ``loss_fn(output, target) -> 0-d tensor``.
        batch: ``(inputs, target)``; a tuple as inputs is one argument.
        steps: How many steps the copy takes.
    """
    with torch.random.fork_rng(devices=[]):
        twin, twin_optimizer = copy.deepcopy((model, optimizer))
        twin_optimizer = twin_optimizer or torch.optim.SGD([p for p in twin.parameters() if p.requires_grad], lr=0.0)
        with watch(twin, twin_optimizer) as seen:
            for _ in range(steps):
                _step(twin, twin_optimizer, loss_fn, batch)
    return seen.findings


def _step(model: nn.Module, optimizer: torch.optim.Optimizer, loss_fn: Any, batch: tuple[Any, Any]) -> None:
    optimizer.zero_grad()
    loss = loss_fn(model(batch[0]), batch[1])
    if isinstance(loss, Tensor):
        loss.backward()
    optimizer.step()


def findings_of(observer: Observer) -> list[Finding]:
    """Return the findings of all players with their prescriptions, most important first; one primary in all."""
    found: list[Finding] = []
    for trace in observer.traces():
        found.extend(joined(examine(trace), trace))
    found.sort(key=lambda finding: (not finding.is_primary, finding.severity == "info"))
    seen: set[str] = set()
    unique = [f for f in found if not (f.name in seen or seen.add(f.name))]  # type: ignore[func-returns-value]
    return [f.replaced(is_primary=f.is_primary and index == 0) for index, f in enumerate(unique)]
