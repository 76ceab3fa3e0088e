"""The sentences of a map's regime, in both languages."""

from typing import Any

from ..records import Evidence, Regime, RegimeLabel
from ..records.finding import Sentence

_PLAIN: dict[RegimeLabel, tuple[str, str]] = {
    "convergent": ("It settles: its steps grow smaller and smaller.", "歩みは小さくなり続け、静止状態に近づいています。"),
    "periodic": ("It returns to the same state every {period:g} steps.", "{period:g} ステップごとに同じ状態に戻ります（周期的）。"),
    "quasi_periodic": (
        "It turns forever without quite returning and without parting neighbours (exponent {exponent:.2g}): quasi-periodic.",
        "厳密には戻らず、近い状態も離れずに回り続けます（指数 {exponent:.2g}）：準周期的。",
    ),
    "intermittent": (
        (
            "Laminar phases of {mean_laminar_length:.3g} steps on average ({laminar_share:.0%} of the time), in which differences hardly grow, "
            "alternate with bursts."
        ),
        "差がほとんど成長しない平均 {mean_laminar_length:.3g} ステップの層流相（全体の {laminar_share:.0%}）とバーストが交互に現れます（間欠性）。",
    ),
    "transient_chaos": (
        "It was chaotic for about {steps} steps (exponent {rate:.2g} per step) and then settled ({then}).",
        "約 {steps} ステップの間カオス的で（指数 {rate:.2g}／ステップ）、その後落ち着きました（{then}）。",
    ),
    "chaos": (
        "Bounded, irregular, and neighbouring states part by a factor e every {horizon:.3g} steps: chaos.",
        "有界かつ不規則で、近い状態は {horizon:.3g} ステップごとに e 倍離れます（カオス）。",
    ),
    "divergent": ("It runs away.", "発散しています。"),
    "edge_of_stability": (
        "The sharpness stays at {ratio:.2f} of the optimizer's stability threshold while the training goes on: the edge of stability.",
        "訓練が進む間、鋭さは最適化法の安定限界の {ratio:.2f} 倍に留まっています（安定性の端）。",
    ),
    "dead": ("Nothing moves: no parameter changed in any step.", "どのステップでもパラメータがまったく動いていません。"),
    "unsure": (
        "It neither returns nor leaves, and the signs for chaos and against it contradict one another. Follow more steps.",
        "戻りも離れもせず、カオスかどうかの手がかりが矛盾しています。ステップ数を増やしてください。",
    ),
}
_THEN_JA = {"periodic": "周期的", "convergent": "収束", "edge_of_stability": "安定性の端", "quasi_periodic": "準周期的"}


def made(label: RegimeLabel, parameters: dict[str, Any], evidence: tuple[Evidence, ...], confidence: float) -> Regime:
    """Return a regime with its sentence."""
    return Regime(label, sentence(label, parameters), evidence, parameters, confidence)


def sentence(label: RegimeLabel, parameters: dict[str, Any]) -> Sentence:
    """Return the sentence of a label with its numbers."""
    if label == "unsure" and "needs" in parameters:
        return Sentence(
            f"{parameters['has']} steps were asked for; at least {parameters['needs']} are needed to name a regime.",
            f"{parameters['has']} ステップでは足りません。判定には少なくとも {parameters['needs']} ステップ必要です。",
        )
    if label == "divergent" and "step" in parameters:
        return Sentence(f"The state is not finite after step {parameters['step']}.", f"ステップ {parameters['step']} の後、状態は有限ではありません。")
    if label == "convergent" and parameters.get("driven"):
        return Sentence(
            "It is moved by batches that never repeat and by nothing else: differences do not grow in this frozen order, so its restlessness is no chaos.",
            "繰り返さないバッチに動かされているだけです。固定した順のもとで差は成長せず、この揺れはカオスではありません。",
        )
    if label == "convergent" and parameters.get("restless"):
        said = Sentence(
            "It is still on its way down, restlessly; differences do not grow, so it is no chaos.",
            "揺れながらもまだ下り続けています。差は成長せず、カオスではありません。",
        )
        return _with_batches(said, parameters)
    if label == "convergent" and parameters.get("still_moving"):
        return Sentence("It is still on its way down, without oscillation; it has not come to rest.", "振動せずに下り続けています。まだ静止していません。")
    if label == "convergent" and parameters.get("has_arrived"):
        return _with_batches(Sentence("It has come to rest.", "静止しています。"), parameters)
    en, ja = _PLAIN[label]
    then_en = str(parameters.get("then", "")).replace("_", " ")
    said = Sentence(en.format(**{**parameters, "then": then_en}), ja.format(**{**parameters, "then": _THEN_JA.get(str(parameters.get("then", "")), "")}))
    return _with_batches(said, parameters)


def _with_batches(said: Sentence, parameters: dict[str, Any]) -> Sentence:
    """Say what the batches have to do with it."""
    if "batches" in parameters:
        en, ja = f"Seen once every pass over its {parameters['batches']} batches.", f"{parameters['batches']} バッチの一巡ごとに見た状態です。"
    elif parameters.get("frozen_batches"):
        en, ja = "This holds for one frozen order of the batches: it is no noise.", "バッチの順を固定したうえでの結果であり、雑音ではありません。"
    else:
        return said
    return Sentence(f"{said.en} {en}", f"{said.ja}{ja}")
