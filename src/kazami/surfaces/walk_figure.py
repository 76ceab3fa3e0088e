"""Walks drawn on their surface: A where they start, F where they end, each in the colour of the minimum it reaches; the losses beside it."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records import Sentence
from ..reports.figures import DASHES, INK, MUTED, PATH, SERIES, drawing
from ..reports.numerals import short
from .destinations import destinations
from .landscape_figure import LOSS, levels_of, shades
from .two_weights import two_weight_surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .basin_map import Basins
    from .descents import Descent
    from .fates import Fate
    from .stationary import CriticalPoint

STEP = Sentence("step", "ステップ")
MARKS = {"minimum": ("*", 12), "saddle": ("X", 8), "maximum": ("^", 8)}
KINDS = {"minimum": Sentence("minimum", "極小"), "saddle": Sentence("saddle", "鞍点"), "maximum": Sentence("maximum", "極大")}
MOST_NAMED = 3  # with more walks the letters would hide them
NOWHERE = "#8a949c"


def draw_walks(descent: "Descent", fates: "list[Fate]", language: str) -> "Figure":
    """Return the walks from above and their losses over the steps."""
    from ..reports.figures import new_figure

    figure, (left, right) = new_figure(1, 2, width=10.4, height=4.9, width_ratios=(1.25, 1))
    with drawing():
        figure.suptitle(title_of(descent, fates).in_language(language), fontsize=11, x=0.02, ha="left", color=INK)
        draw_ground(left, descent.function, language)
        owners = destinations(descent.ends, descent.function)
        few = len(descent.paths) <= MOST_NAMED
        for index, path in enumerate(descent.paths):
            colour = PATH if len(descent.paths) == 1 else NOWHERE if owners[index] < 0 else SERIES[1:][owners[index] % (len(SERIES) - 1)]
            _draw_path(left, path, colour, is_named=few)
            losses = descent.losses[index]
            right.plot(np.arange(len(losses)), losses, color=colour, linestyle=DASHES[0] if owners[index] >= 0 else DASHES[2], linewidth=1.5 if few else 0.9)
        positive = descent.losses[np.isfinite(descent.losses) & (descent.losses > 0.0)]
        if positive.size and np.nanmin(descent.losses) >= 0.0 and positive.max() / positive.min() > 30.0:
            right.set_yscale("log")
            right.set_ylim(bottom=max(positive.min(), 1e-12 * positive.max()) / 2)
        right.set(xlabel=STEP.in_language(language), ylabel=LOSS.in_language(language))
    return figure


def draw_ladder(walks: "list[tuple[Descent, Fate]]", language: str) -> "Figure":
    """Return one small picture per learning rate, the first walk of each."""
    from ..reports.figures import new_figure

    columns = min(3, len(walks))
    rows = -(-len(walks) // columns)
    figure, panels = new_figure(rows, columns, width=3.6 * columns, height=3.5 * rows + 0.3, squeeze=False, sharex=True, sharey=True)
    with drawing():
        first = walks[0][0]
        name = first.method.replace("_", " ")
        figure.suptitle(f"{name}: {first.function.formula}", fontsize=11, x=0.02, ha="left", color=INK)
        for axes, (descent, fate) in zip(panels.flat, walks, strict=False):
            draw_ground(axes, descent.function, language)
            _draw_path(axes, descent.paths[0], PATH, is_named=False)
            sentence = fate.sentence.in_language(language).rstrip(".。").removeprefix("It ")
            axes.set_title("\n".join(textwrap.wrap(f"η = {short(descent.settings.learning_rate)}: {sentence}", 24 if language == "ja" else 44)), fontsize=8)
        for axes in panels.flat[len(walks) :]:
            axes.set_visible(False)
    return figure


def draw_ground(axes: Any, function: Any, language: str) -> None:
    """Draw the contours of a loss of two weights."""
    surface = two_weight_surface(function, resolution=121)
    heights, levels, norm = levels_of(surface.values)
    if levels is not None:
        axes.contourf(surface.a, surface.b, np.ma.masked_invalid(heights), levels=levels, cmap=shades(), norm=norm, extend="both")
        axes.contour(surface.a, surface.b, np.ma.masked_invalid(heights), levels=levels, colors=MUTED, linewidths=0.4)
    axes.grid(False)
    axes.set(xlabel="w₁", ylabel="w₂", xlim=(surface.a[0], surface.a[-1]), ylim=(surface.b[0], surface.b[-1]))
    axes.set_title(function.formula, fontsize=8, color=MUTED)


def title_of(descent: "Descent", fates: "list[Fate]") -> Sentence:
    """Return the finding of a picture of walks."""
    rate = f"η = {short(descent.settings.learning_rate)}"
    name = descent.method.replace("_", " ")
    if len(fates) == 1:
        return Sentence(f"{name}, {rate}: {fates[0].sentence.en[3:].rstrip('.')}", f"{name}、{rate}: {fates[0].sentence.ja.rstrip('。')}")
    owners = destinations(descent.ends, descent.function)
    n_reached, n_places = int((owners >= 0).sum()), len(set(owners[owners >= 0].tolist()))
    chaotic, escaped, cycles = (sum(fate.outcome.name == name for fate in fates) for name in ("CHAOTIC", "ESCAPED", "CYCLE"))
    rest = [(cycles, "cycle", "が周期運動"), (chaotic, "chaotic", "がカオス"), (escaped, "escape", "が発散")]
    places = "place" if n_places == 1 else "places"
    english = "".join(f", {count} {word}" for count, word, _ in rest if count)
    japanese = "".join(f"、{count} 本{word}" for count, _, word in rest if count)
    return Sentence(
        f"{name}, {rate}: {n_reached} of {len(fates)} walks come to rest, at {n_places} {places}{english}",
        f"{name}、{rate}: {len(fates)} 本中 {n_reached} 本が {n_places} か所に落ち着く{japanese}",
    )


def draw_basins(basins: "Basins", language: str) -> "Figure":
    """Return the plane coloured by where a descent from each point ends, with the critical points."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    from ..reports.figures import new_figure

    figure, axes = new_figure(width=6.8, height=5.2)
    with drawing():
        figure.suptitle(basins.finding.in_language(language), fontsize=11, x=0.02, ha="left", color=INK)
        tints = [_pale(SERIES[1:][k % (len(SERIES) - 1)]) for k in range(len(basins.places))]
        image = np.where(basins.owners < 0, len(tints), basins.owners)
        axes.pcolormesh(basins.a, basins.b, image, cmap=ListedColormap([*tints, "#ffffff"]), vmin=-0.5, vmax=len(tints) + 0.5)
        surface = two_weight_surface(basins.function, resolution=121, extent=(basins.a[0], basins.a[-1], basins.b[0], basins.b[-1]))
        heights, levels, _ = levels_of(surface.values)
        if levels is not None:
            axes.contour(surface.a, surface.b, np.ma.masked_invalid(heights), levels=levels, colors=MUTED, linewidths=0.5)
        handles = [Patch(facecolor=tint, edgecolor=MUTED, label=_place_name(basins, k, language)) for k, tint in enumerate(tints)][:8]
        if (basins.owners < 0).any():
            handles.append(Patch(facecolor="white", edgecolor=MUTED, label=Sentence("does not come to rest", "落ち着かない").in_language(language)))
        handles += mark_critical(axes, basins.critical, language)
        axes.grid(False)
        axes.set(xlabel="w₁", ylabel="w₂", xlim=(basins.a[0], basins.a[-1]), ylim=(basins.b[0], basins.b[-1]))
        figure.legend(handles=handles, loc="outside right upper", fontsize=8)
    return figure


