"""Show which small changes of the input change the output most, and the linear model that holds nearby."""

from typing import TYPE_CHECKING, Any

import click

from .._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ...nets.inside.local_model import LocalModel
    from ...nets.inside.sensitivity import Sensitivity

MOST_ROWS = 8
MOST_INPUTS = 12


@click.command("sensitivity", cls=TargetCommand)
@target_options
@click.option("--count", "k", type=click.IntRange(min=1), default=3, show_default=True, help="How many amplifying directions.")
@click.option("--row", type=int, default=0, show_default=True, help="Which row of the example the linear model and the map are for.")
@click.option("--tolerance", type=float, default=0.1, show_default=True, help="Largest error of the linear model within its radius.")
@click.option("--map", "map_file", metavar="FILE", help="Write a map of the sensitivity over the two most amplifying directions (.png, .svg, .pdf).")
@click.option("--json", is_flag=True, help="Print one JSON document instead.")
def command(
    words: tuple[str, ...],
    module: str | None,
    input_shape: str | None,
    lang: str | None,
    k: int,
    row: int,
    tolerance: float,
    map_file: str | None,
    json: bool,
) -> None:
    """Measure how TARGET, a script or module:function, answers to small changes: amplifying directions, the linear model around one input, shares."""
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    target = loaded(words, module, input_shape)
    from ...nets.inside.sensitivity import sensitivity

    example = target.needed_example()
    found = sensitivity(target.model, example, k, keywords=target.keywords)
    around, why_not = _around(target, row, tolerance)
    written = None if map_file is None else _map(target, row, map_file, language)
    if json:
        click.echo(
            dumps({"schema": 1, "target": target.name, "sensitivity": found.to_dict(), "local_model": around.to_dict() if around else None, "map": written})
        )
        return
    for sentence in dict.fromkeys([*found.said, *(around.said if around else [])]):
        click.echo(sentence.in_language(language))
    _show_directions(found, language)
    if around is None:
        click.echo(why_not, err=True)
    else:
        _show_shares(around, language)
    if written:
        click.echo(written)


def _around(target: Any, row: int, tolerance: float) -> "tuple[LocalModel | None, str]":
    """Return the linear model around a row, or why there is none: its matrix may be too large."""
    from ...nets.inside.local_model import MatrixTooLarge, local_model

    try:
        return local_model(target.model, target.needed_example(), target.keywords, row=row, tolerance=tolerance), ""
    except MatrixTooLarge as error:
        return None, str(error)


def _map(target: Any, row: int, path: str, language: str) -> str:
    from ...nets.inside.sensitivity_slice import sensitivity_map
    from ...reports.figures import figure_language, save_figure

    return save_figure(sensitivity_map(target.model, target.needed_example(), keywords=target.keywords, row=row).figure(figure_language(path, language)), path)


def _show_directions(found: "Sensitivity", language: str) -> None:
    from ...reports.numerals import short
    from .._tables import show_table

    japanese = language == "ja"
    header = ["入力" if japanese else "input", *(f"σ{i + 1}" for i in range(found.values.shape[1])), "傾きの下界" if japanese else "slope at least"]
    rows = [[str(i), *map(short, values), short(slope)] for i, (values, slope) in enumerate(zip(found.values.tolist(), found.lipschitz.tolist(), strict=True))]
    click.echo("")
    show_table(header, rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        click.echo(f"… {len(rows)}" if japanese else f"… {len(rows)} inputs in all; --json has them")


def _show_shares(around: "LocalModel", language: str) -> None:
    from ...reports.numerals import short
    from .._tables import show_table

    japanese = language == "ja"
    names = [f"{name}{list(place)}" if place else name for name, shape in around.inputs for place in _places(shape)]
    gradient, integrated = around.shares.gradient.tolist(), around.shares.integrated.tolist()
    order = sorted(range(len(names)), key=lambda i: -abs(gradient[i]))[:MOST_INPUTS]
    header = ("入力", "値", "寄与（傾き）", "寄与（積分）") if japanese else ("input", "value", "share by slope", "share integrated")
    click.echo("")
    n = len(names)
    title = f"出力 {around.shares.output} への寄与（大きい順、全 {n} 個）" if japanese else f"shares in output {around.shares.output}, largest of {n}"
    show_table(header, [(names[i], short(float(around.point[i])), short(gradient[i]), short(integrated[i])) for i in order], title=title)


def _places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    import itertools

    return list(itertools.product(*map(range, shape)))
