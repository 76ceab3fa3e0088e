"""The sentences of a comparison, in both languages."""

import math
from typing import TYPE_CHECKING

from ..records import Sentence
from ..reports.numerals import short

if TYPE_CHECKING:
    from .result import Comparison

NOTES = {
    "rank": ("The first difference was seen on rank {rank}.", "最初の差異はランク {rank} で見つかりました。"),
    "open": (
        "{run} has not ended, or was killed: it is compared as far as it was written.",
        "{run} はまだ終了していないか、強制終了されています。書き込まれたところまでを比較しました。",
    ),
    "lengths": (
        "The runs have different lengths ({a} and {b} steps); both are known up to step {shared}.",
        "2 つの実行は長さが異なります（{a} ステップと {b} ステップ）。両方が記録されているのはステップ {shared} までです。",
    ),
    "resumed": (
        "{run} begins with the weights that {other} had after {step} steps; its steps are counted from there.",
        "{run} は {other} のステップ {step} 後の重みから始まっています。ステップ数はそこから数えます。",
    ),
    "sketched": (
        "The distances are estimated from sketches; their standard errors are given.",
        "距離は重みのスケッチからの推定値で、標準誤差を併記しています。",
    ),
}
BATCH = {"inputs": "入力", "targets": "目標値", "inputs and targets": "入力と目標値"}


def note(key: str, **values: object) -> Sentence:
    """Return a note."""
    en, ja = NOTES[key]
    return Sentence(en.format(**values), ja.format(**values))


def sentence_of(comparison: "Comparison") -> Sentence:
    """Return the finding of a comparison as one sentence."""
    apart = comparison.distances
    last = int(apart.steps[-1]) if apart.steps.size else 0
    if comparison.kind == "same":
        return Sentence(
            f"Same: all that both runs recorded is equal to the bit, up to step {last}.",
            f"同一です。ステップ {last} まで、両方が記録したものはすべてビット単位で一致しています。",
        )
    return {
        "configuration": _configuration,
        "start": _start,
        "jump": _jumped,
        "exponential": _exponential,
        "contraction": _contraction,
        "drift": _drift,
    }[comparison.kind](comparison)


def _configuration(comparison: "Comparison") -> Sentence:
    name = comparison.first.name if comparison.first else ""
    return Sentence(
        f"Two different networks: their parameters differ, first in {name}.",
        f"異なるネットワークです。パラメータの構成が違います（最初の違い: {name}）。",
    )


def _start(comparison: "Comparison") -> Sentence:
    size = short(comparison.first.size) if comparison.first else ""
    seeds = [one for one in comparison.settings if one.name.startswith("seeds.")]
    en = f"seeds {seeds[0].a} and {seeds[0].b}" if seeds else "another seed or initialisation"
    ja = f"シード {seeds[0].a} と {seeds[0].b}" if seeds else "シードまたは初期化が異なる"
    return Sentence(
        f"Parted from the first step: the first weights are others ({en}; relative distance {size}).",
        f"最初から分かれています。初期の重みが異なります（{ja}、相対距離 {size}）。",
    )


def _jumped(comparison: "Comparison") -> Sentence:
    en, ja = _where(comparison)
    after = _afterwards(comparison)
    return Sentence(f"Parted by a jump {en}{after.en}.", f"{ja}で不連続に分かれました{after.ja}。")


def _where(comparison: "Comparison") -> tuple[str, str]:
    jump, first = comparison.jump, comparison.first
    if jump is not None:
        return (
            f"{_steps(jump.after, jump.step).en} in `{jump.name}`: the relative distance rose from {short(jump.before)} to {short(jump.size)} at once",
            f"{_steps(jump.after, jump.step).ja}の `{jump.name}`（相対距離が一度に {short(jump.before)} から {short(jump.size)} へ増加）",
        )
    if first is None:
        return "", ""
    if first.what == "batch":
        return f"at step {first.step}: another batch ({first.name}), with the same weights before it", (
            f"ステップ {first.step} のバッチ（{BATCH.get(first.name, first.name)}が異なり、直前の重みは同一）"
        )
    if first.what == "learning_rate":
        return f"at step {first.step}: another learning rate, everything before it the same", f"ステップ {first.step} の学習率（それ以前はすべて同一）"
    if first.what == "loss":
        size = short(first.size)
        en = f"at step {first.step} in the loss (relative difference {size}), with the same weights and batch as far as recorded: the loss function, a random"
        ja = f"ステップ {first.step} の損失（相対差 {size}。記録された限り重みとバッチは同一。損失関数、乱数マスク、"
        return f"{en} mask, a buffer or a kernel is another", f"{ja}バッファ、カーネルのいずれかが異なる）"
    others, size = first.n_parameters - 1, short(_size(comparison))
    if not math.isfinite(first.size):
        return f"at step {first.step} in `{first.name}`, which is not finite any more in one of the runs", (
            f"ステップ {first.step} の `{first.name}`（一方の実行で有限でなくなった）"
        )
    more = f" and {others} other parameter{'s' if others > 1 else ''}" if others else ""
    more_ja = f" ほか {others} 個のパラメータ" if others else ""
    steps = _steps(first.after, first.step)
    return f"{steps.en} in `{first.name}`{more} (relative distance {size} at once)", f"{steps.ja}の `{first.name}`{more_ja}（相対距離は一度に {size}）"


