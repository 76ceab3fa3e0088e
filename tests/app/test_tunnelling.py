"""The wind tunnel's computations: bounds, budget, cancelling, and numbers that are known."""

import base64
import json
import math
import time

import numpy as np
import pytest

from kazami.app.folder import RunFolder
from kazami.app.house import House
from kazami.app.reading import json_from
from kazami.app.refusals import BadRequest
from kazami.app.routes import tunnel
from kazami.app.routes._base import Asked
from kazami.app.tunnel_presets import TUNNELS
from kazami.app.tunnel_work import passes, spectrum, work
from kazami.app.tunnelling import ABANDONED, IDLE, LONGEST, Busy, Tunnelling
from kazami.app.wire import encoded
from kazami.app.wire_tunnel import TunnelWish
from kazami.errors import KazamiError, RunNotFound, UsageError
from tests.pages import eventually

CUBIC = {"client": "tester", "preset": "two_weights", "transient": 1500, "keep": 128}


@pytest.fixture(name="house")
def empty(tmp_path):
    made = House(RunFolder(str(tmp_path)))
    yield made
    made.close()


def ask(house, route, body=None, query=None, **path):
    """Return the answer as the browser gets it: strict JSON."""
    return json.loads(encoded(route(house).answer(Asked(path, query or {}, body))))


def begin(house, **wish):
    return ask(house, tunnel.TunnelStart, CUBIC | wish)


def until(house, job, is_there):
    """Look until something is there."""
    return eventually(lambda: ask(house, tunnel.TunnelLook, job=job), is_there)


def computed(**wish):
    """Return the parts of a computation in this process."""
    parts, counts = [], []

    def tell(done, total, part):
        counts.append((done, total))
        parts.extend([part] if part is not None else [])

    work(TunnelWish(**(CUBIC | wish)), tell)
    assert counts[-1][0] == counts[-1][1]
    assert [done for done, _ in counts] == sorted(done for done, _ in counts)
    return parts


def test_columns_come_from_coarse_to_fine_and_each_once():
    for count in (2, 3, 8, 10, 61):
        order = np.concatenate(passes(count))
        assert sorted(order.tolist()) == list(range(count))
    assert passes(64)[0].tolist() == list(range(0, 64, 8))


def test_the_cubic_map_doubles_where_theory_says_and_the_threshold_is_the_same_place():
    *columns, last = computed(kind="diagram", low=0.85, high=1.35, members=120)
    points = last.changes.points
    doublings = [point.estimate for point in points if point.kind == "doubling"]
    assert doublings[0] == pytest.approx(1.0, abs=2e-3)
    assert doublings[1] == pytest.approx(math.sqrt(5) - 1, abs=2e-3)
    assert last.changes.threshold == pytest.approx(1.0, abs=1e-9)  # sharpness 2 at the minimum
    assert sum(len(part.columns.values) for part in columns) == 120
    part = columns[0].columns
    observed = np.frombuffer(base64.b64decode(part.observed), dtype="<f8").reshape(len(part.values), part.keep)
    for rate, exponent, row in zip(part.values, part.exponents, observed, strict=True):
        if rate < 0.99:  # at rest on 1, where the multiplier is 1 - 2η
            assert row == pytest.approx(1.0, abs=1e-9)
            assert exponent == pytest.approx(math.log(abs(1 - 2 * rate)), abs=1e-6)


def test_the_regime_map_has_a_row_for_each_start_and_divergence_beyond_the_basin():
    rows = [part.cells for part in computed(kind="regimes", low=0.9, high=1.1, members=4, rows=3, y_low=0.5, y_high=3.0)]
    assert [row.y for row in rows] == [0.5, 1.75, 3.0]
    assert rows[0].letters[0] == "C"
    assert rows[0].letters[-1] == "P"
    assert set(rows[-1].letters) == {"V"}  # |w| > √((2 + η) / η) ≤ 1.8


def test_an_orbit_at_two_grows_by_a_factor_of_three():
    found = computed(kind="orbit", at=1.999, keep=600)[-1].orbit
    assert found.exponents[0] == pytest.approx(math.log(3), abs=0.1)
    assert found.slope == pytest.approx(math.log(3), abs=0.3)
    assert found.letter == "X"
    assert found.convergence.shape == (1, len(found.counts))
    assert found.convergence[0, -1] == pytest.approx(found.exponents[0])


def test_an_orbit_that_is_lost_is_told_as_that():
    found = computed(kind="orbit", at=3.0, transient=50)[-1].orbit
    assert found.letter == "V"
    assert not np.isfinite(found.observed).any()


