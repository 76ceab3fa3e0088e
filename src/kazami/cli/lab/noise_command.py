"""Tell where differences between two trainings come from: seeds, order, dropout, threads, or growth of tiny differences."""

from typing import TYPE_CHECKING, Any

import click

from ...records import Sentence
from .._progress import progress_bar
from .._tables import show_table
from .._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ...lab.noise import Noise

INTERRUPTED = 130
HEADER = {
    "en": ("source that varies", "weights", "answers", "last loss", "answers without it"),
    "ja": ("変える要因", "重み", "答え", "最終損失", "これ以外すべてを変えた答え"),
}
WORDS = {
    "en": {
        "title": "Relative difference after {steps} steps",
        "answers": "Two answers of one model: {evaluation} in evaluation mode, {training} in training mode, {threads} with other threads",
        "growth": "A tiny difference grows by {growth} per step on average.",
    },
    "ja": {
        "title": "{steps} ステップ後の相対的な差",
        "answers": "1 つのモデルの 2 回の答えの差: 評価モードで {evaluation}、訓練モードで {training}、スレッド数を変えて {threads}",
        "growth": "微小な差の平均成長率は 1 ステップあたり {growth} です。",
    },
}


@click.command("noise", cls=TargetCommand)
@click.option("--steps", type=click.IntRange(2), default=100, show_default=True, help="Optimizer steps of each training.")
@click.option("--replicas", type=click.IntRange(1), default=2, show_default=True, help="Trainings per row.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@target_options
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, as_json: bool, **options: Any) -> int:
    """Train TARGET, a script or module:function, again and again with one source of difference varied and the others frozen.

    The last column varies all sources but that one. Ctrl-C keeps the rows measured so far. Options that kazami does not know are the script's own.
    """
    from ...lab.noise import noise
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    target = loaded(words, module, input_shape, steps=options["steps"])
    for sentence in target.said:
        click.echo(sentence.in_language(language) if isinstance(sentence, Sentence) else sentence, err=True)
    training = target.needed_training()
    with progress_bar("noise") as progress:
        found = noise(training, **options, example=target.example, keywords=target.keywords, progress=progress)
    if as_json:
        click.echo(dumps({"schema": 1, "target": target.name, **found.to_dict()}))
    else:
        _show(found, language)
    return 0 if found.is_complete else INTERRUPTED


def _show(found: "Noise", language: str) -> None:
    import math

    from ...lab.noise import NAMES
    from ...reports.numerals import short

    words = WORDS[language]
    rows = [
        (
            NAMES[row.source].in_language(language),
            *("" if math.isnan(value) else short(value) for value in (row.weights, row.outputs, row.loss, row.outputs_without)),
        )
        for row in found.rows
    ]
    show_table(HEADER[language], rows, title=words["title"].format(steps=found.steps))
    if found.answers:
        click.echo(words["answers"].format(**{name: short(value) for name, value in found.answers.items()}))
    if math.isfinite(found.growth):
        click.echo(words["growth"].format(growth=short(found.growth)))
    click.echo(found.sentence.in_language(language))
