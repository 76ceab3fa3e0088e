"""The words of the report and of the terminal text, in both languages, in one table."""

from ..records.finding import Sentence

LANGUAGES = ("en", "ja")

# Braces are filled in by name. A word that both the page and the terminal use stands here once.
WORDS: dict[str, Sentence] = {
    # the head of the page
    "title": Sentence("Training weather report", "学習の天気報告"),
    "language": Sentence("Language", "言語"),
    "theme": Sentence("Light or dark", "明るさ"),
    "wind_now": Sentence("Wind: {word}", "風：{word}"),
    "steps": Sentence("{n} steps", "{n} ステップ"),
    "one_step": Sentence("1 step", "1 ステップ"),
    "layers": Sentence("{n} layers", "{n} 層"),
    "one_layer": Sentence("1 layer", "1 層"),
    "needs_script": Sentence(
        "The pictures of this page are drawn by its own script; nothing is loaded from elsewhere.",
        "図はこのページ内のスクリプトが描きます。外部からは何も読み込みません。",
    ),
    # the verdict
    "cause": Sentence("Cause", "原因"),
    "where": Sentence("Where", "場所"),
    "since": Sentence("Since", "開始"),
    "since_step": Sentence("step {n}", "ステップ {n} から"),
    "since_start": Sentence("before the first step", "最初のステップの前から"),
    "evidence": Sentence("Evidence", "根拠"),
    "sure": Sentence("How sure", "確かさ"),
    "not_cause_short": Sentence("Not the cause", "無関係"),
    "not_the_cause": Sentence("Not the cause", "原因ではないもの"),
    "change": Sentence("Change", "対処"),
    "other_change": Sentence("or", "または"),
    "also": Sentence("Also", "ほかに"),
    "blind": Sentence("Not seen", "観測できず"),
    "report": Sentence("Report", "レポート"),
    "checked": Sentence("Checked", "確認済み"),
    "layer_of": Sentence("layer {n} of {all}, {what}", "{all} 層中 {n} 番目、{what}"),
    "suppressed": Sentence("Suppressed", "抑制"),
    "suppressed_said": Sentence("{n} findings suppressed ({ids})", "{n} 件の所見を抑制しました（{ids}）"),
    "one_suppressed_said": Sentence("1 finding suppressed ({ids})", "1 件の所見を抑制しました（{ids}）"),
    "whole_model": Sentence("the whole model", "モデル全体"),
    "certain": Sentence("certain", "確実"),
    "likely": Sentence("likely", "おそらく"),
    "not_sure": Sentence("not sure", "断定できない"),
    "more_in_report": Sentence("… {n} more in the report", "…ほか {n} 件はレポートに"),
    "limit_from": Sentence("limit: {source}", "限度：{source}"),
    "nothing_wrong": Sentence("Nothing wrong found", "異常は見つかりませんでした"),
    "checks_passed": Sentence("Nothing wrong found: {n} checks passed.", "異常は見つかりませんでした（{n} 項目を確認）。"),
    "no_steps": Sentence("No optimizer step was seen, so there is nothing to judge yet.", "オプティマイザのステップが一度も観測されず、まだ判断できません。"),
    "could_not_see": Sentence("This training could not be seen well enough to judge it.", "この学習は十分に観測できず、判断できません。"),
    # the weather map
    "weather_map": Sentence("Weather map", "天気図"),
    "map_notice": Sentence(
        "Each row is a layer, the input at the bottom; each column a step. Blue: too little wind, learning stands still. Orange: too much, it is blown about.",
        "1 行が 1 つの層（下が入力側）、横軸がステップです。青は風が弱すぎて学習が止まり、橙は強すぎて学習が乱れている状態を表します。",
    ),
    "map_empty": Sentence("No layer was seen, so there is no weather map.", "層を観測できなかったため、天気図はありません。"),
    "letter_calm": Sentence("C calm", "C 無風"),
    "letter_breeze": Sentence("B breeze", "B 微風"),
    "letter_storm": Sentence("S storm", "S 暴風"),
    "letter_nan": Sentence("N NaN or ∞", "N NaN・∞"),
    "wind": Sentence("wind", "風"),
    "gradient_norm": Sentence("gradient norm", "勾配ノルム"),
    "step": Sentence("step", "ステップ"),
    # the loss
    "loss": Sentence("Loss", "損失"),
    "loss_empty": Sentence("No loss was seen.", "損失は観測されませんでした。"),
    "linear": Sentence("Linear", "線形"),
    "say_validation": Sentence(
        "on held-out data it is lowest at step {step} ({best}), and {now} at the end", "検証データではステップ {step} で最小（{best}）、最後は {now}"
    ),
    "sharpness": Sentence("Sharpness", "鋭さ"),
    "say_stability": Sentence("η·λmax ends at {now}; the optimizer's stability limit is {limit}", "η·λmax は最後に {now}、オプティマイザの安定限界は {limit}"),
    "say_growth": Sentence(
        "Tiny differences grow by {value} a step (natural logarithm, {n} steps measured)",
        "微小な差は 1 ステップあたり {value} の割合で成長（自然対数、{n} ステップを測定）",
    ),
    # findings
    "findings": Sentence("Findings", "所見"),
    "primary": Sentence("the cause", "主因"),
    "severity_error": Sentence("error", "重大"),
    "severity_warning": Sentence("warning", "警告"),
    "severity_info": Sentence("note", "情報"),
    "value": Sentence("Value", "値"),
    "limit_head": Sentence("Limit", "限度"),
    "source": Sentence("Where the limit comes from", "限度の根拠"),
    "what_to_change": Sentence("What to change", "直し方"),
    "copy": Sentence("Copy", "コピー"),
    # the table of layers
    "per_layer_short": Sentence("Layers", "層"),
    "name": Sentence("Name", "名前"),
    "kind": Sentence("Kind", "種類"),
    "shape": Sentence("Shape", "形状"),
    "weight_norm": Sentence("Weight norm", "重みノルム"),
    "update_ratio": Sentence("Update / weight", "更新量 / 重み"),
    "dead_share": Sentence("Dead", "死んだユニット"),
    "saturated_share": Sentence("Saturated", "飽和"),
    # the foot of the page
    "not_seen": Sentence("What could not be seen", "観測できなかったもの"),
    "setting": Sentence("The run", "実行環境"),
    "command": Sentence("Command", "コマンド"),
    "started": Sentence("Started", "開始時刻"),
    "ended": Sentence("Ended", "終了時刻"),
    "optimizer": Sentence("Optimizer", "オプティマイザ"),
    "loss_kind": Sentence("Loss function", "損失関数"),
    "versions": Sentence("Versions", "バージョン"),
    "seeds": Sentence("Seeds", "乱数シード"),
    "foot": Sentence(
        "Made by kazami, the weather service for neural-network training. This file makes no network requests.",
        "kazami（風見）— ニューラルネット学習の気象台が作成。このファイルは通信を一切行いません。",
    ),
    "optimizer_step": Sentence("optimizer step", "オプティマイザのステップ"),
    "loss_axis_log": Sentence("Loss (logarithmic)", "損失（対数軸）"),
    # the case sheet
    "loss_course": Sentence(
        "Loss: {first} (step {a}) → {last} (step {b}), lowest {best} (step {c})",
        "損失：{first}（ステップ {a}）→ {last}（ステップ {b}）、最小 {best}（ステップ {c}）",
    ),
    "clause": Sentence("; ", "；"),
    "loss_trivial": Sentence("the best constant answer has {value}", "最良の定数予測では {value}"),
    "newest_numbers": Sentence("Numbers at the end", "最後の数値"),
    "ended_by": Sentence("Ended", "終わり方"),
    "exit_code": Sentence("{reason}, exit code {code}", "{reason}（終了コード {code}）"),
    "try_next": Sentence(
        "Not tried yet, least change first. `kazami cure {script}` tries them and proves the one that helps.",
        "まだ試していません（変更の小さい順）。`kazami cure {script}` で試し、効くものを証明できます。",
    ),
    # the proof of a cure
    "proved": Sentence("cured and proved", "治療を証明"),
    "not_proved": Sentence("not proved", "証明できず"),
    "well": Sentence("nothing to cure", "治療は不要"),
    "changed": Sentence("Changed", "変更したもの"),
    "seeds_and_steps": Sentence("Seeds × steps", "シード数 × ステップ数"),
    "cause_by_trial": Sentence("The cause, by trial", "試行による原因の特定"),
    "cause_by_trial_short": Sentence("By trial", "試行から"),
    "seeds_word": Sentence("seeds", "シード"),
    "tried_on": Sentence("Tried on", "試した対象"),
    "the_diff": Sentence("The change, as a diff of your file", "変更点（ご自分のファイルとの差分）"),
    "the_lines": Sentence("The lines to add", "追加する行"),
    "the_changes": Sentence("What was changed", "変更の内容"),
    "proof_table": Sentence("The proof, seed by seed", "証明：シードごとの結果"),
    "seed": Sentence("Seed", "シード"),
    "unchanged": Sentence("Unchanged", "変更前"),
    "changed_after": Sentence("Changed", "変更後"),
    "gain": Sentence("Gain", "差"),
    "no_score": Sentence("no score", "スコアなし"),
    "placebo_row": Sentence("Placebo", "プラセボ"),
    "score": Sentence("Score", "スコア"),
    "steps_head": Sentence("Steps", "ステップ数"),
    "tried_change": Sentence("Change", "変更"),
    "became": Sentence("What became of it", "結果"),
    "tried_head": Sentence("Tried", "試した変更"),
    "without_change": Sentence("without the change", "変更前"),
    "with_change": Sentence("with the change", "変更後"),
    "curves_notice": Sentence(
        "The line is the middle seed, the band reaches from the lowest seed to the highest; each curve is the training's own loss on its batches.",
        "線はシードの中央値、帯は最小から最大までです。どちらの曲線も、それぞれの学習自身のバッチ損失です。",
    ),
    "weather_pair_title": Sentence("The weather of the layers, on one scale", "層の天気（同じ尺度で）"),
    "map_before": Sentence("Before", "変更前"),
    "map_after": Sentence("After", "変更後"),
    "diagnosed": Sentence("What the diagnosis says of the unchanged training", "変更前の学習の診断"),
    # titles that state what was measured
    "say_nonfinite": Sentence("From step {step} on, gradients are NaN or infinite", "ステップ {step} 以降、勾配が NaN または無限大"),
    "say_fraction": Sentence("Layer {layer} receives {fraction} of the gradient of layer {last}", "層 {layer} に届く勾配は、層 {last} の {fraction}"),
    "say_zero": Sentence("No gradient at all reaches layer {layer}", "層 {layer} には勾配がまったく届いていない"),
    "say_calm": Sentence("Too little wind in {n} of {all} layers, least in {layer}", "{all} 層のうち {n} 層で風が弱すぎる。最も弱いのは {layer}"),
    "say_storm": Sentence("Too much wind in {n} of {all} layers, most in {layer}", "{all} 層のうち {n} 層で風が強すぎる。最も強いのは {layer}"),
    "say_breeze": Sentence("A breeze in all {all} layers", "{all} 層すべてに微風が吹いている"),
    "say_breeze_one": Sentence("A breeze in the one layer", "ただ 1 つの層に微風が吹いている"),
    "say_loss": Sentence("The loss goes from {first} to {now}", "損失は {first} から {now} へ"),
    "say_loss_trivial": Sentence("The loss goes from {first} to {now}; guessing gives {trivial}", "損失は {first} から {now} へ（当て推量では {trivial}）"),
    "say_loss_nan": Sentence("The loss is no longer finite from step {step} on", "損失はステップ {step} で有限でなくなった"),
    "say_loss_one": Sentence("The loss at the only recorded step is {now}", "記録された唯一のステップでの損失は {now}"),
    # the live line
    "loss_word": Sentence("loss", "損失"),
    "live_worst": Sentence("worst: {layer}", "最も悪い層：{layer}"),
    "live_stability": Sentence("η·λmax = {value} of {limit}", "η·λmax = {value}（限界 {limit}）"),
}


