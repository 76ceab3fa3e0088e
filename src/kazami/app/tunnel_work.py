"""What the wind tunnel computes, in a process of its own: diagrams, regime maps, orbits and maps of trainability, from coarse to fine."""

import base64
import math
import os
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..records.finding import Sentence
from ..records.regime import LETTERS
from .tunnel_presets import TILES, TILES_AT, TUNNELS, Tunnel
from .wire_tunnel import CellsPart, ChangePoint, ChangesPart, ColumnsPart, JobPart, NamePart, OrbitPart, TilePart, TrainabilityPart, TunnelWish

if TYPE_CHECKING:
    from ..maps import AbstractMap
    from ..records.estimate import Estimate
    from ..records.regime import Regime

Floats = NDArray[np.float64]
Tell = Callable[[int, int, JobPart | None], None]  # runs done, runs in all, and what there is to see

COARSEST = 8  # the first picture has every eighth column
MOST_EXPONENTS = 4
MEASURED = 800  # steps over which the exponents of an orbit are measured
LEAST_SEEN = 600  # steps of an orbit that are shown, at least
APART, FOLLOWED = 1e-9, 600  # of the two orbits whose distance is followed, and for how many steps
SATURATED = 1e-2  # of the largest distance: above, growth bends
MOST_NAMED = 16  # unsure cells of a regime map that are looked at again
UNSURE = LETTERS["unsure"]
LARGEST = 400  # weights up to which the curvature at the minimum is measured as a whole matrix
WIDTH, STEPS = 8, 200  # of the networks of the map of trainability


def work(wish: TunnelWish, tell: Tell) -> None:
    """Compute what is wished for, and tell of every step."""
    if wish.kind in ("trainability", "tiles"):
        return {"trainability": trainability, "tiles": tiles}[wish.kind](wish, tell)
    tunnel = TUNNELS[wish.preset]
    return {"diagram": diagram, "regimes": regimes, "orbit": orbit, "names": names}[wish.kind](tunnel, wish, tell)


def rates(wish: TunnelWish) -> Floats:
    """Return the learning rates of a wish: by equal factors where they span more than 30."""
    from ..dynamics.bifurcation import spaced

    return spaced(wish.low, wish.high, wish.members)


