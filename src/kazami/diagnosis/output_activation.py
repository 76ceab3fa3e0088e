"""An output activation that the loss cannot work with."""

from typing import Any, ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, short

LEAST_OUTSIDE = 0.02


class OutputActivation(AbstractRule):
    """Fires when the output is squashed before a loss that wants logits, when ``nll_loss``, ``kl_div`` or ``ctc_loss`` is given something that is no
    log-probability (the first also one over another axis than the classes), or when targets lie outside the output's range, or outside 0 … 1 in a
    binary cross-entropy.

    The first three are exact facts of the live graph. The last compares the range of the last activation (sigmoid [0, 1], tanh [-1, 1], ReLU [0, ∞)) with
    the targets seen: at least 2 % of them must lie outside; below 10 % progress must be poor as well.
    """

    id: ClassVar = "KZ302"
    name: ClassVar = "output_activation"
    title: ClassVar = both("output activation against the loss", "出力の活性化関数と損失の組み合わせ")
    family: ClassVar = "structure"
    rank: ClassVar = 8
    wind: ClassVar = -1.0
    can_decide_at: ClassVar = 0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if output activation and loss do not fit."""
        squashed = trace.facts.get("activation_before_logits_loss") or trace.facts.get("softmax_before_log_softmax")
        if squashed:
            return self._squashed(squashed)
        turned = trace.facts.get("softmax_axis")
        if turned:
            return self._turned(turned)
        raw = trace.facts.get("nll_without_log")
        if raw:
            return self._no_log(raw)
        if beyond := trace.facts.get("targets_no_probabilities"):
            return self._outside(beyond)  # exact: such a loss has no lowest value
        bounded = trace.facts.get("output_range")
        if bounded and (bounded["outside"] >= 0.1 or (bounded["outside"] >= LEAST_OUTSIDE and trace.progress_is_poor)):
            return self._outside(bounded)
        return None

    def _squashed(self, fact: dict[str, Any]) -> Finding:
        activation, loss = fact["activation"], fact["loss"]
        return self.finding(
            confidence=0.95 if activation in ("softmax", "sigmoid") else 0.85,
            step=int(fact.get("step", 1)),
            place="the output of the model",
            place_ja="モデルの出力",
            severity="error",
            evidence=[
                Evidence(
                    "activations between the last layer and the loss",
                    1.0,
                    0.0,
                    source=f"{loss} expects logits",
                    name_ja="最終層と損失の間の活性化関数の数",
                    source_ja=f"{loss} はロジットを受け取る",
                )
            ],
            rank=7 if activation == "softmax" else None,
            sentence=both(
                f"{loss} expects unbounded logits, but the model's output passes through {activation} first.",
                f"{loss} は範囲に制限のないロジットを期待しますが、モデルの出力が先に {activation} を通っています。",
            ),
        )

    def _turned(self, fact: dict[str, Any]) -> Finding:
        axis, classes = int(fact["axis"]), int(fact["classes"])
        over = both("the samples of the batch", "バッチのサンプル") if axis == 0 else both("the positions", "位置")
        return self.finding(
            confidence=0.95,
            step=int(fact.get("step", 1)),
            place="the output of the model",
            place_ja="モデルの出力",
            severity="error",
            evidence=[Evidence("axis of the log-softmax", float(axis), float(classes), "", "nll_loss", "log-softmax の軸", "nll_loss")],
            sentence=both(
                f"The log-softmax runs over axis {axis}, {over.en}, and nll_loss reads axis {classes} as the classes: "
                "the probabilities of one sample do not add up to 1.",
                f"log-softmax が軸 {axis}（{over.ja}）で計算されていますが、nll_loss は軸 {classes} をクラスとして読みます。"
                "1 つのサンプルの確率の和が 1 になりません。",
            ),
        )

    def _no_log(self, fact: dict[str, Any]) -> Finding:
        activation, loss = fact["activation"], fact["loss"]
        return self.finding(
            confidence=0.93,
            step=int(fact.get("step", 1)),
            place="the output of the model",
            place_ja="モデルの出力",
            severity="error",
            evidence=[
                Evidence(
                    f"log-softmax before {loss}",
                    0.0,
                    1.0,
                    "",
                    f"{loss} expects log-probabilities",
                    name_ja=f"{loss} の前の log-softmax の数",
                    source_ja=f"{loss} は対数確率を受け取る",
                )
            ],
            sentence=both(
                f"{loss} expects log-probabilities, but is given {'raw outputs' if activation == 'identity' else 'the result of ' + activation}: "
                "the loss can fall without anything being learned.",
                f"{loss} は対数確率を期待しますが、{'生の出力' if activation == 'identity' else activation + ' の結果'}が渡されています。"
                "何も学ばずに損失だけが下がります。",
            ),
        )

    def _outside(self, fact: dict[str, Any]) -> Finding:
        low, high, share = fact["low"], fact["high"], fact["outside"]
        return self.finding(
            confidence=0.75 + 0.2 * min(share / 0.3, 1.0),
            step=int(fact.get("step", 1)),
            place=fact["layer"],
            evidence=[
                Evidence(
                    "share of targets outside the output's range",
                    share,
                    LEAST_OUTSIDE,
                    "",
                    f"range of {fact['activation']}",
                    name_ja="出力の範囲外にある目標値の割合",
                    source_ja=f"{fact['activation']} の値域",
                )
            ],
            sentence=both(
                f"{share:.0%} of the targets ({short(fact['target_low'])} … {short(fact['target_high'])}) lie "
                f"outside what {fact['activation']} can give ({short(low)} … {short(high)}).",
                f"目標値（{short(fact['target_low'])} … {short(fact['target_high'])}）の {share:.0%} が、"
                f"{fact['activation']} の出せる範囲（{short(low)} … {short(high)}）の外にあります。",
            ),
        )