UNITS = {"decades": "桁", "steps": "ステップ", "layers": "層", "units": "個"}  # in Japanese; what is not among them is written alike


def unit_in(unit: str, language: str) -> str:
    """Return a unit in the reader's language.

    >>> unit_in("decades", "ja"), unit_in("ms", "ja")
    ('桁', 'ms')
    """
    return UNITS.get(unit, unit) if language == "ja" else unit


def say(key: str, language: str, **values: object) -> str:
    """Return the words for ``key`` in ``language``, its braces filled in.

    >>> say("steps", "ja", n=600)
    '600 ステップ'
    """
    return WORDS[key].in_language(language).format(**values)


def both(key: str, **values: object) -> Sentence:
    """Return the words for ``key`` in both languages, their braces filled in."""
    return Sentence(*(say(key, language, **values) for language in LANGUAGES))


def counted(key: str, n: int, language: str) -> str:
    """Return ``"1 step"`` or ``"600 steps"`` for ``key`` ``"steps"``, likewise for ``"layers"``."""
    return say(f"one_{key.removesuffix('s')}", language) if n == 1 else say(key, language, n=n)


def certainty(confidence: float) -> str:
    """Return the key of the word for a confidence: ``"certain"`` from 0.9, ``"likely"`` from 0.6, else ``"not_sure"``."""
    if confidence >= 0.9:
        return "certain"
    return "likely" if confidence >= 0.6 else "not_sure"
