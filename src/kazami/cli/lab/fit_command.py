"""Fit a typed-in formula by backprop: the error against the width of the network and the number of steps."""

import click

from ...errors import UsageError
from .._look import Command
from .._progress import progress_bar

INTERRUPTED = 130


@click.command("fit", cls=Command)
@click.argument("formula")
@click.option("--widths", default="2,8,32,128", show_default=True, help="Units in each of the two hidden layers, with commas.")
@click.option("--steps", type=click.IntRange(1), default=2000, show_default=True, help="Optimizer steps.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="How many initialisations per width; medians are shown.")
@click.option("--from", "low", type=float, default=-2.0, show_default=True, help="Where the variables begin.")
@click.option("--to", "high", type=float, default=2.0, show_default=True, help="Where they end.")
@click.option("-o", "--output", metavar="FIGURE", help="Write the figure as .png, .svg or .pdf.")
@click.option("--json", is_flag=True, help="Print one JSON document instead.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(formula: str, widths: str, steps: int, seeds: int, low: float, high: float, output: str | None, json: bool, lang: str | None) -> int:
    """Fit networks of several widths to FORMULA, such as "sin(3*x) + 0.2*x**2", in x or in x1, x2, …; errors are those on points not trained on."""
    from ...derivatives import fit_formula, parse_formula
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language
    from .._tables import show_table

    language, parsed = chosen_language(lang), parse_formula(formula)
    with progress_bar(formula) as progress:
        found = fit_formula(parsed, widths=_widths(widths), steps=steps, seeds=range(seeds), interval=(low, high), progress=progress)
    if output:
        from ...reports.figures import save_figure

        save_figure(found.figure(language), output)
    if json:
        click.echo(dumps({"schema": 1, **found.to_dict(), "figure": output}))
    else:
        show_table(
            *found.rows(language), title="RMS 誤差（学習に使わない点、種の中央値）" if language == "ja" else "RMS error on held-out points, median over seeds"
        )
        click.echo(found.sentence.in_language(language))
        if output:
            click.echo(output)
    return 0 if found.is_whole else INTERRUPTED


def _widths(text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = [0]
    if min(found) < 1 or max(found) > 4096:
        raise UsageError(f"--widths should be numbers from 1 to 4096 with commas, such as 2,8,32, and is {text!r}.")
    return found
