"""The sentences of the regimes, in both languages."""

from typing import Any

from ..records.finding import Sentence
from ..records.regime import RegimeLabel

_PLAIN: dict[RegimeLabel, tuple[str, str]] = {
    "convergent": ("The series settles at {value:.4g}.", "系列は {value:.4g} に収束しています。"),
    "dead": ("The series never moved: it is {value:.4g} at every step.", "系列はまったく動いていません（全ステップで {value:.4g}）。"),
    "periodic": ("The series repeats itself every {period:.4g} steps.", "系列は {period:.4g} ステップごとに同じ動きを繰り返します。"),
    "quasi_periodic": (
        "The series is quasi-periodic: it stays predictable and never quite repeats itself.",
        "系列は準周期的です。予測可能なままですが、厳密には繰り返しません。",
    ),
    "intermittent": (
        "Laminar phases of {mean_laminar_length:.3g} steps on average ({laminar_share:.0%} of the time) alternate with bursts.",
        "平均 {mean_laminar_length:.3g} ステップの層流相（全体の {laminar_share:.0%}）とバーストが交互に現れます（間欠性）。",
    ),
    "transient_chaos": (
        "The series was chaotic for about {steps} steps and then came to rest.",
        "系列は約 {steps} ステップの間カオス的に振る舞い、その後静まりました（過渡カオス）。",
    ),
    "chaos": (
        "The series follows a rule, and neighbouring states part exponentially: chaos.",
        "系列は決定論的な規則に従い、近い状態どうしが指数的に離れていきます（カオス）。",
    ),
    "noise": ("The series follows no rule that its own past shows: it reads as noise.", "系列の過去からは規則が読み取れません。雑音とみなされます。"),
    "divergent": ("The series runs away.", "系列は発散しています。"),
    "edge_of_stability": ("The training hovers at its stability threshold.", "訓練は安定性の限界に留まっています。"),
    "unsure": (
        "The signs contradict one another; a longer series, or the map itself, is needed to tell.",
        "判定の手がかりが互いに矛盾しています。より長い系列か、写像そのものが必要です。",
    ),
}


def sentence(label: RegimeLabel, parameters: dict[str, Any]) -> Sentence:
    """Return the sentence of a label with its numbers."""
    if label == "unsure" and "needs" in parameters:
        en = f"The series has {parameters['has']} steps; at least {parameters['needs']} are needed to name a regime. Record more steps."
        return Sentence(en, f"系列は {parameters['has']} ステップしかありません。判定には少なくとも {parameters['needs']} ステップ必要です。")
    if label == "divergent" and "step" in parameters:
        return Sentence(f"The series is not finite from step {parameters['step']} on.", f"系列はステップ {parameters['step']} 以降、有限ではありません。")
    if label == "transient_chaos" and "period" in parameters:
        en, ja = (
            "The series was chaotic for about {steps} steps and then settled into a cycle of {period:.4g} steps.",
            "系列は約 {steps} ステップの間カオス的に振る舞い、その後 {period:.4g} ステップの周期に落ち着きました（過渡カオス）。",
        )
        return Sentence(en.format(**parameters), ja.format(**parameters))
    en, ja = _PLAIN[label]
    return Sentence(en.format(**parameters), ja.format(**parameters))
