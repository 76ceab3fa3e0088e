"""Walk down the surface of two weights: every method, any learning rate, from crawl to chaos."""

from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from .._look import Command
from .._tables import show_table

if TYPE_CHECKING:
    from ...surfaces import CriticalPoint, Descent, Fate, TwoWeights

METHODS = ("gradient_descent", "sgd", "momentum", "nesterov", "rmsprop", "adam", "newton")
HEADER = {"en": ("η", "from A", "to F", "loss", "what becomes of it"), "ja": ("η", "始点 A", "終点 F", "損失", "その後")}
CRITICAL = {"en": ("critical point", "w1, w2", "loss", "curvatures"), "ja": ("臨界点", "w1, w2", "損失", "曲率")}
KINDS_JA = {"minimum": "極小", "saddle": "鞍点", "maximum": "極大", "degenerate": "退化（谷など）"}
MOST_POINTS = 12


@click.command("descent", cls=Command)
@click.option(
    "--surface", "name", default="tanh", show_default=True, metavar="NAME|FORMULA", help="product, tanh, relu, line, quadratic, double_well, uneven_wells, "
    "saddle, four_minima, bent_valley; or a formula such as '(w1*w2 - 1)^2', or 'w2*sin(w1*x)' for a network on data."
)  # fmt: skip
@click.option("--method", type=click.Choice(METHODS), default="gradient_descent", show_default=True, help="How to step.")
@click.option("--lr", "rates", multiple=True, type=click.FloatRange(min=0.0, min_open=True), help="Learning rate (default: 0.1); several give a table.")
@click.option("--start", "starts", multiple=True, metavar="W1,W2", help="Where to start; several are allowed.")
@click.option("--starts", "per_side", type=click.IntRange(1, 40), help="Start from a grid of so many points a side instead.")
@click.option(
    "--steps", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Steps that are drawn; what becomes of a walk is followed further."
)
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Examples per step of sgd.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of sgd's samples.")
@click.option("-o", "--output", metavar="FIGURE", help="Write the walks as .png, .svg or .pdf.")
@click.option("--animation", metavar="FILE", help="Write the walks as a moving picture, .gif or .html.")
@click.option("--basins", metavar="FIGURE", help="Write which place each start reaches as .png, .svg or .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(
    name: str, method: str, rates: tuple[float, ...], starts: tuple[str, ...], per_side: int | None, as_json: bool, lang: str | None, **options: Any
) -> None:
    """Walk from A over B to F on a loss of two weights, and say what becomes of the walk: it converges, zig-zags, cycles, is chaotic, or escapes."""
    from ...storage.strict_json import dumps
    from ...surfaces import critical_points, descend
    from ...surfaces.descents import starts_around
    from ...surfaces.two_weights import two_weights
    from ...watch.language import chosen_language

    language, function = chosen_language(lang), two_weights(name)
    _refuse_endings(**options)
    begin: Any = starts_around(function.extent, per_side) if per_side else [_pair(text) for text in starts] or [_first_start(function)]
    walks: list[tuple[Descent, list[Fate]]] = []
    for rate in rates or (0.1,):
        walk = descend(function, begin, method=method, learning_rate=rate, steps=options["steps"], batch=options["batch"], seed=options["seed"])
        walks.append((walk, walk.fates()))
    points = critical_points(function)
    written = _written(walks, language, **options)
    if as_json:
        found = [{**walk.to_dict(), "fates": [fate.to_dict() for fate in ends]} for walk, ends in walks]
        click.echo(dumps({"schema": 1, "walks": found, "critical_points": [point.to_dict() for point in points], "figures": written}))
        return
    _show(function, walks, points, language)
    for place in written:
        click.echo(place)


def _show(function: "TwoWeights", walks: "list[tuple[Descent, list[Fate]]]", points: "list[CriticalPoint]", language: str) -> None:
    from ...reports.numerals import short

    rows: list[list[str]] = []
    for walk, ends in walks:
        for path, fate in list(zip(walk.paths, ends, strict=True))[:MOST_POINTS]:
            sentence = fate.sentence.in_language(language).removeprefix("It ")
            end, loss = path[-1], float(walk.losses[len(rows) % len(walk.paths)][-1])
            rows.append([short(walk.settings.learning_rate), _place(path[0]), _place(end), short(loss), sentence])
    show_table(HEADER[language], rows, title=function.formula)
    kept = sorted(points, key=lambda point: point.kind == "degenerate")[:MOST_POINTS]  # a valley gives many, the rest few
    if kept:
        click.echo("")
        kinds = KINDS_JA if language == "ja" else {}
        curved = [[kinds.get(p.kind, p.kind), _place((p.w1, p.w2)), short(p.loss), ", ".join(map(short, p.eigenvalues))] for p in kept]
        show_table(CRITICAL[language], curved)
    if len(points) > len(kept):
        more = len(points) - len(kept)
        click.echo(f"… ほか {more} 点" if language == "ja" else f"… and {more} more")


def _written(walks: "list[tuple[Descent, list[Fate]]]", language: str, *, output: str | None, animation: str | None, basins: str | None, **_: Any) -> list[str]:
    """Write the pictures that were asked for and return their places."""
    from ...reports.figures import figure_language, save_figure

    first, ends = walks[0]
    written = []
    if output:
        from ...surfaces.walk_figure import draw_ladder

        drawn_in = figure_language(output, language)
        figure = first.figure(language=drawn_in, fates=ends) if len(walks) == 1 else draw_ladder([(walk, fates[0]) for walk, fates in walks], drawn_in)
        written.append(save_figure(figure, output))
    if animation:
        from ...surfaces import animate

        written.append(animate(first, animation))
    if basins:
        from ...surfaces import basins as basins_of

        found = basins_of(first.function, method=first.method, learning_rate=first.settings.learning_rate)
        written.append(save_figure(found.figure(language=figure_language(basins, language)), basins))
    return written


def _refuse_endings(*, output: str | None, animation: str | None, basins: str | None, **_: Any) -> None:
    """Say before the work that a file cannot be written so."""
    for option, place, endings in (
        ("-o", output, (".png", ".svg", ".pdf")),
        ("--basins", basins, (".png", ".svg", ".pdf")),
        ("--animation", animation, (".gif", ".html")),
    ):
        if place and not place.lower().endswith(endings):
            raise UsageError(f"{option} should end in {', '.join(endings)}, and is {place!r}.")


def _pair(text: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--start should be two numbers with a comma, such as -2,1.5, and is {text!r}.") from None
    return first, second


def _first_start(function: "TwoWeights") -> tuple[float, float]:
    """Return a start on a slope: up left, off every axis of symmetry."""
    low, high, bottom, top = function.extent
    return low + 0.23 * (high - low), top - 0.11 * (top - bottom)


def _place(point: Any) -> str:
    from ...reports.numerals import short

    return f"({short(float(point[0]))}, {short(float(point[1]))})"
