"""Find the learning rate at which a training turns chaotic, and the one that trains fastest, with proof."""

import math
from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from ...records import Sentence
from .._document import must_have_folder, write_document
from .._progress import progress_bar
from .._tables import show_table
from .._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ...dynamics import OnsetOfChaos

NOT_PROVED = 4
MOST_HARVESTED = 1000
HEADER = {
    "en": ("learning rate", "exponent, 1/step", "steps to the goal", "share that fails", "at the end"),
    "ja": ("学習率", "指数、1/ステップ", "目標までのステップ", "失敗の割合", "最後の値"),
}
PROOF = {
    "en": ("from fresh seeds", "learning rate", "steps to the goal", "times kazami's"),
    "ja": ("新しいシードで", "学習率", "目標までのステップ", "kazami との比"),
}
WORDS = {
    "en": {
        "onset": "Chaos begins at a learning rate of {onset} (95 %: {low} to {high}).",
        "none": "No onset of chaos between the rates tried.",
        "fastest": "Training reaches {goal} fastest at {fastest} (95 %: {low} to {high}).",
        "never": "No rate reaches {goal} in the median.",
        "proved": "Proved: trained again from fresh seeds it is no slower than its neighbours.",
        "unproved": "Not proved: from fresh seeds a neighbour is faster.",
        "kazami": "kazami's choice",
        "beaten": "slower",
        "better": "FASTER than kazami's choice",
        "equal": "not told apart",
        "none_chosen": "has no choice",
        "warn": "careful:",
    },
    "ja": {
        "onset": "カオスは学習率 {onset}（95 %: {low}〜{high}）で始まります。",
        "none": "試した範囲にカオスの始まりはありません。",
        "fastest": "{goal} に最も速く達する学習率は {fastest}（95 %: {low}〜{high}）です。",
        "never": "{goal} に達する学習率はありません（中央値）。",
        "proved": "証明済み: 新しいシードで学習し直しても、隣の学習率より遅くありません。",
        "unproved": "未証明: 新しいシードでは隣の学習率の方が速くなりました。",
        "kazami": "kazami の選択",
        "beaten": "遅い",
        "better": "kazami の選択より速い",
        "equal": "差は示せない",
        "none_chosen": "選べない",
        "warn": "注意:",
    },
}


@click.command("onset", cls=TargetCommand)
@click.option("--rates", metavar="LOW:HIGH", help="Learning rates from LOW to HIGH, by equal factors (default: a tenth to ten times the training's own).")
@click.option("--count", type=click.IntRange(3), default=13, show_default=True, help="How many rates.")
@click.option("--seeds", type=click.IntRange(2), default=8, show_default=True, help="Initialisations of each rate; as many again for the proof.")
@click.option("--steps", type=click.IntRange(10), help="Optimizer steps (default: the training's own number).")
@click.option("--goal", type=float, help="Score, or loss where the training has no evaluate, that counts as reached (default: 95 % of the way).")
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, help="Look at the score every so many steps only.")
@click.option("--rivals/--no-rivals", default=True, show_default=True, help="Compare with the learning-rate range test and 2/λmax.")
@click.option("-o", "--output", "--png", "output", metavar="FIGURE", help="Write exponent and time over the learning rate as .png, .svg or .pdf.")
@click.option("--json", "json_place", metavar="FILE|-", help="Write one JSON document; - for stdout, and nothing else there.")
@target_options
def command(
    words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, output: str | None, json_place: str | None, **options: Any
) -> int:
    """Train TARGET (a script, or a module:function that returns a kazami.Training) at many learning rates and from many seeds at once.

    Ends with 0 if the fastest rate is proved by training again from fresh seeds, with 4 if none is. Options that kazami does not know are the script's own.
    """
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    if output and not output.lower().endswith((".png", ".svg", ".pdf")):
        raise UsageError(f"-o should end in .png, .svg or .pdf, and is {output!r}.")
    for place in (output, json_place):
        must_have_folder(place, what="The onset")
    ends = _ends(options.pop("rates"))
    target = loaded(words, module, input_shape, steps=min(options["steps"] or MOST_HARVESTED, MOST_HARVESTED))
    for sentence in target.said:
        click.echo(sentence.in_language(language) if isinstance(sentence, Sentence) else sentence, err=True)
    found = _found(target.needed_training(), ends, options)
    if output:
        from ...reports.figures import figure_language, save_figure

        save_figure(found.figure(language=figure_language(output, language)), output)
    _shown(found, {"schema": 1, "target": target.name, **found.to_dict(), "figure": output}, json_place, language)
    return 0 if found.is_proved else NOT_PROVED


