"""Which engine runs an ensemble: the fastest that does not refuse."""

from collections.abc import Sequence

from ..errors import UsageError, unknown_name
from ..maps import Training
from ..registry import plugins
from ._base import AbstractEngine, AbstractEnsemble, Member


def ensemble(training: Training, members: Sequence[Member], *, engine: str = "auto") -> tuple[AbstractEnsemble, str]:
    """Return an ensemble before its first step, and one sentence on which engine runs it and why.

    Args:
        training: What is trained.
        members: What each member has of its own.
        engine: Name of an engine; ``"auto"`` takes the fastest that does not refuse.

    Raises:
        UsageError: There is no member; the engine asked for refuses.
        UnknownName: There is no engine of this name.

    Example:
        >>> import torch
        >>> t = Training(model=lambda: torch.nn.Linear(1, 1), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
        ...              loss=torch.nn.functional.mse_loss, batches=lambda: [(torch.ones(4, 1), torch.zeros(4, 1))], steps=5)
        >>> together, said = ensemble(t, [Member(seed, {"learning_rate": rate}) for seed in range(3) for rate in (0.1, 0.2)])
        >>> tuple(together.step().shape), said
        ((6,), 'batched: 6 members at once.')
    """
    if not members:
        raise UsageError("An ensemble should have at least one member, but it has none.")
    if engine != "auto":
        chosen = engine_named(engine)
        reason = chosen.refusal(training, members)
        if reason is not None:
            raise UsageError(f"The engine {engine} cannot run this ensemble: {reason} Ask for engine='auto'.")
        return chosen.open(training, members), f"{engine}: {len(members)} members, as asked for."
    refused = ""
    for kind in sorted(plugins("kazami.engines", AbstractEngine), key=lambda kind: kind.rank):
        made = kind()
        reason = made.refusal(training, members)
        if reason is None:
            how = "at once" if made.rank < 100 else "one after another"
            return made.open(training, members), f"{made.name}: {len(members)} members {how}.{refused}"
        refused += f" Not {made.name}: {reason}"
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
