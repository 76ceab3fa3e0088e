"""Which engine runs an ensemble: the one that would finish first, among those that do not refuse and that give what the plain loop gives."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..errors import UsageError, unknown_name
from ..maps import Training
from ..registry import plugins
from ._base import AbstractEngine, AbstractEnsemble, AbstractRemembering, Job, Member, own_dtype

STEPS = 3  # of the comparison with the plain loop
REFERENCE = "eager"


def ensemble(
    training: Training,
    members: Sequence[Member],
    *,
    engine: str = "auto",
    dtype: torch.dtype | None = None,
    steps: int | None = None,
    n_tangents: int = 0,
) -> tuple[AbstractEnsemble, str]:
    """Return an ensemble before its first step, and what there is to say on which engine runs it and why.

    Args:
        training: What is trained.
        members: What each member has of its own.
        engine: Name of an engine (``"processes:4"`` and ``"cluster:tcp://…"`` take an option); ``"auto"`` takes the one that would finish first, does not
            refuse, and gives what the plain loop gives in three steps of two members in float64.
        dtype: Precision; that of the training's own parameters by default.
        steps: How many steps will be taken, as far as known; the training's own number by default.
        n_tangents: How many deviation vectors each member will carry.

    Raises:
        UsageError: There is no member; the engine asked for refuses; memory would not suffice.
        UnknownName: There is no engine of this name, or no setting of a member's.

    Example:
        >>> import torch
        >>> t = Training(model=lambda: torch.nn.Linear(1, 1), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
        ...              loss=torch.nn.functional.mse_loss, batches=lambda: [(torch.ones(4, 1), torch.zeros(4, 1))], steps=5)
        >>> together, said = ensemble(t, [Member(seed, {"learning_rate": rate}) for seed in range(3) for rate in (0.1, 0.2)], engine="batched")
        >>> tuple(together.step().shape), said
        ((6,), 'batched: 6 members in float32, as asked for.')
    """
    if not members:
        raise UsageError("An ensemble should have at least one member, but it has none.")
    job = Job(training, tuple(members), own_dtype(training) if dtype is None else dtype, training.steps if steps is None else steps, n_tangents)
    what = f"{len(members)} member{'s' if len(members) > 1 else ''} in {str(job.dtype).removeprefix('torch.')}"
    if engine != "auto":
        chosen = engine_named(engine)
        reason = chosen.refusal(job)
        if reason is not None:
            raise UsageError(f"The engine {engine} cannot run this ensemble: {reason} Ask for engine='auto'.")
        together = chosen.open(job)
        return together, _with_remark(f"{engine}: {what}, as asked for.", together)
    chosen, why = _chosen(job)
    together = chosen.open(job)
    return together, _with_remark(f"{chosen.name}: {what}{why}", together)


def _chosen(job: Job) -> tuple[AbstractEngine, str]:
    """Return the engine, and the words on it and on the others."""
    candidates = [kind() for kind in plugins("kazami.engines", AbstractEngine) if kind.is_automatic]
    refusals = {candidate.name: candidate.refusal(job) for candidate in candidates}
    able = {candidate.name: candidate.seconds(job) for candidate in candidates if refusals[candidate.name] is None}
    said = [f"Not {name}: {reason}" for name, reason in refusals.items() if reason is not None and name != REFERENCE]
    for candidate in sorted((each for each in candidates if each.name in able), key=lambda each: able[each.name]):
        is_trusted = candidate.name == REFERENCE or candidate.checks_itself
        difference = None if is_trusted else disagreement(candidate, job)
        if difference is None:
            checked = "" if is_trusted else f", checked against the plain loop ({STEPS} steps of 2 members in float64)"
            slower = [f"{name} {_span(seconds)}" for name, seconds in able.items() if name != candidate.name]
            estimate = f"; about {_span(able[candidate.name])} for {job.steps} steps" + (f", estimated for others: {', '.join(slower)}" if slower else "")
            return candidate, f"{checked}{estimate}.{''.join(' ' + words for words in said)}"
        said.append(f"Not {candidate.name}: {difference}")
    raise UsageError(f"No engine can run this ensemble: {' '.join(said)}")


def disagreement(engine: AbstractEngine, job: Job) -> str | None:
    """Return how the engine differs from the plain loop in a few steps of two members in float64; ``None`` if it does not, beyond its own tolerance."""
    members = (job.members[0], job.members[-1])
    runs = []
    for each in (engine, engine_named(REFERENCE)):
        small = replace(job, members=members, dtype=torch.float64, steps=STEPS, n_tangents=0, known={})
        together = each.open(small)
        losses = together.advance(STEPS)
        runs.append((losses, together.states, together.buffers if isinstance(together, AbstractRemembering) else {}))
        together.close()
    (losses, states, buffers), (expected, right, kept) = runs
    pairs = [(losses, expected), (states, right), *((value, kept[name]) for name, value in buffers.items() if name in kept)]
    worst = max(_relative(found, wanted) for found, wanted in pairs)
    return None if worst <= engine.tolerance else f"in {STEPS} steps of 2 members it differs from the plain loop by {worst:.1e} of the largest value."


def engine_named(name: str) -> AbstractEngine:
    """Return the engine called ``name``, made with what follows the colon, if anything does.

    Raises:
        UnknownName: There is none.
        UsageError: It takes no such option.
    """
    known = {kind.name: kind for kind in plugins("kazami.engines", AbstractEngine)}
    word, _, option = name.partition(":")
    if word not in known:
        raise unknown_name("engine", word, known)
    if option and known[word].is_automatic:
        raise UsageError(f'The engine {word} takes no option, but it was asked for as "{name}".')
    kind: type = known[word]
    made: AbstractEngine = kind(option) if option else kind()
    return made


def _with_remark(said: str, together: AbstractEnsemble) -> str:
    remark = together.remark if isinstance(together, AbstractRemembering) else ""
    return f"{said} {remark}".strip()


def _relative(found: torch.Tensor, wanted: torch.Tensor) -> float:
    known = torch.isfinite(wanted)
    if not torch.equal(known, torch.isfinite(found)):
        return float("inf")
    if not bool(known.any()):
        return 0.0
    size = max(float(wanted[known].double().abs().max()), torch.finfo(torch.float64).tiny)
    return float((found[known].double() - wanted[known].double()).abs().max()) / size


def _span(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms" if seconds < 1.0 else f"{seconds:.1f} s" if seconds < 100.0 else f"{seconds / 60.0:.0f} min"