def test_the_spectrum_finds_the_frequency():
    frequencies, power = spectrum(np.cos(2 * np.pi * 0.125 * np.arange(512)))
    assert frequencies[power.argmax()] == pytest.approx(0.125)
    assert power.sum() == pytest.approx(1.0)
    assert len(spectrum(np.ones(100))[0]) == 0


def test_a_map_of_trainability_comes_in_three_resolutions_with_its_dimension_at_the_end():
    parts = [part.trainability for part in computed(kind="trainability", preset="", low=0.1, high=1e4, y_low=0.1, y_high=1e4, rows=64)]
    assert [len(part.x) for part in parts] == [16, 32, 64]
    shades = np.frombuffer(base64.b64decode(parts[-1].shades), dtype="<f4").reshape(64, 64)
    assert shades[0, 0] < 0 < shades[-1, -1]  # small rates train, huge ones do not
    assert parts[-1].converged == pytest.approx((shades < 0).mean())
    assert math.isnan(parts[0].dimension)
    assert 0.8 < parts[-1].dimension < 2.0


def test_tiles_lie_beside_one_another_and_agree_with_a_map_of_their_window():
    from kazami.app.tunnel_presets import TILES
    from kazami.trainability import trainability_map

    tiles = {(part.tile.z, part.tile.x, part.tile.y): part.tile for part in computed(kind="tiles", preset="", tiles=((0, 0, 0), (1, 1, 0)))}
    assert set(tiles) == {(0, 0, 0), (1, 1, 0)}
    shades = np.frombuffer(base64.b64decode(tiles[1, 1, 0].shades), dtype="<f4").reshape(TILES.side, TILES.side)
    middle = math.sqrt(TILES.low * TILES.high)
    step = (TILES.high / middle) ** (1.0 / TILES.side)  # the map's pixels are at the ends of its window, the tile's in the middle of their squares
    ends = (middle * step**0.5, TILES.high / step**0.5)
    whole = trainability_map(TILES.side, width=8, steps=200, window=(ends, ends), exact=True)
    assert ((shades < 0) == (whole.values[::-1] < 0)).mean() > 0.99  # away from the edge pixels are filled in, and a few isles are missed


def test_regimes_are_named_with_all_evidence_where_it_is_asked_for():
    named = [part.name for part in computed(kind="names", rates=(0.9, 1.1, 1.9), low=0.0)]
    assert [(one.at, one.letter) for one in named] == [(0.9, "C"), (1.1, "P"), (1.9, "X")]


def test_the_network_of_twenty_weights_has_twenty():
    for name in ("two_weights", "twenty_weights"):
        made = TUNNELS[name].make(1.0)
        assert TUNNELS[name].parameter in made.current_parameters()
    assert TUNNELS["twenty_weights"].make(None).dimension == TUNNELS["twenty_weights"].preset.weights == 20


HOSTILE = [
    {"kind": "tiles", "tiles": [[0, 1, 0]]},
    {"kind": "tiles", "tiles": [[99, 0, 0]]},
    {"kind": "tiles", "tiles": [[-1, 0, 0]]},
    {"kind": "tiles", "tiles": [[0, 0]]},
    {"kind": "tiles", "tiles": [[0, 0, 0]] * 99},
    {"kind": "tiles", "tiles": []},
    {"kind": "names", "rates": [1e9]},
    {"kind": "names", "rates": []},
    {"preset": "__import__('os')"},
    {"preset": "../../etc"},
    {"members": 10**9},
    {"members": 1},
    {"members": -5},
    {"keep": 10**7},
    {"transient": -1},
    {"low": 2.0, "high": 1.0},
    {"low": 1.0, "high": 1.0},
    {"low": -1.0},
    {"high": 1e300},
    {"members": 4000, "transient": 20_000},
    {"client": ""},
    {"client": "a" * 1000},
    {"second": 1e300},
    {"kind": "regimes", "rows": 10**6},
    {"kind": "regimes", "members": 4000, "rows": 256},
    {"kind": "regimes", "y_low": 1.0, "y_high": 0.0},
    {"kind": "orbit", "at": 1e9},
    {"kind": "orbit", "at": 0.0},
    {"kind": "trainability", "low": 0.0, "high": 1.0, "y_low": 0.1, "y_high": 1.0},
    {"kind": "trainability", "low": 0.1, "high": 1.0, "y_low": 0.1, "y_high": 1.0, "rows": 10**5},
]


@pytest.mark.parametrize("wish", HOSTILE, ids=str)
def test_what_is_out_of_bounds_is_refused_with_a_sentence_and_no_process(house, wish):
    with pytest.raises(UsageError, match=r"\w+ \w+ \w+"):
        begin(house, **({"kind": "diagram", "low": 0.9, "high": 1.2} | wish))
    assert house.of(Tunnelling, Tunnelling)._workers == []