def _ends(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(end) for end in text.split(":"))
    except ValueError:
        low = high = math.nan
    if not 0.0 < low < high:
        raise UsageError(f"--rates should be LOW:HIGH with 0 < LOW < HIGH, for example 0.01:3, and is {text!r}.")
    return low, high


def _found(training: Any, ends: tuple[float, float] | None, options: dict[str, Any]) -> "OnsetOfChaos":
    import numpy as np

    from ...dynamics import onset_of_chaos
    from ...dynamics.onset import SPAN, own_rate

    count = options.pop("count")
    low, high = ends or (own_rate(training) / SPAN, own_rate(training) * SPAN)
    steps = options["steps"] or training.steps
    with progress_bar("onset") as progress:
        return onset_of_chaos(training, np.geomspace(low, high, count), acceptable=options.pop("goal"), progress=lambda done: progress(done, steps), **options)


def _shown(found: "OnsetOfChaos", told: dict[str, Any], json_place: str | None, language: str) -> None:
    if json_place:
        write_document(told, json_place, what="The onset")
    if json_place == "-":
        return
    names = ("learning_rate", "exponent", "time", "failed", "final")
    show_table(HEADER[language], [tuple(_number(row[name]) for name in names) for row in found.table])
    for line in _sentences(found, WORDS[language]):
        click.echo(line)
    if found.proof:
        show_table(PROOF[language], _proof_rows(found, language))
    for remark in found.warnings:
        click.echo(f"{WORDS[language]['warn']} {remark.in_language(language)}", err=True)
    click.echo(found.how, err=True)
    for place in (told["figure"], json_place):
        if place:
            click.echo(place)


def _sentences(found: "OnsetOfChaos", words: dict[str, str]) -> list[str]:
    low, high = (_number(end) for end in found.interval)
    lines = [words["onset"].format(onset=_number(found.onset), low=low, high=high) if math.isfinite(found.onset) else words["none"]]
    goal = _number(found.acceptable)
    if not math.isfinite(found.fastest):
        is_reached = math.isfinite(float(found.times.max()))  # by all, at the same step: a warning says so
        return lines if is_reached else [*lines, words["never"].format(goal=goal)]
    low, high = (_number(end) for end in found.fastest_interval)
    lines.append(words["fastest"].format(goal=goal, fastest=_number(found.fastest), low=low, high=high))
    return [*lines, words["proved" if found.is_proved else "unproved"]]


def _proof_rows(found: "OnsetOfChaos", language: str) -> list[tuple[str, str, str, str]]:
    from ...dynamics.onset_proof import NAMES

    words, place = WORDS[language], 0 if language == "en" else 1
    rows = [(words["kazami"], _number(found.fastest), _number(found.proof[found.fastest]), "1")]
    for rival in found.rivals:
        low, high = (_number(end) for end in rival.interval)
        verdict = words["none_chosen"] if rival.verdict == "none" else f"{_number(rival.ratio)} ({low}–{high}): {words[rival.verdict]}"
        rows.append((NAMES[rival.name][place], _number(rival.learning_rate), _number(rival.time), verdict))
    return rows


def _number(value: float) -> str:
    from ...reports.numerals import short

    return short(value) if math.isfinite(value) else "∞" if value > 0 else "–"
