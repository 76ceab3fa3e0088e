"""Map which learning rates train a small network: the fractal edge of trainability."""

import math
from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from .._document import must_have_folder, write_data_and_figure, write_document
from .._look import Command
from .._progress import progress_bar
from .._tables import show_table

if TYPE_CHECKING:
    from ...trainability import TrainabilityMap

INTERRUPTED = 130
HEADER = {"en": ("what", "value"), "ja": ("項目", "値")}
WORDS = {
    "en": {
        "converged": "share that trains",
        "dimension": "box dimension of the edge (± error of the fit)",
        "fit": "fit: box sizes in pixels, R², local slopes (median)",
        "trained": "pixels trained, of all",
        "miss": "filled pixels found wrong, of those checked",
        "bound": "filled pixels wrong, at most (95 %)",
        "engine": "engine",
        "time": "time",
        "partial": "Interrupted: {share} % of the pixels are there.",
        "tiles": "{done} of {all} tiles are in {place}.",
        "none": "no edge",
        "hint": "Add -o map.png for the picture, --data map.npz for the values.",
    },
    "ja": {
        "converged": "学習できる割合",
        "dimension": "境界のボックス次元（± 当てはめの誤差）",
        "fit": "当てはめ: 箱の大きさ（画素）、R²、局所的な傾き（中央値）",
        "trained": "学習した画素、全画素",
        "miss": "補間の誤り、検査した画素",
        "bound": "補間の誤りの上限（95 %）",
        "engine": "エンジン",
        "time": "時間",
        "partial": "中断: 画素の {share} % まで計算済みです。",
        "tiles": "{place} に {all} 枚中 {done} 枚のタイルがあります。",
        "none": "境界なし",
        "hint": "図は -o map.png、値は --data map.npz で書き出せます。",
    },
}