def _steps(after: int | None, step: int) -> Sentence:
    if after is not None and after < step - 1:
        return Sentence(f"between steps {after} and {step}", f"ステップ {after} と {step} の間")
    return Sentence(f"at step {step}", f"ステップ {step} ")


def _size(comparison: "Comparison") -> float:
    relative = comparison.distances.relative
    there = relative[relative > 0]
    return float(there[0]) if there.size else 0.0


def _afterwards(comparison: "Comparison") -> Sentence:
    growth = comparison.growth
    if growth is None or growth.model != "exponential":
        return Sentence("", "")
    rate = short(abs(growth.rate))
    if growth.rate > 0:
        return Sentence(f"; from there the distance grows exponentially at {rate} per step", f"。以後、距離は 1 ステップあたり {rate} で指数的に拡大しています")
    return Sentence(f"; from there the distance shrinks at {rate} per step", f"。以後、距離は 1 ステップあたり {rate} で縮小しています")


def _origin(comparison: "Comparison") -> Sentence:
    first = comparison.first
    if first is None:
        return Sentence("", "")
    if comparison.from_rounding:
        alone = first.n_parameters == 1 < len(comparison.distances.names)
        return Sentence(
            f"round-off at step {first.step}{f' in `{first.name}` alone' if alone else ''}",
            f"ステップ {first.step} の{f' `{first.name}` だけの' if alone else ''}丸め誤差",
        )
    size = short(_size(comparison))
    if first.what == "start":
        return Sentence(f"a difference of {size} in the first weights (`{first.name}`)", f"初期の重みの差 {size}（`{first.name}`）")
    name = f" in `{first.name}`" if first.name else ""
    return Sentence(f"a difference of {size} at step {first.step}{name}", f"ステップ {first.step} での差 {size}{f'（`{first.name}`）' if first.name else ''}")


def _exponential(comparison: "Comparison") -> Sentence:
    growth, origin = comparison.growth, _origin(comparison)
    if growth is None:
        return origin
    what = Sentence("machines", "マシン") if comparison.from_rounding and _is_other_machine(comparison) else Sentence("runs", "実行")
    en = f"Parted exponentially at {short(growth.rate)} per step (±{short(growth.rate_error)}, R² {growth.r2:.3f}) from {origin.en}"
    ja = f"{origin.ja}から、1 ステップあたり {short(growth.rate)}（±{short(growth.rate_error)}、R² {growth.r2:.3f}）で指数的に分かれました"
    if comparison.horizon is None and growth.saturation is not None:
        level = short(math.exp(growth.saturation))
        return Sentence(
            f"{en}; from about step {growth.last} on it stays near a relative distance of {level}.",
            f"{ja}。ステップ {growth.last} 付近からは相対距離 {level} 前後にとどまっています。",
        )
    if comparison.horizon is None:
        return Sentence(f"{en}; the weights themselves grow as fast.", f"{ja}。重みそのものも同じ速さで大きくなっています。")
    step = round(comparison.horizon)
    return Sentence(
        f"{en}, so these two {what.en} cannot agree beyond about {step} steps.",
        f"{ja}。この 2 つの{what.ja}はおよそ {step} ステップより先では一致しません。",
    )


def _is_other_machine(comparison: "Comparison") -> bool:
    return any(one.name.startswith(("environment.", "versions.")) for one in comparison.settings)


def _contraction(comparison: "Comparison") -> Sentence:
    growth, origin = comparison.growth, _origin(comparison)
    rate = short(abs(growth.rate)) if growth is not None else ""
    return Sentence(
        f"Coming together again: {origin.en} shrinks exponentially at {rate} per step.",
        f"再び近づいています。{origin.ja}は 1 ステップあたり {rate} で指数的に縮小しています。",
    )


def _drift(comparison: "Comparison") -> Sentence:
    growth, origin = comparison.growth, _origin(comparison)
    relative = comparison.distances.relative
    now = short(float(relative[-1])) if relative.size else ""
    en, ja = "", ""
    if growth is not None and growth.model == "power":
        en, ja = (
            f"; it grows like a power of time (about s^{short(growth.power)}), not exponentially",
            (f"。距離は時間のべき（およそ s の {short(growth.power)} 乗）で増え、指数的ではありません"),
        )
    elif growth is not None and growth.model == "unclear":
        en, ja = "; no law of growth describes it better than the others", "。増え方がどの法則に従うかは判別できません"
    elif growth is not None:
        en, ja = "; it does not grow exponentially", "。指数的には増えていません"
    return Sentence(
        f"Parted, but not far: {origin.en} has led to a relative distance of {now}{en}.",
        f"わずかに分かれています。{origin.ja}から相対距離 {now} になりました{ja}。",
    )
