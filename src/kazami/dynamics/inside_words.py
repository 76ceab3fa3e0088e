"""What moves inside a training and what does not, in both languages."""

from typing import Any

import numpy as np

from ..records import Evidence, Regime
from ..records.finding import Sentence
from ..reports.numerals import short
from .inside import CUT, FLAT, Inside

STILL = 0.01  # of the most moved tensor's step: a tensor that moves less stands still beside it
MOSTLY = 0.2  # share of looks with a dead network that is worth a sentence


def dead_inside(inside: Inside, motion: Regime, since: int) -> Regime:
    """Return that the network is dead since a step, with what its output layer still does.

    Args:
        inside: The looks.
        motion: The regime of the orbit alone.
        since: The first step of the looks that found it dead.
    """
    last = inside.looks[-1]
    shares = inside.flat_shares()[-1]
    place = int(np.argmax(shares))
    units = last.layers[place].spread.size
    parameters: dict[str, Any] = {
        "since": since,
        "awake_share": 1.0 - float(np.mean([is_dead for look, is_dead in zip(inside.looks, inside.is_dead(), strict=True) if look.step >= since])),
        "layer": last.layers[place].name,
        "flat_share": float(shares[place]),
        **_movement(inside, since),
        "motion": motion.label,
        **{f"motion_{name}": value for name, value in motion.parameters.items()},
    }
    gain = inside.gain() if place == len(shares) - 1 else None
    parameters |= {} if gain is None else {"gain": gain}
    widest = max(look.output_spread for look in inside.looks)
    spread = last.output_spread / widest if widest else 0.0
    source = "docs/regimes.md"
    evidence = (
        Evidence("share of units that say the same for every example", float(shares[place]), CUT, "", source, "どの例でも同じ値のユニットの割合"),
        Evidence("spread of the output over the examples over its widest", spread, FLAT, "", source, "例にわたる出力の広がりの比"),
        *motion.evidence,
    )
    return Regime("dead", _dead_sentence(parameters, units, motion), evidence, parameters, min(0.95, motion.confidence + 0.2))


def with_movement(inside: Inside, found: Regime, dead_share: float) -> Regime:
    """Return ``found`` with what moves and what does not, and a sentence more where the network was dead for part of the time."""
    if not inside.looks:
        return found
    begin = inside.looks[len(inside.looks) // 3].step
    parameters = {**found.parameters, **_movement(inside, begin)}
    if dead_share < MOSTLY:
        return Regime(found.label, found.sentence, found.evidence, parameters, found.confidence)
    parameters["dead_share"] = dead_share
    en = f"For {dead_share:.0%} of this time a hidden layer passed nothing on, and the output was the same for every example: no learning then."
    ja = f"このうち {dead_share:.0%} の間は隠れ層が何も伝えず、出力はどの例でも同じでした。その間は学習していません。"
    said = Sentence(f"{found.sentence.en} {en}", f"{found.sentence.ja}{ja}")
    return Regime(found.label, said, found.evidence, parameters, found.confidence)


def _movement(inside: Inside, since: int) -> dict[str, Any]:
    moved = inside.movement(since)
    most = max(moved.values(), default=0.0)
    return {
        "movement": moved,
        "moves": [name for name, size in moved.items() if size > STILL * most],
        "rests": [name for name, size in moved.items() if not size > STILL * most],
    }


def _dead_sentence(parameters: dict[str, Any], units: int, motion: Regime) -> Sentence:
    moves, rests = ", ".join(parameters["moves"]), ", ".join(parameters["rests"])
    en = (
        f"The network is dead since step {parameters['since']} at the latest: at the end all {units} units behind {parameters['layer']} "
        "say the same for every example, and the output no longer depends on the input."
    )
    ja = (
        f"遅くともステップ {parameters['since']} 以降、ネットワークは死んでいます。"
        f"{parameters['layer']} の後の {units} ユニットはどの例でも同じ値を返し、出力は入力に依存しません。"
    )
    if parameters["awake_share"] > 0.0:
        en += f" In {parameters['awake_share']:.0%} of the looks since then a unit was awake for a while."
        ja += f"その後の観察の {parameters['awake_share']:.0%} では一時的にユニットが目覚めていました。"
    if moves and motion.label != "convergent":
        what, what_ja = _motions(motion)
        en += f" {'Only ' if rests else ''}{moves} still move, {what}" + (f" ({rests} stand still beside that)" if rests else "") + "; that is no learning."
        ja += f"動いているのは {moves} だけで{what_ja}、" + (f"{rests} はそれに比べて止まっています。" if rests else "") + "これは学習ではありません。"
    else:
        en += " What is left of its movement dies away."
        ja += "残った動きも消えていきます。"
    if "gain" in parameters and motion.label != "convergent":
        gain = short(parameters["gain"])
        en += f" What is left is gradient descent on one output z for all examples, with the gain {gain} = learning rate × (1 + Σh²) for a learning rate."
        ja += f"残っているのは全例に共通の出力 z の勾配降下法で、学習率の代わりに利得 {gain} = 学習率 ×（1 + Σh²）で進みます。"
    return Sentence(en, ja)


def _motions(motion: Regime) -> tuple[str, str]:
    if motion.label == "periodic":
        period = motion.parameters["period"]
        return f"with period {period:g}", f"（周期 {period:g}）"
    return {
        "chaos": ("chaotically", "（カオス的）"),
        "intermittent": ("intermittently", "（間欠的）"),
        "quasi_periodic": ("quasi-periodically", "（準周期的）"),
        "transient_chaos": ("after a chaotic transient", "（過渡カオスの後）"),
    }.get(motion.label, ("without coming to rest", "（静止せず）"))