@click.command("trainability", cls=Command)
@click.option("--size", default="256", show_default=True, metavar="N|CxR", help="Pixels along both axes, or columns x rows.")
@click.option("--condition", default="tanh", show_default=True, help="tanh, relu, linear, minibatch, single or offset.")
@click.option("--axes", metavar="X,Y", help="Two of lr0, lr1, offset; or offset,lr (default: the condition's own).")
@click.option("--zoom", "--window", "zoom", metavar="X0:X1,Y0:Y1", help="From where to where (default: 1e-3:1e6 on both axes).")
@click.option("--fixed", multiple=True, metavar="NAME=VALUE", help="A number that is on neither axis; may be given several times.")
@click.option("--steps", type=click.IntRange(1), default=500, show_default=True, help="Optimizer steps of each pixel.")
@click.option("--width", type=click.IntRange(1), default=16, show_default=True, help="Width of input and hidden layer.")
@click.option("--points", type=click.IntRange(1), help="Data points (default: as many as weights; the condition's own).")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of data, weights and batches.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float64", show_default=True, help="Precision; deep zooms need float64.")
@click.option("--exact/--adaptive", default=None, help="Train every pixel, or only those near the edge (default: exact up to 256 x 256).")
@click.option("--share", type=click.FloatRange(0.0, 1.0), default=0.01, show_default=True, help="Share of the filled pixels that is checked in each round.")
@click.option("--offset-each-step", is_flag=True, help="Add the weight offset before every step, as the paper's program does.")
@click.option("--engine", default="auto", show_default=True, help="auto, kernels or reference.")
@click.option("-o", "--output", "--png", "output", metavar="FIGURE", help="Write the map as .png, .svg or .pdf.")
@click.option("--data", metavar="FILE.npz", help="Write values, settings and what was trained.")
@click.option("--tiles", metavar="DIR", help="Also write a pyramid of tiles for zooming; a directory given twice goes on.")
@click.option("--levels", type=click.IntRange(1, 12), default=None, help="Levels of the pyramid (default: as fine as --size).")
@click.option("--json", "json_place", metavar="FILE|-", help="Write one JSON document; - for stdout, and nothing else there.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(output: str | None, data: str | None, tiles: str | None, levels: int | None, json_place: str | None, lang: str | None, **options: Any) -> int:
    """Train a small network once for every pixel, and show which learning rates work.

    Network, data and measure are those of arXiv 2402.06184. Of large maps only the pixels near the edge are trained; the rest is filled in, drawn paler, and
    checked at random. Ctrl-C keeps what is done.
    """
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    for place, endings in ((output, (".png", ".svg", ".pdf")), (data, (".npz",))):
        if place and not place.lower().endswith(endings):
            raise UsageError(f"The file should end in {', '.join(endings)}, and is called {place!r}.")
    for place in (output, data, json_place):
        must_have_folder(place, what="The map")
    asked = _asked(options)
    from ...trainability import trainability_map

    with progress_bar("trainability") as progress:
        found = trainability_map(**asked, progress=progress)
    told = {"schema": 1, **found.to_dict(), "figure": output, "data": data}
    is_whole = found.is_complete
    if tiles and is_whole:
        done, count = _tiled(asked, tiles, levels)
        told["tiles"] = {"directory": tiles, "done": done, "of": count}
        is_whole = done == count
    try:
        write_data_and_figure(found, data, output, language)
    finally:  # a full disk must not cost the answer
        _shown(found, told, json_place, language)
    return 0 if is_whole else INTERRUPTED


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """Return the map's arguments from the command's words."""
    each_step, size, zoom, axes, fixed = (options.pop(name) for name in ("offset_each_step", "size", "zoom", "axes", "fixed"))
    found = {**options, "size": _size(size), "offset": "every_step" if each_step else "initial"}
    if axes is not None:
        names = tuple(part.strip() for part in axes.split(","))
        if len(names) != 2:
            raise UsageError(f"--axes should be two names such as lr0,lr1, and is {axes!r}.")
        found["axes"] = names
    if zoom is not None:
        found["window"] = _window(zoom)
    found["fixed"] = dict(_pair(text) for text in fixed)
    return found


def _size(text: str) -> tuple[int, int]:
    try:
        parts = [int(part) for part in text.lower().replace("×", "x").split("x")]
    except ValueError:
        parts = []
    if len(parts) not in (1, 2) or min(parts) < 2:
        raise UsageError(f"--size should be a number of pixels such as 512, or columns x rows such as 640x480, at least 2 each, and is {text!r}.")
    return parts[0], parts[-1]


def _window(text: str) -> tuple[tuple[float, float], ...]:
    try:
        ends = tuple(tuple(float(end) for end in part.split(":")) for part in text.split(","))
    except ValueError:
        ends = ()
    if len(ends) != 2 or any(len(pair) != 2 for pair in ends):
        raise UsageError(f"--zoom should be X0:X1,Y0:Y1, for example 1e-1:1e4,1e-1:1e4, and is {text!r}.")
    return tuple((pair[0], pair[1]) for pair in ends)


def _pair(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise UsageError(f"--fixed should be NAME=VALUE, for example lr1=0.1, and is {text!r}.") from None


def _tiled(asked: dict[str, Any], place: str, levels: int | None) -> tuple[int, int]:
    from ...trainability import CONDITIONS, TilePyramid, Window, mean_field_problem
    from ...trainability.tiles import SIDE
    from ...trainability.window import DEFAULT

    names = ("condition", "width", "steps", "seed", "points", "offset")
    problem = mean_field_problem(**{name: asked[name] for name in names})
    ends = asked.get("window", (DEFAULT, DEFAULT))
    window = Window(asked.get("axes") or CONDITIONS[asked["condition"]].axes, *ends, tuple(sorted(asked["fixed"].items())))
    count = levels or max(1, 1 + math.ceil(math.log2(max(asked["size"]) / SIDE)))
    pyramid = TilePyramid(place, problem, window, dtype=asked["dtype"], exact=bool(asked["exact"]), engine=asked["engine"])
    with progress_bar("tiles") as progress:
        return pyramid.build(count, progress=progress), (4**count - 1) // 3


def _shown(found: "TrainabilityMap", told: dict[str, Any], json_place: str | None, language: str) -> None:
    words = WORDS[language]
    if not told["is_complete"]:
        click.echo(words["partial"].format(share=f"{100 * (1 - _missing(found)):.0f}"), err=True)
    if "tiles" in told:
        click.echo(words["tiles"].format(done=told["tiles"]["done"], all=told["tiles"]["of"], place=told["tiles"]["directory"]), err=True)
    if json_place:
        write_document(told, json_place, what="The map")
    if json_place == "-":
        return
    show_table(HEADER[language], _rows(told, words))
    places = [place for place in (told["figure"], told["data"], json_place) if place]
    click.echo("\n".join(places) if places else words["hint"], err=not places)


def _missing(found: "TrainabilityMap") -> float:
    import numpy as np

    return float(np.isnan(found.values).mean())


def _rows(told: dict[str, Any], words: dict[str, str]) -> list[tuple[str, str]]:
    from ...reports.numerals import short

    edge, cells = told["dimension"], told["rows"] * told["columns"]
    is_there = edge is not None and edge["value"] is not None
    rough = f"{edge['value']:.3f} ± {edge['uncertainty']:.3f}" if is_there else words["none"]
    rows = [(words["converged"], "–" if told["converged"] is None else short(told["converged"])), (words["dimension"], rough)]
    if is_there:
        low, high = edge["fit_range"]
        rows.append((words["fit"], f"{low}–{high} of {edge['resolution']}, {edge['r_squared']:.4f}, {edge['median_slope']:.3f}"))
    rows.append((words["trained"], f"{told['trained']} / {cells}"))
    if told["checked"]:
        rows.append((words["miss"], f"{told['missed']} / {told['checked']}"))
        rows.append((words["bound"], f"{100 * told['miss_bound']:.3g} %"))
    return [*rows, (words["engine"], told["engine"]), (words["time"], f"{told['seconds']:.1f} s")]