@pytest.mark.parametrize(
    "wish", [{"kind": "shell"}, {"members": "many"}, {"members": 10**400}, {"members": 1.5}, {"code": "import os"}, {"low": None}, {"at": [1]}], ids=str
)
def test_what_is_no_wish_is_refused(house, wish):
    with pytest.raises(BadRequest):
        begin(house, **({"kind": "diagram"} | wish))
    with pytest.raises(BadRequest):
        json_from(b'{"low": NaN}')


def test_unknown_computations_are_told_so(house):
    with pytest.raises(RunNotFound, match="again"):
        ask(house, tunnel.TunnelLook, job="gone")
    with pytest.raises(RunNotFound):
        ask(house, tunnel.TunnelCancel, {}, job="gone")
    with pytest.raises(BadRequest):
        ask(house, tunnel.TunnelLook, query={"after": "-1"}, job="gone")


def test_one_computation_a_page_two_in_all_and_cancelling_keeps_what_is_there(house):
    home = ask(house, tunnel.TunnelPresets)
    assert [one["name"] for one in home["presets"]] == list(TUNNELS)
    long = {"kind": "diagram", "low": 0.8, "high": 1.9, "members": 4000, "transient": 4000, "keep": 200}
    first = begin(house, **long)
    with pytest.raises(Busy, match="cancel"):
        begin(house, **long)
    second = begin(house, **(long | {"client": "another"}))
    with pytest.raises(Busy, match="2 computations"):
        begin(house, **(long | {"client": "third"}))
    there = until(house, first["job"], lambda state: state["parts"])
    assert there["state"] == "running"
    assert there["total"] == 4000
    assert there["seconds_left"] == "NaN" or there["seconds_left"] > 0
    own = next(one for one in house.of(Tunnelling, Tunnelling)._workers if one.job is not None and one.job.name == first["job"])
    cancelled = ask(house, tunnel.TunnelCancel, {}, job=first["job"])
    assert cancelled["state"] == "cancelled"
    assert not own.is_alive  # at once
    kept = ask(house, tunnel.TunnelLook, job=first["job"])
    assert len(kept["parts"]) >= len(there["parts"]) >= 1
    assert ask(house, tunnel.TunnelLook, query={"after": str(kept["position"])}, job=first["job"])["parts"] == []
    ask(house, tunnel.TunnelCancel, {}, job=second["job"])
    quick = begin(house, kind="diagram", low=0.9, high=1.2, members=16)  # there is room again
    assert until(house, quick["job"], lambda state: state["state"] == "done")["done"] == 16


def test_a_process_that_dies_is_told_and_replaced(house):
    job = begin(house, kind="diagram", low=0.8, high=1.9, members=4000, transient=4000, keep=200)
    house.of(Tunnelling, Tunnelling)._workers[0]._process.kill()
    state = until(house, job["job"], lambda state: state["state"] == "failed")
    assert "memory" in state["problem"]["en"]
    assert house.of(Tunnelling, Tunnelling)._workers == []


def test_a_house_that_is_closed_leaves_no_process_behind(house):
    begin(house, kind="diagram", low=0.8, high=1.9, members=4000, transient=4000, keep=200)
    workers = list(house.of(Tunnelling, Tunnelling)._workers)
    house.close()
    assert not any(worker.is_alive for worker in workers)
    with pytest.raises(KazamiError):
        begin(house, kind="diagram", low=0.9, high=1.2)


def test_what_nobody_asks_for_any_more_is_ended_and_so_is_what_has_nothing_to_do(house):
    long = {"kind": "diagram", "low": 0.8, "high": 1.9, "members": 4000, "transient": 4000, "keep": 200}
    tunnelling, job = house.of(Tunnelling, Tunnelling), begin(house, **long)["job"]
    worker = tunnelling._workers[0]
    tunnelling._look_after(worker, time.monotonic())
    assert worker.is_alive
    tunnelling._look_after(worker, time.monotonic() + ABANDONED + 1)
    assert ask(house, tunnel.TunnelLook, job=job)["state"] == "cancelled"
    second = begin(house, **long)["job"]
    tunnelling._look_after(tunnelling._workers[0], time.monotonic() + LONGEST + 1)
    assert "ended after" in ask(house, tunnel.TunnelLook, job=second)["problem"]["en"]
    tunnelling.warm_up()
    idle = tunnelling._workers[0]
    tunnelling._look_after(idle, time.monotonic() + IDLE + 1)
    assert not idle.is_alive
