"""What a proof says in sentences: above its table, above its curves, and about the cause that the trials confirm."""

import math

from ..records.finding import Prescription, Sentence
from ..records.proof import Proof, Tried
from .loss_bands import Band
from .numerals import short

MEASURES = {
    "evaluate": Sentence("score (the training's own evaluate)", "スコア（学習に付属の evaluate）"),
    "accuracy": Sentence("accuracy", "正解率"),
    "r2": Sentence("R² (share of the targets' variance that is explained)", "R²（目標値の分散のうち説明できた割合）"),
    "-loss": Sentence("minus the loss", "損失に負号を付けた値"),
    "explained": Sentence("share of the loss that is explained (0: no better than guessing, 1: perfect)", "説明できた損失の割合（0：当て推量と同じ、1：完全）"),
    "-validation loss": Sentence("minus the validation loss", "検証損失に負号を付けた値"),
}
TRIED_ON = {
    "training": Sentence("the Training itself, in memory", "Training そのもの（メモリ上）"),
    "script": Sentence("the script itself, replayed with the change written in", "スクリプトそのもの（変更を書き込んで再実行）"),
    "harvest": Sentence("a training made of the script's first steps", "スクリプトの最初のステップから作った学習"),
}


def measure_in_words(proof: Proof) -> Sentence:
    """Return what the scores are."""
    return MEASURES.get(proof.measure, Sentence(proof.measure or "score", proof.measure or "スコア"))


def is_accepted(one: Tried, proof: Proof) -> bool:
    """Return whether a candidate is the change that was proved."""
    wanted = [(change.name, change.parameters) for change in proof.changes]
    return proof.cured and [(change.name, change.parameters) for change in one.changes] == wanted


def told_apart(change: Prescription) -> str:
    """Return the numbers of a change in brackets, which tell two candidates with the same cure apart."""
    numbers = {name: value for name, value in change.parameters.items() if isinstance(value, int | float) and not isinstance(value, bool) and name != "from"}
    found = [f"{name.replace('_', ' ')} {short(float(value))}" for name, value in numbers.items()]
    return f" ({', '.join(found[:2])})" if found else ""


def cause_in_words(proof: Proof) -> Sentence:
    """Return the cause by intervention: how many changes were tried, and how many of them helped.

    Another change counts as helpful where its gain exceeds the spread of the placebo, which is what seeds alone bring.
    """
    if proof.cause is not None:
        return proof.cause
    n = len(proof.tried)
    if proof.nothing_to_cure or not n:
        return Sentence("No change was tried.", "変更は一つも試していません。")
    if not proof.cured:
        return Sentence(f"Tried {_changes(n)}; none could be proved.", f"{n} 通りの変更を試しましたが、証明できたものはありません。")
    spread = max(proof.placebo) - min(proof.placebo) if len(proof.placebo) > 1 else 0.0
    others = [one for one in proof.tried if not is_accepted(one, proof)]
    helpful = [one for one in others if one.helped or (one.gain is not None and one.gain > spread)]
    if n == 1:
        return Sentence("One change was tried, and it helped.", "1 通りの変更を試し、それが効きました。")
    if not helpful:
        return Sentence(f"Tried {_changes(n)}; only this one helped.", f"{n} 通りの変更を試し、効いたのはこれだけでした。")
    return Sentence(
        f"Tried {_changes(n)}; {len(helpful)} more gained something, and this is the smallest that could be proved.",
        f"{n} 通りの変更を試しました。ほかに {len(helpful)} 通りでも改善しましたが、証明できた最小の変更がこれです。",
    )


def table_in_words(proof: Proof) -> Sentence:
    """Return what the table of seeds shows."""
    before = [row.before for row in proof.table if row.before is not None and math.isfinite(row.before)]
    after = [row.after for row in proof.table if row.after is not None and math.isfinite(row.after)]
    n = len(proof.table)
    if not after or len(after) < n:
        return Sentence("With at least one seed the changed training ends in no score", "少なくとも 1 つのシードで、変更後の学習はスコアが得られませんでした")
    if not before:
        return Sentence(
            f"Unchanged the training ends in no score; changed, in {short(min(after))} or better with each of {n} seeds",
            f"変更前はスコアが得られず、変更後は {n} 個のどのシードでも {short(min(after))} 以上",
        )
    worst, best = min(after), max(before)
    if worst > best:
        return Sentence(
            f"Changed, the worst of {n} seeds gives {short(worst)}; unchanged, the best gives {short(best)}",
            f"変更後は {n} シード中の最低でも {short(worst)}、変更前は最高でも {short(best)}",
        )
    return Sentence(
        f"The seeds overlap: changed {short(worst)} at worst, unchanged {short(best)} at best",
        f"シードによる差と区別できません：変更後の最低 {short(worst)}、変更前の最高 {short(best)}",
    )


def curves_in_words(before: Band | None, after: Band | None) -> Sentence:
    """Return what the loss curves show: where each of them ends."""
    if before is None and after is None:
        return Sentence("No loss was recorded", "損失は記録されていません")
    if after is None or before is None:
        only = before or after
        en, ja = ("Unchanged", "変更前は") if after is None else ("Changed", "変更後は")
        return _end(only, en, ja) if only is not None else Sentence("", "")
    first, second = _end(after, "With the change", "変更後は"), _end(before, "without it", "変更前は")
    return Sentence(f"{first.en}; {second.en}", f"{first.ja}、{second.ja}")


def _end(band: Band, en: str, ja: str) -> Sentence:
    if band.lost is not None:
        return Sentence(f"{en} the loss is no longer finite from step {band.lost} on", f"{ja}ステップ {band.lost} から損失が有限でなくなる")
    return Sentence(f"{en} the loss ends at {short(band.end)}", f"{ja}損失 {short(band.end)} で終わる")


def _changes(n: int) -> str:
    return f"{n} change{'' if n == 1 else 's'}"