def passes(count: int) -> list[NDArray[np.int64]]:
    """Return the columns in the order in which they are computed: every eighth, those in the middle between, and so on.

    Example:
        >>> [part.tolist() for part in passes(10)]
        [[0, 8], [4], [2, 6], [1, 3, 5, 7, 9]]
    """
    found, stride = [np.arange(0, count, COARSEST)], COARSEST
    while stride > 1:
        found.append(np.arange(stride // 2, count, stride))
        stride //= 2
    return [part for part in found if len(part)]


def diagram(tunnel: Tunnel, wish: TunnelWish, tell: Tell) -> None:
    """Compute a bifurcation diagram."""
    from ..dynamics import bifurcation_diagram, standard_error
    from ..dynamics.bifurcation_points import bifurcation_points

    values, total = rates(wish), wish.members
    motions, exponents, letters, how, done = np.zeros(total, dtype=np.int64), np.zeros(total), [""] * total, "", 0
    for places in passes(total):
        base = done

        def progress(finished: int, base: int = base) -> None:
            tell(base + finished, total, None)

        m = tunnel.make(wish.second)
        found = bifurcation_diagram(m, tunnel.parameter, values[places], transient=wish.transient, keep=wish.keep, observe=tunnel.observe, progress=progress)
        done, how = done + len(places), found.how
        motions[places], exponents[places] = found.motions, found.exponents
        for place, letter in zip(places, found.letters(), strict=True):
            letters[place] = letter
        errors = np.array([standard_error(row) if np.isfinite(row).all() else math.nan for row in found.local])
        tell(done, total, JobPart(columns=ColumnsPart(found.values, found.letters(), found.exponents, errors, wish.keep, _packed(found.observed, "<f8"))))
    points = tuple(
        ChangePoint(point.kind, Sentence(point.sentence(), point.sentence("ja")), point.low, point.high, point.before, point.after, point.estimate)
        for point in bifurcation_points(values, motions, exponents)
    )
    threshold, reached_at = _threshold(tunnel, wish, values, letters)
    tell(total, total, JobPart(changes=ChangesPart(points, threshold, reached_at, how)))


def _packed(values: Floats, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")


def _threshold(tunnel: Tunnel, wish: TunnelWish, values: Floats, letters: list[str]) -> tuple[float, float]:
    r"""Return :math:`2/\lambda_{\max}` of the minimum reached at the middle one of the learning rates that come to rest, and that rate.

    Near the last of them orbits settle slowly. At a minimum a step of gradient descent is :math:`I - \eta H`, so that
    :math:`\lambda_{\max} = (1 - \mu_{\min}) / \eta` with its smallest eigenvalue.
    """
    import torch

    resting = [place for place, letter in enumerate(letters) if letter == "C"]
    m = tunnel.make(wish.second)
    if not resting or m.dimension > LARGEST:
        return math.nan, math.nan
    rate = float(values[resting[len(resting) // 2]])
    m.set_parameter(tunnel.parameter, rate)
    m.step(wish.transient + wish.keep)
    state = m.current_state()
    _, jacobian = m.advance_tangents(state, torch.eye(m.dimension, dtype=state.dtype), m.time)
    smallest = float(torch.linalg.eigvals(jacobian).real.min())
    return (2.0 * rate / (1.0 - smallest), rate) if smallest < 1.0 else (math.nan, math.nan)


def regimes(tunnel: Tunnel, wish: TunnelWish, tell: Tell) -> None:
    """Compute a regime map, row by row from the bottom; then the cells that their last steps leave unsure are named with all evidence, a few of each row."""
    from ..dynamics import bifurcation_diagram

    values, total = rates(wish), wish.rows * wish.members
    ups = np.linspace(wish.y_low, wish.y_high, wish.rows)
    ups = np.unique(np.round(ups)) if tunnel.preset.is_whole else ups
    total = len(ups) * wish.members
    unsure: list[tuple[int, CellsPart]] = []
    for row, up in enumerate(ups):

        def progress(finished: int, base: int = row * wish.members) -> None:
            tell(base + finished, total, None)

        m = tunnel.make(float(up))
        found = bifurcation_diagram(m, tunnel.parameter, values, transient=wish.transient, keep=wish.keep, observe=tunnel.observe, progress=progress)
        cells = CellsPart(row, float(up), found.values, found.letters())
        unsure += [(place, cells) for place, letter in enumerate(cells.letters) if letter == UNSURE]
        tell((row + 1) * wish.members, total, JobPart(cells=cells))
    _name_unsure(tunnel, wish, unsure, total, tell)


def _name_unsure(tunnel: Tunnel, wish: TunnelWish, unsure: list[tuple[int, CellsPart]], total: int, tell: Tell) -> None:
    """Name unsure cells with all evidence, spread over the map where they are more than can be looked at."""
    from ..dynamics import regime

    chosen = [unsure[at] for at in np.unique(np.linspace(0, len(unsure) - 1, min(len(unsure), MOST_NAMED)).astype(int))] if unsure else []
    named: dict[int, list[str]] = {}
    for done, (place, cells) in enumerate(chosen, 1):
        m = tunnel.make(cells.y)
        m.set_parameter(tunnel.parameter, float(cells.values[place]))
        letters = named.setdefault(cells.row, list(cells.letters))
        letters[place] = regime(m, wish.transient + max(wish.keep, MEASURED)).letter
        tell(total + done, total + len(chosen), JobPart(cells=replace(cells, letters="".join(letters))))


def orbit(tunnel: Tunnel, wish: TunnelWish, tell: Tell) -> None:
    """Follow one orbit: what it shows, its spectrum, the growth of a difference, its exponents, and last its regime."""
    from ..dynamics import lyapunov_spectrum, regime

    total = 4
    m = tunnel.make(wish.second)
    m.set_parameter(tunnel.parameter, wish.at)
    observed, distances = _followed(tunnel, m, wish)
    window, slope = fitted(distances)
    frequencies, power = spectrum(observed[np.isfinite(observed)])
    unknown = Sentence("Being measured.", "測定中です。")
    base: dict[str, Any] = {"at": wish.at, "second": math.nan if wish.second is None else wish.second, "first": wish.transient, "observed": observed}
    seen: dict[str, Any] = {"frequencies": frequencies, "power": power, "distances": distances, "window": window, "slope": slope}
    tell(2, total, JobPart(orbit=OrbitPart(**base, **seen, letter="", sentence=unknown, confidence=0.0)))
    if np.isfinite(observed).all():
        measured = lyapunov_spectrum(m, min(m.dimension, MOST_EXPONENTS), steps=MEASURED, transient=wish.transient)
        seen |= _measured(measured)
        tell(3, total, JobPart(orbit=OrbitPart(**base, **seen, letter="", sentence=unknown, confidence=0.0)))
    named: Regime = regime(m, wish.transient + max(wish.keep, MEASURED))
    tell(total, total, JobPart(orbit=OrbitPart(**base, **seen, letter=named.letter, sentence=named.sentence, confidence=named.confidence)))


def names(tunnel: Tunnel, wish: TunnelWish, tell: Tell) -> None:
    """Name the regime at each of some learning rates with all evidence, as for an orbit."""
    from ..dynamics import regime

    second = math.nan if wish.second is None else wish.second
    for done, rate in enumerate(wish.rates, 1):
        m = tunnel.make(wish.second)
        m.set_parameter(tunnel.parameter, rate)
        named = regime(m, wish.transient + max(wish.keep, MEASURED))
        tell(done, len(wish.rates), JobPart(name=NamePart(rate, second, named.letter, named.sentence, named.confidence)))


def _followed(tunnel: Tunnel, m: "AbstractMap", wish: TunnelWish) -> tuple[Floats, Floats]:
    """Return the observable along the orbit after its transient, and the logarithms of the distance to a second orbit that begins beside it."""
    import torch

    from ..dynamics.observables import Observable

    seen, state = Observable(m, tunnel.observe), m.current_state()
    for number in range(wish.transient):
        state = m.advance(state, number)
    nudge = torch.ones_like(state) * APART / math.sqrt(m.dimension)
    other, distances = state + nudge, [math.log(APART)]
    observed = np.full(max(wish.keep, LEAST_SEEN), math.nan)
    for number in range(len(observed)):
        if not bool(torch.isfinite(state).all()):
            break
        observed[number] = float(seen.of(state[None], wish.transient + number)[0])
        state = m.advance(state, wish.transient + number)
        if number < FOLLOWED and math.isfinite(distances[-1]):
            other = m.advance(other, wish.transient + number)
            apart = float(torch.linalg.vector_norm(other - state))
            distances.append(math.log(apart) if 0.0 < apart < math.inf else math.nan)
    return observed, np.array(distances)


def fitted(distances: Floats) -> tuple[tuple[int, ...], float]:
    """Return between which steps a straight line was laid through logarithms of distances, and its slope: up to a hundredth of the largest distance.

    Example:
        >>> grown = np.minimum(-20.0 + 0.5 * np.arange(100), 0.0)
        >>> window, slope = fitted(grown)
        >>> window, round(slope, 6)
        ((0, 31), 0.5)
    """
    known = distances[: int(np.argmin(np.isfinite(distances)))] if not np.isfinite(distances).all() else distances
    if len(known) < 3:
        return (), math.nan
    bend = known >= known.max() + math.log(SATURATED)
    grows = known.max() - known[0] > -2.0 * math.log(SATURATED)
    end = int(np.argmax(bend)) if grows else len(known)
    if end < 3:
        return (), math.nan
    return (0, end), float(np.polyfit(np.arange(end), known[:end], 1)[0])


def spectrum(observed: Floats) -> tuple[Floats, Floats]:
    """Return frequencies per step and the share of the variance at each (Hann window); nothing of fewer than 16 observations or of a constant."""
    if len(observed) < 16 or not np.ptp(observed) > 0.0:
        return np.empty(0), np.empty(0)
    power = np.abs(np.fft.rfft((observed - observed.mean()) * np.hanning(len(observed)))) ** 2
    frequencies = np.asarray(np.fft.rfftfreq(len(observed))[1:], dtype=np.float64)
    return frequencies, np.asarray(power[1:] / max(float(power[1:].sum()), 1e-300), dtype=np.float64)


def _measured(found: "Estimate") -> dict[str, Any]:
    counts = np.unique(np.linspace(1, max(found.steps, 1), 160).astype(np.int64))
    values, errors = np.atleast_1d(found.value), np.atleast_1d(found.uncertainty)
    settled = found.convergence.reshape(found.steps, -1)[counts - 1].T if found.steps else np.empty((0, 0))
    warnings = tuple(Sentence(str(text), text.in_language("ja")) for text in found.warnings)
    return {"exponents": values, "errors": errors, "counts": counts, "convergence": settled, "warnings": warnings}


def trainability(wish: TunnelWish, tell: Tell) -> None:
    """Compute a map of trainability, each time with twice as many pixels along its side."""
    from ..trainability import trainability_map
    from ..trainability.map_figure import levels, scale_of

    sides = [side for side in (wish.rows // 4, wish.rows // 2, wish.rows) if side >= 8]
    total, base = sum(side * side for side in sides), 0
    for side in sides:

        def progress(finished: int, asked: int, base: int = base) -> None:
            del asked
            tell(base + finished, total, None)

        window = ((wish.low, wish.high), (wish.y_low, wish.y_high))
        found = trainability_map(side, width=WIDTH, steps=STEPS, window=window, exact=True, progress=progress)
        base += side * side
        edge = found.dimension() if side == wish.rows else None
        shades = _packed(levels(found.values, scale_of(found.values)), "<f4")
        dimension, error = (edge.value, edge.uncertainty) if edge else (math.nan, math.nan)
        share, engine = found.converged_share, str(found.facts["engine"])
        tell(base, total, JobPart(trainability=TrainabilityPart(found.x, found.y, shades, share, dimension, error, engine)))


def tiles(wish: TunnelWish, tell: Tell) -> None:
    """Compute tiles of the map of trainability in the order asked for, and keep them on disk for as long as the server runs."""
    from ..trainability import TilePyramid, Window, mean_field_problem
    from ..trainability.map_figure import levels, scale_of

    window = Window(x=(TILES.low, TILES.high), y=(TILES.low, TILES.high))
    with tempfile.TemporaryDirectory() if TILES_AT not in os.environ else nullcontext(os.environ[TILES_AT]) as directory:
        pyramid = TilePyramid(directory, mean_field_problem("tanh", width=WIDTH, steps=STEPS), window, side=TILES.side)
        total = len(wish.tiles) * TILES.side**2
        tell(0, total, None)
        scale = scale_of(pyramid.tile(0, 0, 0)[0])  # the colours of all tiles are those of the first
        for done, (z, x, y) in enumerate(wish.tiles):

            def progress(finished: int, asked: int, base: int = done * TILES.side**2) -> None:
                del asked
                tell(base + finished, total, None)

            values, trained = pyramid.tile(z, x, y, progress=progress)
            part = TilePart(z, x, y, _packed(levels(values, scale), "<f4"), float(trained.mean()))
            tell((done + 1) * TILES.side**2, total, JobPart(tile=part))
