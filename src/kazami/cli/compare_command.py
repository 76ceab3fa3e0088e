"""Compare two stored runs: where they part, and whether by a jump or exponentially."""

import json
from typing import TYPE_CHECKING

import click

from ..watch.options import LANGUAGES
from ._look import Command

if TYPE_CHECKING:
    from ..comparison import Comparison

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 64


@click.command("compare", cls=Command)
@click.argument("a")
@click.argument("b")
@click.option("--json", "json_file", metavar="FILE", help="Write the comparison as one JSON document; - for stdout, in place of the text.")
@click.option("--png", "figure_file", metavar="FILE", help="Draw the distance over the steps (.png, .svg or .pdf).")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language (default: from LANG).")
def command(a: str, b: str, json_file: str | None, figure_file: str | None, lang: str | None) -> None:
    """Compare the stored runs A and B: the first step and parameter (or batch, or loss) in which they differ, how far apart they are at every recorded step,
    and how that distance grows.

    The weights are recorded by `kazami run` and by kazami.watch(..., run=...).
    """
    from ..comparison import compare, comparison_figure
    from ..reports.figures import figure_language, save_figure
    from ..watch.language import chosen_language

    language = chosen_language(lang)
    comparison = compare(a, b)
    if json_file != "-":
        _tell(comparison, language)
    if json_file is not None:
        _write(json.dumps(comparison.to_dict(language), ensure_ascii=False, allow_nan=False), json_file)
    if figure_file is not None:
        figure = comparison_figure(comparison, language=figure_language(figure_file, language))
        click.echo(save_figure(figure, figure_file), err=json_file == "-")


def _write(text: str, place: str) -> None:
    from ..errors import CannotWrite

    if place == "-":
        click.echo(text)
        return
    try:
        with open(place, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise CannotWrite(f"{place} cannot be written ({error.strerror or error}).") from None


def _tell(comparison: "Comparison", language: str) -> None:
    from ._tables import show_table

    click.echo(comparison.sentence.in_language(language))
    for line in spark(comparison, language):
        click.echo(line)
    if comparison.settings:
        click.echo()
        header = ("setting", "A", "B") if language == "en" else ("設定", "A", "B")
        show_table(header, [(one.name, str(one.a), str(one.b)) for one in comparison.settings])
    if comparison.notes:
        click.echo()
    for note in comparison.notes:
        click.echo(note.in_language(language))


def spark(comparison: "Comparison", language: str) -> list[str]:
    """Return two lines: the logarithm of the distance over the steps as bars, and what their ends mean; none where the runs are the same."""
    import numpy as np

    from ..reports.numerals import short

    apart = comparison.distances
    is_there = np.isfinite(apart.relative) & (apart.relative > 0)
    if is_there.sum() < 2:
        return []
    edges = np.linspace(apart.steps[0], apart.steps[-1] + 1, WIDTH + 1)
    column = np.clip(np.searchsorted(edges, apart.steps, side="right") - 1, 0, WIDTH - 1)
    logs = np.full(apart.steps.size, np.nan)
    logs[is_there] = np.log10(apart.relative[is_there])
    low, high = float(np.nanmin(logs)), float(np.nanmax(logs))
    span = max(high - low, 1.0)  # at least a decade: a level line stays level
    bars = []
    for place in range(WIDTH):
        seen = column == place
        inside = logs[seen][np.isfinite(logs[seen])]
        level = round(float(inside.max() - low) / span * (len(BARS) - 1)) if inside.size else 0
        bars.append(BARS[level] if inside.size else "·" if seen.any() else " ")
    what = "relative distance of the weights" if language == "en" else "重みの相対距離"
    steps = f"steps {apart.steps[0]}–{apart.steps[-1]}" if language == "en" else f"ステップ {apart.steps[0]}–{apart.steps[-1]}"
    exact = "" if apart.is_exact else f" ±{_error(comparison):.0%}"
    return ["", f"  {''.join(bars)}", f"  {what}: {short(10**low)} – {short(10**high)}{exact} ({steps})"]


def _error(comparison: "Comparison") -> float:
    """Return the typical relative standard error of the distances."""
    import numpy as np

    apart = comparison.distances
    there = apart.values > 0
    return float(np.median(apart.errors[there] / apart.values[there])) if there.any() else 0.0
