"""Numbers beyond 65504 in float16, and a gradient scaler that finds no scale at which there are none."""

from typing import Any, ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._storms import grew_before

LARGEST = 65504.0
SMALLEST_SCALE = 1.0  # at a scale below 1 the gradient itself, or the forward pass, is beyond float16
HALVINGS = 16  # from torch's first scale of 65536 down to 1
SINGULAR = frozenset({"log", "log1p", "log2", "log10", "div", "sqrt", "rsqrt", "reciprocal", "acos", "asin", "atan2"})
AT_THE_END_OF_A_STORM = 59


class Fp16Overflow(AbstractRule):
    """Fires when the first non-finite number was made in float16 by an operation that cannot fail otherwise, or when a gradient scaler leaves out step after
    step.

    A scaler begins high and halves its scale until nothing overflows, and tries a higher one now and then: those skipped steps are its normal work and no
    alarm. It fires only where the scale has fallen below 1, at which the unscaled numbers themselves overflow, or where not one step was ever taken in more
    updates than lead from its first scale to 1. If loss, gradient or update had grown tenfold before, the overflow is the end of a storm, and the storm's
    cause ranks first.

    References:
        Micikevicius et al. 2018, "Mixed precision training" (arXiv 1710.03740), section 3.2.
    """

    id: ClassVar = "KZ316"
    name: ClassVar = "fp16_overflow"
    title: ClassVar = both("numbers beyond the range of half precision", "半精度の範囲を超える数")
    family: ClassVar = "signal"
    rank: ClassVar = 2
    wind: ClassVar = 3.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if something overflows in float16."""
        return self._forward(trace) or self._backward(trace) or self._scaler(trace)

    def _forward(self, trace: Trace) -> Finding | None:
        bad = trace.facts.get("first_bad")
        if not bad or bad.get("format") != "float16" or bad["source"] != "operation" or bad["operation"] in SINGULAR:
            return None
        return self._found(
            trace,
            bad,
            str(bad["place"]),
            en=f"`{bad['operation']}` gave a number beyond 65504, where float16 ends, at step {bad['step']}: {bad['place']}.",
            ja=f"ステップ {bad['step']} で `{bad['operation']}` が float16 の上限 65504 を超えました: {bad['place']}",
        )

    def _backward(self, trace: Trace) -> Finding | None:
        bad, half = trace.facts.get("bad_gradient"), trace.facts.get("half_precision")
        if not bad or not half or half["format"] != "float16" or bad.get("singular") or trace.facts.get("first_bad", {}).get("step", np.inf) <= bad["step"]:
            return None
        name = str(bad["place"])
        if name.rpartition(".")[0] not in half["layers"] and name not in half["layers"]:
            return None
        return self._found(
            trace,
            bad,
            f"the gradient of {name}",
            en=f"The loss is finite at step {bad['step']}, but the gradient of `{name}`, which is computed in float16, is beyond 65504.",
            ja=f"ステップ {bad['step']} で損失は有限ですが、float16 で計算された `{name}` の勾配が 65504 を超えています。",
        )

    def _found(self, trace: Trace, bad: dict[str, Any], place: str, *, en: str, ja: str) -> Finding:
        step = int(bad["step"])
        return self.finding(
            confidence=0.93,
            severity="error",
            step=step,
            place=place,
            rank=AT_THE_END_OF_A_STORM if grew_before(trace, step) else None,
            evidence=[
                Evidence(
                    "first number beyond float16 at step",
                    float(step),
                    None,
                    "",
                    "live graph of that step",
                    "最初に float16 を超えたステップ",
                    "そのステップの計算グラフ",
                )
            ],
            sentence=both(en, ja),
        )

    def _scaler(self, trace: Trace) -> Finding | None:
        scaler = trace.facts.get("scaler")
        if not scaler or not _is_hopeless(trace, scaler):
            return None
        skipped, updates, scale = int(scaler["skipped"]), int(scaler["updates"]), float(scaler["scale"])
        return self.finding(
            confidence=0.9,
            severity="error",
            place="the gradient scaler",
            place_ja="勾配スケーラ",
            evidence=[
                Evidence(
                    "loss scale", scale, SMALLEST_SCALE, "", "below 1 the numbers themselves overflow", "損失スケール", "1 未満では数値そのものが桁あふれする"
                ),
                Evidence("steps left out", float(skipped), None, "steps", f"of {updates}", "飛ばされたステップ数", f"{updates} 回中"),
            ],
            sentence=both(
                f"The gradient scaler has left out {skipped} of {updates} steps and has fallen to a scale of {short(scale)}: "
                "the forward pass or the gradient overflows in float16 at any scale.",
                f"勾配スケーラーが {updates} 回中 {skipped} 回のステップを飛ばし、スケールは {short(scale)} まで下がりました。"
                "どのスケールでも float16 の範囲を超えています。",
            ),
        )


def _is_hopeless(trace: Trace, scaler: dict[str, Any]) -> bool:
    """Return whether a scaler cannot find a scale: none above 1 will do while nothing is learned, or not one step was taken in more updates than that takes."""
    if trace.step == 0:
        return bool(scaler["skipped"] > HALVINGS)
    return bool(scaler["scale"] < SMALLEST_SCALE and scaler["skipped"] > HALVINGS and trace.progress_is_poor)
