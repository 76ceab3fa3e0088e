"""The cause by intervention: of all changes that were tried, the one that helps names it, and those that do not help say what it is not."""

from collections.abc import Callable, Sequence

from ..records import Finding, Prescription, Sentence, Tried
from .candidates import LOWERS, RAISES

Helps = Callable[[Tried], bool]
MOST_NAMED = 4


def named_by_trials(findings: Sequence[Finding], tried: Sequence[Tried], changes: Sequence[Prescription], helps: Helps) -> tuple[list[Finding], Sentence]:
    """Return the findings with the cause in front, as the trials show it, and the sentence that says so.

    Args:
        findings: What the diagnosis says, most important first.
        tried: All candidates with what became of them.
        changes: Those that were proved.
        helps: Whether a candidate brings about as much as the proved change.
    """
    accepted = {change.name for change in changes}
    cause = next((finding for finding in findings if accepted & _treatments(finding)), None)
    others = [finding for finding in findings if not accepted & _treatments(finding)]
    excluded = [sentence for finding in others if (sentence := _excluded(finding, tried, helps)) is not None]
    excluded += _not_the_rate(tried, accepted, helps)
    told = _told(tried, changes, helps)
    if cause is None:
        return [finding.replaced(not_the_cause=(*finding.not_the_cause, *excluded)) for finding in findings], told
    proved = cause.replaced(is_primary=True, confidence=0.99, not_the_cause=(*cause.not_the_cause, *excluded))
    behind = [finding.replaced(is_primary=False) for finding in findings if finding is not cause]
    return [proved, *behind], told


def _treatments(finding: Finding) -> set[str]:
    return {prescription.name for prescription in finding.prescriptions}


def _told(tried: Sequence[Tried], changes: Sequence[Prescription], helps: Helps) -> Sentence:
    name = " + ".join(change.name for change in changes)
    done = [one for one in tried if one.steps]
    also = list(dict.fromkeys(one.name for one in done if helps(one) and one.name != name))
    n = len(done)
    if n == 1:
        return Sentence(f"Tried {name}, and it helped.", f"{name} を試し、効果がありました。")
    if not also:
        return Sentence(f"Tried {n} changes; only {name} helped.", f"{n} 通りの変更を試し、効果があったのは {name} だけでした。")
    others = ", ".join(also[:MOST_NAMED]) + (" …" if len(also) > MOST_NAMED else "")
    return Sentence(
        f"Tried {n} changes; {name} is the least that helped (so did {others}).",
        f"{n} 通りの変更を試し、最小の変更は {name} でした（ほかに効果があったもの：{others}）。",
    )


def _excluded(finding: Finding, tried: Sequence[Tried], helps: Helps) -> Sentence | None:
    """Return why a finding is not the cause: its own cures were tried alone, and none helped; ``None`` where that was not tried or one did."""
    if finding.severity == "info" or finding.family == "symptom":  # that a symptom cannot be treated alone says nothing about the cause
        return None
    own = [one for one in tried if one.steps and len(one.changes) == 1 and one.changes[0].name in _treatments(finding)]
    if not own or any(helps(one) for one in own):
        return None
    best = max(own, key=lambda one: float("-inf") if one.score is None else one.score)
    return Sentence(f"not {finding.name}: with {best.name} alone {_what(best).en}", f"{finding.name} ではありません：{best.name} だけでは{_what(best).ja}")


def _not_the_rate(tried: Sequence[Tried], accepted: set[str], helps: Helps) -> list[Sentence]:
    own = [one for one in tried if one.steps and len(one.changes) == 1 and one.changes[0].name in (LOWERS, RAISES)]
    if not own or accepted & {LOWERS, RAISES} or any(helps(one) for one in own):
        return []
    rates = ", ".join(sorted({f"{one.changes[0].parameters['learning_rate']:g}" for one in own}, key=float)[:MOST_NAMED])
    best = max(own, key=lambda one: float("-inf") if one.score is None else one.score)
    return [Sentence(f"not the learning rate: with {rates} {_what(best).en}", f"学習率ではありません：{rates} では{_what(best).ja}")]


def _what(one: Tried) -> Sentence:
    if one.score is None:
        return Sentence("it does not train", "学習できません")
    if one.gain is None:
        return Sentence(f"the score is {one.score:.3g}", f"スコアは {one.score:.3g} です")
    return Sentence(f"the score changes by {one.gain:+.2g} only", f"スコアの変化は {one.gain:+.2g} だけです")
