"""Numbers that are not finite, with the first tensor named."""

from typing import Any, ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both
from ._storms import AFTER_A_STEP, AFTER_STORM, grew_before, is_after_storm, was_rewritten
from ._storms import RISE as RISE

DATA = ("batch", "target")
_GRADIENT = "the gradient of "


class NanInf(AbstractRule):
    """Fires at the first non-finite number and names it: batch, target, operation after a layer, gradient with the operation whose derivative is infinite,
    update, weight.

    Read from the live graph of that very step. If loss, gradient or update had grown tenfold over the steps before, the number overflowed at the end of a
    storm, and the storm's cause ranks first; so it does, if gradients explode, behind a single step that moved the weights by more than twice their size.
    """

    id: ClassVar = "KZ103"
    name: ClassVar = "nan_inf"
    title: ClassVar = both("non-finite numbers", "有限でない数（NaN・Inf）")
    family: ClassVar = "symptom"
    rank: ClassVar = 3
    wind: ClassVar = 3.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if anything turned non-finite."""
        bad = first_event(trace)
        losses = trace["loss"]
        lost = losses.steps[~np.isfinite(losses.values)]
        if bad is None and lost.size == 0:
            return None
        if bad is None:
            bad = {"source": "unknown", "place": "the loss", "operation": "", "step": int(lost[0])}
        after_storm = is_after_storm(trace, bad) if bad["source"] == "gradient" else bad["source"] not in DATA and grew_before(trace, int(bad["step"]))
        is_own = bad["source"] in DATA or (bad["source"] == "gradient" and bad.get("operation"))
        after_a_step = not is_own and was_rewritten(trace, int(bad["step"]))
        return self.finding(
            confidence=0.95,
            severity="error",
            step=int(bad["step"]),
            place=str(bad["place"]),
            place_ja=_in_japanese(str(bad["place"])),
            rank=AFTER_STORM if after_storm else AFTER_A_STEP if after_a_step else None,
            evidence=[
                Evidence(
                    "first non-finite number at step",
                    float(bad["step"]),
                    None,
                    "",
                    "live graph of that step",
                    name_ja="最初に有限でなくなったステップ",
                    source_ja="そのステップの計算グラフ",
                )
            ],
            sentence=_sentence(bad),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that all numbers are finite."""
        if not trace.has("loss") or not bool(np.isfinite(trace["loss"].values).all()):
            return None
        return both("data and numbers: all finite", "データと数値: すべて有限")


def first_event(trace: Trace) -> dict[str, Any] | None:
    """Return the earliest non-finite event: gradients come before the weights they spoil, and those before the next loss."""
    events = []
    gradient, update, loss = trace.facts.get("bad_gradient"), trace.facts.get("bad_update"), trace.facts.get("first_bad")
    if loss:
        events.append((loss["step"], 0, dict(loss)))
    if gradient:
        singular = gradient.get("singular") or {}
        place = f"{_GRADIENT}{gradient['place']}" + (f" ({singular['place']})" if singular else "")
        events.append((gradient["step"], 1, {"source": "gradient", "place": place, "operation": singular.get("operation", ""), "step": gradient["step"]}))
    if update:
        events.append((update["step"], 2, {"source": "update", "place": update["place"], "operation": "", "step": update["step"]}))
    return min(events, key=lambda event: event[:2])[2] if events else None


def _in_japanese(place: str) -> str:
    """Return a place with the few words that are not names in Japanese."""
    owner, _, rest = place.removeprefix(_GRADIENT).partition(" (")
    if place.startswith(_GRADIENT):
        return f"{_in_japanese(owner)} の勾配" + (f"（{_in_japanese(rest.removesuffix(')'))}）" if rest else "")
    first, after, then = place.partition(" after ")
    return f"{then} の後の {first}" if after else "損失" if place == "the loss" else place


def _sentence(bad: dict[str, Any]) -> Sentence:
    place, operation, step = bad["place"], bad.get("operation", ""), bad["step"]
    source = bad["source"]
    if source == "batch":
        return both(f"The batch of step {step} holds a number that is not finite.", f"ステップ {step} のバッチに有限でない数が含まれています。")
    if source == "target":
        return both(f"The targets of step {step} hold a number that is not finite.", f"ステップ {step} の目標値に有限でない数が含まれています。")
    if source == "weight":
        return both(f"`{place}` holds a number that is not finite at step {step}.", f"ステップ {step} で `{place}` に有限でない数があります。")
    if source == "operation":
        return both(
            f"`{operation}` gave the first non-finite number at step {step}: {place}.",
            f"ステップ {step} で `{operation}` が最初の有限でない数を出しました：{_in_japanese(place)}。",
        )
    if source == "gradient":
        because = f" through `{operation}`, whose derivative is infinite there" if operation else ""
        ja = f"（導関数が無限大になる `{operation}` を通して）" if operation else ""
        return both(
            f"The loss is finite at step {step}, but its gradient is not{because}: {place}.",
            f"ステップ {step} で損失は有限ですが、勾配が有限ではありません{ja}：{_in_japanese(place)}。",
        )
    if source == "update":
        return both(f"The optimizer's update of `{place}` is not finite at step {step}.", f"ステップ {step} で `{place}` の更新量が有限ではありません。")
    return both(f"The loss is not finite from step {step} on.", f"ステップ {step} から損失が有限ではありません。")
