"""All rules on one trace: the gate, the findings, their causal order, and what is not the cause."""

from dataclasses import replace
from functools import cache

import numpy as np

from ..records.finding import Finding, Sentence
from ..records.trace import Trace
from ..registry import plugins
from ._base import AbstractRule
from ._progress import assess

SEVERITY_ORDER = {"error": 0, "warning": 0, "info": 1}
JUDGED = 5  # steps: below this the gate cannot judge progress
CLEAR = 0.85
SURE = 0.95
SYMPTOMS = 80  # findings of this rank and later say what a training does, and not why
STEPS = frozenset({"lr_too_high", "lr_too_low", "oscillating_loss"})
# What a sure primary finding explains, by its name or else by its family.
EXPLAINS = {
    "structure": STEPS | {"slow_convergence"},
    "symmetric_units": STEPS | {"bad_init_scale", "vanishing_gradient", "dead_units"},
    "initialisation": STEPS,
    "dead_units": STEPS | {"vanishing_gradient"},
    "over_regularised": STEPS | {"vanishing_gradient", "dead_units"},  # weights that were shrunk
    "trivial_solution": STEPS | {"vanishing_gradient", "dead_units"},  # as a cause: inputs that never arrive
    "over_decay": STEPS,
    "dead_schedule": STEPS,
    "fp16_underflow": STEPS | {"vanishing_gradient"},
    "fp16_overflow": STEPS,
    "growing_targets": STEPS | {"target_scaling", "frozen_parameters"},  # a network that makes targets is frozen on purpose
    "loss_term_imbalance": STEPS,
    "player_rotation": STEPS,
    "saturated_but_moving": frozenset({"oscillating_loss", "lr_too_low"}),
    "nan_inf": STEPS | {"dead_units", "vanishing_gradient"},
    "loss_spike": STEPS | {"exploding_gradient", "saturated", "dead_units"},
    "input_scaling": STEPS | {"slow_convergence", "vanishing_gradient"},  # curvature grows with the square of the inputs, and units saturate
    "target_scaling": STEPS,  # gradients grow with the way to the targets
    "slow_convergence": STEPS,
    "exploding_gradient": frozenset({"loss_spike"}),
    "lr_too_high": frozenset({"loss_spike"}),
}
EXACT = frozenset({"loss_spike", "symmetric_units", "player_rotation"})  # however sure the other is: it was measured in what these left behind
DOUBT = 40.0  # a finding that is 0.25 less sure may be explained by one that stands ten ranks later


@cache
def all_rules() -> tuple[AbstractRule, ...]:
    """Return one instance of every rule, in causal order."""
    rules = tuple(kind() for kind in plugins("kazami.diagnosis", AbstractRule))
    return tuple(sorted(rules, key=lambda rule: rule.rank))


def examine(trace: Trace) -> list[Finding]:
    """Return the findings of a trace, the primary cause first.

    Every rule sees the same trace with its progress filled in. Findings are ordered by their place in the causal order, moved back by doubt; the first that
    is no mere remark is primary and carries the list of what was looked at and excluded.
    """
    with np.errstate(all="ignore"):  # a training in a storm holds numbers of any size
        trace = trace.replaced(progress=assess(trace))
        found = _too_early(trace) if 0 < trace.step < JUDGED and not trace.progress_is_poor else _all(trace)
        if any(finding.severity != "info" and finding.name != "no_progress" for finding in found):
            found = [finding for finding in found if finding.name != "no_progress"]  # a cause is known
            found = [behind_a_cause(finding, found) for finding in found]
        found.sort(key=_place)
        if not found or found[0].severity == "info":
            return found
        found = [found[0], *sorted((as_consequence(found[0], finding) for finding in found[1:]), key=_place)]
        others = tuple(finding.name for finding in found[1:] if finding.severity != "info")
        excluded = not_the_cause(trace, {finding.name for finding in found})
        return [found[0].replaced(is_primary=True, not_the_cause=excluded, related=others), *found[1:]]


def _place(finding: Finding) -> tuple[int, float]:
    return SEVERITY_ORDER[finding.severity], finding.rank + DOUBT * (1 - finding.confidence)


def behind_a_cause(finding: Finding, found: list[Finding]) -> Finding:
    """Return what a network does as a mere remark where another finding tells why."""
    is_explained = finding.rank >= SYMPTOMS and any(other.severity != "info" and other.rank < SYMPTOMS for other in found)
    return finding.replaced(severity="info") if is_explained else finding


def as_consequence(primary: Finding, other: Finding) -> Finding:
    """Return ``other`` as a mere remark where a sure primary finding explains it (a learning rate cannot be judged behind a wrong loss or a bad start)."""
    if primary.name == "dead_units" and primary.rank >= other.rank:
        return other  # units that died on the way explain nothing
    explained = other.name in EXPLAINS.get(primary.name, EXPLAINS.get(primary.family, frozenset()))
    sure = 1.0 if primary.name in EXACT else SURE
    return other.replaced(severity="info") if explained and primary.confidence >= CLEAR and other.confidence < sure else other


def _all(trace: Trace) -> list[Finding]:
    return [finding for rule in all_rules() if (finding := rule.examine(trace)) is not None]


def _too_early(trace: Trace) -> list[Finding]:
    """Return what can be said before progress can be judged: exact facts as they are, and what would be a fault if progress were poor as a warning only
    where it is clear, else a remark.
    """
    exact = _all(trace)
    known = {finding.name for finding in exact}
    suspect = trace.replaced(progress=None if trace.progress is None else replace(trace.progress, is_poor=True))
    rest = [finding for finding in _all(suspect) if finding.name not in known]
    return exact + [finding if finding.confidence >= CLEAR else finding.replaced(severity="info") for finding in rest]


def not_the_cause(trace: Trace, fired: set[str]) -> tuple[Sentence, ...]:
    """Return, for the rules that did not fire, what their numbers exclude."""
    reasons = [(rule.name, rule.exonerate(trace)) for rule in all_rules() if rule.name not in fired]
    return tuple(reason for _, reason in reasons if reason is not None)
