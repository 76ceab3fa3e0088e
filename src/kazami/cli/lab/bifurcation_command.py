"""Draw what a training does in the long run over one of its settings: its bifurcation diagram."""

import os
from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from ...records import Sentence
from .._document import must_have_folder, write_data_and_figure, write_document
from .._progress import progress_bar
from .._tables import show_table
from .._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ...dynamics import Bifurcation
    from ...maps import AbstractMap, Training

INTERRUPTED = 130
MOST_SHOWN, MOST_HARVESTED = 24, 1000
HEADER = {"en": ("what happens", "from", "to", "estimate", "period"), "ja": ("変化", "下限", "上限", "推定", "周期")}
WORDS = {
    "en": {
        "none": "No change between the values tried.",
        "more": "… and {n} more (--json has them all)",
        "partial": "Interrupted: {done} of {all} values are there.",
    },
    "ja": {
        "none": "試した範囲に変化はありません。",
        "more": "… ほか {n} 件（--json にすべてあります）",
        "partial": "中断: {all} 個のうち {done} 個まで計算済みです。",
    },
}
HINT = {"en": "Add -o diagram.png for the picture, --data diagram.npz for the points.", "ja": "図は -o diagram.png、点は --data diagram.npz で書き出せます。"}


@click.command("bifurcation", cls=TargetCommand)
@click.option("--lr", metavar="LOW:HIGH", help="Learning rates from LOW to HIGH; short for --parameter learning_rate=LOW:HIGH.")
@click.option("--parameter", metavar="NAME=LOW:HIGH", help="Any setting of the optimizer (momentum=0:0.99), or a parameter of a toy map (r=2.5:4).")
@click.option("--members", type=click.IntRange(2), default=500, show_default=True, help="How many values; by equal factors where they span more than 30.")
@click.option("--transient", type=click.IntRange(0), default=1000, show_default=True, help="Steps before the ones that are kept.")
@click.option("--keep", type=click.IntRange(8), default=240, show_default=True, help="Steps kept of each value: members times keep is the number of points.")
@click.option("--observe", metavar="WHAT", help="loss (default), norm, sharpness, a weight (0.weight[3]), or the number of a coordinate.")
@click.option("--locate", type=click.IntRange(0), default=0, show_default=True, help="Narrow the interval of each change, up to sixteenfold, so many times.")
@click.option("-o", "--output", "--png", "output", metavar="FIGURE", help="Write the diagram as .png, .svg or .pdf.")
@click.option("--data", metavar="FILE.npz", help="Write all points and exponents.")
@click.option("--json", "json_place", metavar="FILE|-", help="Write one JSON document; - for stdout, and nothing else there.")
@target_options
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, **options: Any) -> int:
    """Draw the bifurcation diagram of TARGET: a script, a module:function that returns a kazami.Training, or a toy map by name (logistic, henon …).

    Every value starts from the same weights and sees the same batches. Shown are the last steps as density, the Lyapunov exponent below, and a table of the
    changes with their intervals. Ctrl-C keeps the values that are done. Options that kazami does not know are the script's own.
    """
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    for place, endings in ((options["output"], (".png", ".svg", ".pdf")), (options["data"], (".npz",))):
        if place and not place.lower().endswith(endings):
            raise UsageError(f"The file should end in {', '.join(endings)}, and is called {place!r}.")
    for place in (options["output"], options["data"], options["json_place"]):
        must_have_folder(place, what="The diagram")
    name, low, high = _range(options["lr"], options["parameter"])
    source = _source(words, module, input_shape, min(options["transient"] + options["keep"], MOST_HARVESTED), language)
    found = _found(source, name, (low, high), options)
    try:
        write_data_and_figure(found, options["data"], options["output"], language)
    finally:  # a full disk must not cost the answer
        _shown(found, options, language)
    return 0 if found.is_complete else INTERRUPTED


def _range(rates: str | None, parameter: str | None) -> tuple[str, float, float]:
    """Return name and ends of the parameter."""
    if (rates is None) == (parameter is None):
        raise UsageError("Give either --lr LOW:HIGH or --parameter NAME=LOW:HIGH.")
    name, _, span = ("learning_rate", "", rates) if rates is not None else (parameter or "").partition("=")
    try:
        low, high = (float(end) for end in (span or "").split(":"))
    except ValueError:
        raise UsageError(f"A range should be LOW:HIGH, for example 0.01:3, and is {span!r}.") from None
    if not low < high:
        raise UsageError(f"A range should go from a number to a larger one, and goes from {low:g} to {high:g}.")
    return ("learning_rate" if name.strip() == "lr" else name.strip()), low, high


def _source(words: tuple[str, ...], module: str | None, input_shape: str | None, steps: int, language: str) -> "AbstractMap | Training":
    """Return the training, or the toy map of this name."""
    if not module and len(words) == 1 and words[0].isidentifier() and not os.path.exists(words[0]):
        return _toy(words[0])
    target = loaded(words, module, input_shape, steps=steps)
    for sentence in target.said:
        click.echo(sentence.in_language(language) if isinstance(sentence, Sentence) else sentence, err=True)
    return target.needed_training()


def _toy(name: str) -> "AbstractMap":
    """Return the toy map of this name; what is neither a file nor a toy map is told with the closest name."""
    from ... import maps
    from ...errors import unknown_name
    from ...maps.toys._base import AbstractToyMap

    kinds = {known: getattr(maps, known) for known in maps.__all__}
    toys = {known.casefold(): kind for known, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, AbstractToyMap) and kind.defaults}
    wanted = name.replace("_", "").replace("-", "").casefold()
    if wanted not in toys:
        raise unknown_name("script or toy map", name, toys)
    made: AbstractMap = toys[wanted]()
    return made


def _found(source: "AbstractMap | Training", name: str, ends: tuple[float, float], options: dict[str, Any]) -> "Bifurcation":
    from ...dynamics import bifurcation_diagram
    from ...dynamics.bifurcation import spaced

    observe = options["observe"]
    what = int(observe) if observe is not None and observe.lstrip("-").isdigit() else observe
    count = options["members"]
    with progress_bar("bifurcation") as progress:
        found = bifurcation_diagram(
            source,
            name,
            spaced(*ends, count),
            transient=options["transient"],
            keep=options["keep"],
            observe=what,
            progress=lambda done: progress(done, count),
        )
        return found.located(options["locate"]) if options["locate"] and found.is_complete else found


def _shown(found: "Bifurcation", options: dict[str, Any], language: str) -> None:
    told = {"schema": 1, **found.to_dict(), "figure": options["output"], "data": options["data"]}
    words, place = WORDS[language], options["json_place"]
    if not found.is_complete:
        click.echo(words["partial"].format(done=len(found.values), all=options["members"]), err=True)
    if place:
        write_document(told, place, what="The diagram")
    if place == "-":
        return
    points = found.points()
    rows = [(point.sentence(language), *(f"{value:.7g}" for value in (point.low, point.high, point.estimate)), _periods(point)) for point in points]
    if rows:
        show_table(HEADER[language], rows[:MOST_SHOWN])
    else:
        click.echo(words["none"])
    if len(rows) > MOST_SHOWN:
        click.echo(words["more"].format(n=len(rows) - MOST_SHOWN))
    click.echo(found.how, err=True)
    places = [name for name in (options["output"], options["data"], place) if name]
    click.echo("\n".join(places) if places else HINT[language], err=not places)


def _periods(point: Any) -> str:
    said = {0: "X", -1: "V"}
    return f"{said.get(point.before, point.before)} → {said.get(point.after, point.after)}"
