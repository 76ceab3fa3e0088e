"""Measure how fast nearby trainings part: the Lyapunov exponent of your own training."""

from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from ...records import Sentence
from .._progress import progress_bar
from .._tables import show_table
from .._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ...lab.growth_of_differences import DifferenceGrowth

INTERRUPTED = 130
MOST_HARVESTED = 1000  # batches; a longer measurement goes through them again
HEADER = {"en": ("what", "value", "standard error"), "ja": ("項目", "値", "標準誤差")}
WORDS = {
    "en": {
        "tangent": "exponent {n}, tangents",
        "twins": "exponent, twins from ε = 1e-8",
        "horizon": "prediction horizon 1/λ, steps",
        "frozen": "conditions",
        "warn": "warnings",
    },
    "ja": {"tangent": "指数 {n}（接ベクトル）", "twins": "指数（ε = 1e-8 の双子）", "horizon": "予測の地平 1/λ", "frozen": "測定条件", "warn": "注意"},
}


@click.command("lyapunov", cls=TargetCommand)
@click.option("--steps", type=click.IntRange(1), default=500, show_default=True, help="Optimizer steps that count.")
@click.option("--transient", type=click.IntRange(0), default=0, show_default=True, help="Optimizer steps before them.")
@click.option("-k", "--k", "k", type=click.IntRange(1), default=1, show_default=True, help="How many exponents, largest first.")
@click.option("--twins/--no-twins", default=True, show_default=True, help="Also measure it by twin runs, as the literature does.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of tangent vectors and perturbations.")
@click.option("-o", "--output", "--png", "output", metavar="FIGURE", help="Write the local exponents λ(t) as .png, .svg or .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@target_options
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, output: str | None, as_json: bool, **options: Any) -> int:
    """Measure the Lyapunov exponent of the training of TARGET, a script or module:function that returns a kazami.Training.

    The training is taken as a map in float64, with its batches, masks and schedule frozen: what is measured is the growth of tiny differences, never noise.
    Ctrl-C keeps and shows the estimate of the steps taken until then. Options that kazami does not know are the script's own.
    """
    from ...lab.growth_of_differences import difference_growth
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    _refuse_ending(output)
    span = options["transient"] + options["steps"]
    target = loaded(words, module, input_shape, steps=min(span, MOST_HARVESTED))
    for sentence in target.said:
        click.echo(sentence.in_language(language) if isinstance(sentence, Sentence) else sentence, err=True)
    training = target.needed_training()
    with progress_bar("lyapunov") as progress:
        found = difference_growth(training, **options, progress=lambda done: progress(done, span))
    if output:
        from ...reports.figures import figure_language, save_figure

        save_figure(found.figure(figure_language(output, language)), output)
    if as_json:
        click.echo(dumps({"schema": 1, "target": target.name, **found.to_dict(), "figure": output}))
    else:
        _show(found, language)
        click.echo(output or ("図を書き出すには -o lambda.png を付けてください。" if language == "ja" else "Add -o lambda.png for the figure."), err=not output)
    return 0 if found.is_complete else INTERRUPTED


def _show(found: "DifferenceGrowth", language: str) -> None:
    import numpy as np

    from ...reports.numerals import short

    words = WORDS[language]
    values, errors = np.ravel(found.estimate.value), np.ravel(found.estimate.uncertainty)
    rows = [(words["tangent"].format(n=place + 1), short(float(value)), short(float(errors[place]))) for place, value in enumerate(values)]
    if found.twins is not None:
        rows.append((words["twins"], short(float(found.twins)), ""))
    rows.append((words["horizon"], short(found.estimate.horizon), ""))
    show_table(HEADER[language], rows)
    click.echo(found.sentence.in_language(language))
    for name, remarks in zip(("frozen", "warn"), found.remarks, strict=True):
        for remark in dict.fromkeys(remarks):
            click.echo(f"{words[name]}: {remark.in_language(language)}")


def _refuse_ending(output: str | None) -> None:
    """Say before the work, not after it, that a file cannot be written so."""
    if output and not output.lower().endswith((".png", ".svg", ".pdf")):
        raise UsageError(f"-o should end in .png, .svg or .pdf, and is {output!r}.")
