"""Which engine runs an ensemble: the one that would finish first, among those that do not refuse."""

from collections.abc import Sequence

import torch

from ..errors import UsageError, unknown_name
from ..maps import Training
from ..registry import plugins
from ._base import AbstractEngine, AbstractEnsemble, Job, Member, own_dtype


def ensemble(
    training: Training,
    members: Sequence[Member],
    *,
    engine: str = "auto",
    dtype: torch.dtype | None = None,
    steps: int | None = None,
    n_tangents: int = 0,
) -> tuple[AbstractEnsemble, str]:
    """Return an ensemble before its first step, and one sentence on which engine runs it and why.

    Args:
        training: What is trained.
        members: What each member has of its own.
        engine: Name of an engine; ``"auto"`` takes the one that would finish first, and does not refuse.
        dtype: Precision; that of the training's own parameters by default.
        steps: How many steps will be taken, as far as known; the training's own number by default.
        n_tangents: How many deviation vectors each member will carry.

    Raises:
        UsageError: There is no member; the engine asked for refuses.
        UnknownName: There is no engine of this name.

    Example:
        >>> import torch
        >>> t = Training(model=lambda: torch.nn.Linear(1, 1), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
        ...              loss=torch.nn.functional.mse_loss, batches=lambda: [(torch.ones(4, 1), torch.zeros(4, 1))], steps=5)
        >>> together, said = ensemble(t, [Member(seed, {"learning_rate": rate}) for seed in range(3) for rate in (0.1, 0.2)], engine="batched")
        >>> tuple(together.step().shape), said
        ((6,), 'batched: 6 members, as asked for.')
    """
    if not members:
        raise UsageError("An ensemble should have at least one member, but it has none.")
    job = Job(training, tuple(members), own_dtype(training) if dtype is None else dtype, training.steps if steps is None else steps, n_tangents)
    if engine != "auto":
        chosen = engine_named(engine)
        reason = chosen.refusal(job)
        if reason is not None:
            raise UsageError(f"The engine {engine} cannot run this ensemble: {reason} Ask for engine='auto'.")
        return chosen.open(job), f"{engine}: {len(members)} members, as asked for."
    refused = ""
    candidates = [kind() for kind in plugins("kazami.engines", AbstractEngine) if kind.is_automatic]
    for candidate in sorted(candidates, key=lambda each: each.seconds(job)):
        reason = candidate.refusal(job)
        if reason is None:
            return candidate.open(job), f"{candidate.name}: {len(members)} members.{refused}"
        refused += f" Not {candidate.name}: {reason}"
    raise UsageError(f"No engine can run this ensemble:{refused}")


def engine_named(name: str) -> AbstractEngine:
    """Return the engine called ``name``.

    Raises:
        UnknownName: There is none.
    """
    known = {kind.name: kind for kind in plugins("kazami.engines", AbstractEngine)}
    if name not in known:
        raise unknown_name("engine", name, known)
    return known[name]()
