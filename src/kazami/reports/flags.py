"""What stands on the rail of events: findings, jumps of the learning rate, the end."""

from collections.abc import Sequence

import numpy as np

from ..records.finding import Finding, Sentence
from ..records.run_info import RunInfo
from ..records.trace import Trace
from .numerals import short
from .view_data import EventFlag

MOST_JUMPS = 12
JUMP = 1.5  # a learning rate that changes by this factor between two records jumps; a smooth schedule does not


def flags_of(info: RunInfo, trace: Trace, findings: Sequence[Finding], more: Sequence[EventFlag] = ()) -> list[EventFlag]:
    """Return the flags of a run in the order of their steps.

    Args:
        info: Head of the run.
        trace: What was seen.
        findings: In any order.
        more: Flags from elsewhere.
    """
    flags = [*_findings(findings), *_jumps(trace), *more]
    if info.ended:
        reason = info.reason or "ended"
        flags.append(EventFlag("end", max(trace.step, info.steps), Sentence(f"End: {reason}", f"終了：{reason}")))
    return sorted(flags, key=lambda flag: flag.step)


def _findings(findings: Sequence[Finding]) -> list[EventFlag]:
    return [EventFlag("finding", finding.step, finding.sentence, finding.severity) for finding in findings]


def _jumps(trace: Trace) -> list[EventFlag]:
    series = trace["learning_rate"]
    values, steps = series.values, series.steps
    if values.ndim != 1 or len(values) < 2:
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(np.log(values[1:] / values[:-1]))
    places = np.flatnonzero(ratio > np.log(JUMP)) + 1
    if len(places) > MOST_JUMPS:  # it oscillates: flags would hide the picture
        return []
    said = [(int(steps[at]), f"{short(float(values[at - 1]))} → {short(float(values[at]))}") for at in places]
    return [EventFlag("learning_rate", step, Sentence(f"Learning rate {text}", f"学習率 {text}")) for step, text in said]