def mark_critical(axes: Any, points: "list[CriticalPoint]", language: str) -> list[Any]:
    """Mark critical points, each kind with its own sign, and return a handle for each kind."""
    handles = []
    for kind, (marker, size) in MARKS.items():
        places = np.array([(point.w1, point.w2) for point in points if point.kind == kind]).reshape(-1, 2)
        if len(places):
            look = {"marker": marker, "markersize": size, "color": INK, "markeredgecolor": "white", "linestyle": ""}
            handles += axes.plot(places[:, 0], places[:, 1], label=KINDS[kind].in_language(language), zorder=11, **look)
    return handles


def _draw_path(axes: Any, path: np.ndarray, colour: str, *, is_named: bool) -> None:
    finite = path[np.isfinite(path).all(1)]
    axes.plot(finite[:, 0], finite[:, 1], color="white", linewidth=2.6, zorder=9)
    axes.plot(finite[:, 0], finite[:, 1], color=colour, linewidth=1.2, marker="o", markersize=2.2, zorder=10)
    axes.plot(*finite[0], marker="o", markersize=7, color=colour, markerfacecolor="white", zorder=11)
    axes.plot(*finite[-1], marker="*", markersize=12, color=colour, markeredgecolor="white", zorder=12)
    if not is_named:
        return
    halfway = int(np.argmax(np.cumsum(np.linalg.norm(np.diff(finite, axis=0), axis=1)) >= 0.5 * np.linalg.norm(np.diff(finite, axis=0), axis=1).sum()))
    for letter, place in (("A", finite[0]), ("B", finite[halfway]), ("F", finite[-1])):
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
        axes.annotate(letter, place, xytext=(7, 7), textcoords="offset points", color=PATH, fontweight="bold", zorder=13, bbox=box, annotation_clip=True)


def _place_name(basins: "Basins", index: int, language: str) -> str:
    w1, w2 = basins.places[index]
    share = float((basins.owners == index).mean())
    where = Sentence("valley near", "谷") if basins.is_valley[index] else Sentence("", "")
    return f"{where.in_language(language)} ({short(w1)}, {short(w2)}): {share:.0%}".strip()


def _pale(colour: str) -> Any:
    from matplotlib.colors import to_rgb

    return tuple(0.45 + 0.55 * part for part in to_rgb(colour))
