"""The catalogue as a picture: every activation and its slope, side by side on the same axes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...reports.figures import ACCENT, INK, MUTED, PATH, drawing, new_figure
from .entries import Activation
from .interval import Interval, short_signed
from .line import RealLine
from .profile import ScalarProfile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_REACH, _LOW, _HIGH = 6.5, -1.9, 3.2
_COLUMNS = 5
_GAP = 1e-6  # invisible, and wide enough to lift the pen
_DEAD, _SATURATED = "#c9d1d8", "#ebeff2"


def catalogue_figure(activations: Sequence[Activation]) -> "Figure":
    """Return a figure with one panel per activation: the function as a line, its slope dashed, saturated and dead zones shaded.

    Args:
        activations: Which, in this order; :func:`.catalogue.all_activations` for all.

    Returns:
        A matplotlib figure; write it with ``kazami.reports.figures.save_figure``.

    Limits:
        Of a gate the slice at value 1 is drawn, of softmax and its like the first component along its own axis, the other inputs being 0.
    """
    columns = min(_COLUMNS, len(activations))
    rows = math.ceil(len(activations) / columns)
    width, height = (6.4, 4.2) if len(activations) == 1 else (2.45 * columns, 1.95 * rows + 0.9)
    figure, axes = new_figure(rows, columns, width=width, height=height, sharex=True, sharey=True, squeeze=False)
    with drawing():
        panels = axes.reshape(-1)
        for panel, one in zip(panels, activations, strict=False):
            _draw(panel, one, is_single=len(activations) == 1)
        for panel in panels[len(activations) :]:
            panel.set_visible(False)
        for place in range(len(activations) - columns, len(activations)):
            panels[place].tick_params(labelbottom=True)
        figure.suptitle(_finding(activations), x=0.01, ha="left", fontsize=12 if len(activations) > 1 else 10.5)
        figure.supxlabel("input x", fontsize=10, color=INK)
        figure.supylabel("φ(x), and its slope φ′(x)", fontsize=10, color=INK)
        lines = panels[0].get_lines()[-2:]
        figure.legend(lines, ["φ", "slope φ′"], loc="upper right", ncols=2, fontsize=10)
    return figure


def _finding(activations: Sequence[Activation]) -> str:
    if len(activations) == 1:
        one = activations[0]
        bound = short_signed(one.derivative_max if one.kind == "scalar" else one.jacobian_norm_max)
        what = "largest slope" if one.kind == "scalar" else "largest Jacobian norm"
        return f"{one.title}: {what} {bound}, range {one.range}"
    scalar = [one for one in activations if one.kind == "scalar"]
    endless = sum(any(math.isinf(end) for zone in one.saturation for end in zone) for one in scalar)
    dead = sum(bool(one.dead_zones) for one in scalar)
    first = f"{endless} of {len(scalar)} activations of one number stop learning far out (light: slope below 1 % of the largest),"
    return f"{first}\n{dead} have a zone with no slope at all (dark)"


def _slice(one: Activation) -> ScalarProfile:
    if one.kind == "scalar" and isinstance(one.profile, ScalarProfile):
        return one.profile
    if one.kind == "gate":
        return ScalarProfile(lambda t: one.function(torch.stack([torch.ones_like(t), t], dim=-1))[..., 0])
    return ScalarProfile(lambda t: one.function(torch.stack([t, torch.zeros_like(t)], dim=-1))[..., 0])


def _draw(panel: Any, one: Activation, *, is_single: bool) -> None:
    profile = _slice(one)
    x, value, slope = _curves(profile.line)
    if one.kind == "scalar":
        _shade(panel, one.saturation, _SATURATED)
        _shade(panel, one.dead_zones, _DEAD)
    panel.axhline(0, color=MUTED, linewidth=0.7, zorder=1)
    panel.axvline(0, color=MUTED, linewidth=0.7, zorder=1)
    panel.plot(x, value, color=ACCENT, zorder=3)
    panel.plot(x, slope, color=PATH, linestyle=(0, (4, 2)), linewidth=1.4, zorder=2)
    panel.set_xlim(-_REACH, _REACH)
    panel.set_ylim(_LOW, _HIGH)
    panel.set_xticks([-5, 0, 5])
    panel.set_yticks([-1, 0, 1, 2, 3])
    panel.grid(visible=False)
    if not is_single:
        panel.set_title(one.title + {"gate": ", a = 1", "vector": ", (x, 0)"}.get(one.kind, ""), fontsize=10)
    if one.kind == "scalar" and not is_single:
        panel.text(0.03, 0.95, f"φ′ ≤ {short_signed(one.derivative_max)}", transform=panel.transAxes, va="top", fontsize=8.5, color=PATH)


def _curves(line: RealLine) -> tuple[Any, Any, Any]:
    """Return the curves, interrupted where they jump."""
    breaks = [place for place in line.breaks if place.order <= 1 and abs(place.at) < _REACH]
    beside = [end for place in breaks for end in (place.at - _GAP, place.at, place.at + _GAP)]
    x = np.unique(np.concatenate([np.linspace(-_REACH, _REACH, 521), np.asarray(beside, dtype=np.float64)]))
    value, slope = line.value(x), line.derivative(x)
    for place in breaks:
        is_at = np.abs(x - place.at) < 0.5 * _GAP
        slope[is_at] = np.nan
        if place.order == 0:
            value[is_at] = np.nan
    return x, value, slope


def _shade(panel: Any, zones: Sequence[Interval], colour: str) -> None:
    for zone in zones:
        panel.axvspan(max(zone.low, -_REACH), min(zone.high, _REACH), color=colour, linewidth=0, zorder=0)
