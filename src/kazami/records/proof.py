"""Proof: what was tried against a training's illness, what helped, and how that was shown."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from .finding import Finding, Prescription, Sentence
from .shown import as_html, mimebundle


@dataclass(frozen=True, slots=True)
class Tried:
    """One candidate: one or more changes, and what became of the training with them.

    Attributes:
        changes: The changes, by the name of their cure with their parameters.
        steps: Optimizer steps that the training was given.
        score: Its score after these steps, higher is better; ``None`` where it failed (an error, numbers that are not finite).
        gain: Score minus that of the unchanged training after as many steps from the same seed on the same batches; ``None`` where it failed.
        why: What became of it, one sentence.
        helped: Whether the gain counts.
    """

    changes: tuple[Prescription, ...]
    steps: int
    score: float | None
    gain: float | None
    why: Sentence
    helped: bool = False

    @property
    def name(self) -> str:
        """The names of its changes, joined."""
        return " + ".join(change.name for change in self.changes)


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One seed of a proof.

    Attributes:
        seed: The seed.
        before: Score of the unchanged training, ``None`` where it failed.
        after: Score of the changed one, likewise.
    """

    seed: int
    before: float | None
    after: float | None

    @property
    def gain(self) -> float | None:
        """What the change is worth with this seed, ``None`` where one of the two failed."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    r"""What ``cure`` found.

    A cure is proved when, with at least three seeds :math:`s`, the changed training does better with every seed than the unchanged one with any of them (the
    placebo), :math:`\min_s a_s > \max_s b_s`, which has a probability of 1/20 where the change changes nothing, and the diagnosis no longer finds the cause.

    Attributes:
        verdict: One sentence.
        cured: Whether a cure was found and proved.
        nothing_to_cure: Whether the training was well as it is.
        changes: The changes that are needed, in the order they are carried out.
        table: One row per seed.
        placebo: Scores of the unchanged training with other seeds.
        measure: What the scores are: ``"evaluate"``, ``"accuracy"``, ``"r2"`` or ``"-loss"``; of a script ``"explained"`` or ``"-validation loss"``.
        tried: All candidates in the order they were tried, the accepted one too.
        findings: What the diagnosis says of the unchanged training; the primary one is the cause that the trials confirm.
        not_the_cause: Causes that fitted and were excluded, each with the trial that shows it.
        losses_before: Loss curves of the unchanged training, one per seed.
        losses_after: Loss curves of the changed one.
        seconds: How long all trials took.
        on: What was trained in the trials: ``"training"``: a ``kazami.Training``; ``"script"``: the user's script itself, replayed with the change written
            into it; ``"harvest"``: a training made of what the script's first steps gave.
        cause: What the trials say about the cause, one sentence; ``None`` where nothing helped.
        training: The changed training, a ``kazami.Training``, ``None`` for a script; not part of :meth:`to_dict`, nor are the next two.
        trace_before: What was seen of the unchanged training, a `Trace`.
        trace_after: What was seen of the changed one.
    """

    verdict: Sentence
    cured: bool
    nothing_to_cure: bool = False
    changes: tuple[Prescription, ...] = ()
    table: tuple[ProofRow, ...] = ()
    placebo: tuple[float, ...] = ()
    measure: str = ""
    tried: tuple[Tried, ...] = ()
    findings: tuple[Finding, ...] = ()
    not_the_cause: tuple[Sentence, ...] = ()
    losses_before: tuple[tuple[float, ...], ...] = ()
    losses_after: tuple[tuple[float, ...], ...] = ()
    seconds: float = 0.0
    on: str = "training"
    cause: Sentence | None = None
    training: Any = field(default=None, compare=False)
    trace_before: Any = field(default=None, compare=False, repr=False)
    trace_after: Any = field(default=None, compare=False, repr=False)

    _repr_html_ = as_html
    _repr_mimebundle_ = mimebundle

    @property
    def rejected(self) -> tuple[Tried, ...]:
        """The candidates that did not make it."""
        return tuple(one for one in self.tried if not one.helped)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as printed by ``--json`` under ``"proof"``."""
        names = ("cured", "nothing_to_cure", "placebo", "measure", "losses_before", "losses_after", "seconds", "on")
        return {
            "verdict": asdict(self.verdict),
            "cause": asdict(self.cause) if self.cause is not None else None,
            **{name: getattr(self, name) for name in names},
            "changes": [asdict(change) for change in self.changes],
            "table": [{"seed": row.seed, "before": row.before, "after": row.after, "gain": row.gain} for row in self.table],
            "tried": [{**asdict(one), "name": one.name} for one in self.tried],
            "findings": [finding.to_dict() for finding in self.findings],
            "not_the_cause": [asdict(sentence) for sentence in self.not_the_cause],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Proof":
        """Return the proof that :meth:`to_dict` described, without its trainings and traces; unknown fields of later versions are left out."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        known["verdict"] = Sentence(**known["verdict"])
        known["cause"] = Sentence(**known["cause"]) if known.get("cause") else None
        known["changes"] = _prescriptions(known.get("changes", ()))
        known["table"] = tuple(ProofRow(row["seed"], row["before"], row["after"]) for row in known.get("table", ()))
        known["tried"] = tuple(_tried(item) for item in known.get("tried", ()))
        known["findings"] = tuple(Finding.from_dict(item) for item in known.get("findings", ()))
        known["not_the_cause"] = tuple(Sentence(**item) for item in known.get("not_the_cause", ()))
        known["placebo"] = tuple(known.get("placebo", ()))
        for name in ("losses_before", "losses_after"):
            known[name] = tuple(tuple(_number(loss) for loss in losses) for losses in known.get(name, ()))
        return cls(**known)


def _tried(item: dict[str, Any]) -> Tried:
    known = {key: value for key, value in item.items() if key in Tried.__dataclass_fields__}
    return Tried(**{**known, "changes": _prescriptions(item.get("changes", ())), "why": Sentence(**item["why"])})


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _prescriptions(items: Iterable[dict[str, Any]]) -> tuple[Prescription, ...]:
    return tuple(Prescription(**{**item, "sentence": Sentence(**item["sentence"])}) for item in items)
