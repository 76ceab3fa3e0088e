"""Whole maps: against a plain program, reproducible, refined, interrupted, kept."""

import json
import math

import numpy as np
import pytest

from kazami.errors import UnknownName, UsageError
from kazami.reports.figures import save_figure
from kazami.trainability import mean_field_problem, open_map, trainability_map
from kazami.trainability.reference import Reference
from tests.trainability.naive import losses, measure

SMALL = {"width": 4, "steps": 30, "engine": "reference", "window": ((1e-1, 1e4), (1e-1, 1e4))}


def test_a_map_is_what_a_plain_program_finds_with_the_same_arrays():
    generator = np.random.default_rng(4)
    data, weights = (generator.normal(size=(9, 3)), generator.normal(size=9)), (generator.normal(size=(3, 5)), generator.normal(size=5))
    found = trainability_map((5, 4), steps=22, data=data, weights=weights, window=((1e-1, 1e3), (1e-1, 1e3)))
    problem = mean_field_problem(steps=22, data=data, weights=weights)
    expected = np.array([[measure(losses(problem, (a, b))) for a in np.logspace(-1, 3, 5)] for b in np.logspace(-1, 3, 4)])
    smooth = np.abs(found.values / expected - 1) < 1e-6
    assert (found.converged == (expected < 0)).all()
    assert smooth.mean() > 0.8  # the others are chaotic: rounding is amplified
    assert 0.1 < found.converged_share < 0.9


def test_the_same_seed_gives_the_same_map():
    first, again, other = (trainability_map(12, seed=seed, **SMALL) for seed in (1, 1, 2))
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


def test_the_published_share_and_a_rough_edge():
    """Half of this window trains; a smooth edge would have dimension 1."""
    found = trainability_map(64, width=8, steps=60, window=((1e-1, 1e4), (1e-1, 1e4)))
    assert found.converged_share == pytest.approx(0.53, abs=0.05)
    assert found.facts["points"] == 72


@pytest.mark.slow
def test_the_published_check():
    found = trainability_map(96, width=8, steps=100, window=((1e-1, 1e4), (1e-1, 1e4)))
    edge = found.dimension()
    assert found.converged_share == pytest.approx(0.53, abs=0.05)
    assert edge.value > 1.05
    assert edge.fit_range[0] >= 2
    assert edge.resolution == 95


def test_a_refined_map_is_the_exact_one_where_it_was_computed():
    exact, adaptive = (trainability_map(60, exact=exact, **SMALL) for exact in (True, False))
    assert exact.computed.all()
    assert 0.05 < adaptive.computed.mean() < 0.8
    assert np.array_equal(adaptive.values[adaptive.computed], exact.values[adaptive.computed])
    wrong = (adaptive.converged != exact.converged).mean()
    assert wrong <= adaptive.miss_bound
    assert (adaptive.miss_rate, exact.miss_rate, exact.miss_bound) == (0.0, 0.0, 0.0)


def test_the_axis_of_offsets():
    """Offset 0 is the map over both learning rates at once."""
    frame = {"width": 3, "steps": 25, "engine": "reference"}
    found = trainability_map((3, 4), condition="offset", window=((-1.0, 1.0), (0.1, 1e3)), **frame)
    whole = trainability_map(4, window=((0.1, 1e3), (0.1, 1e3)), **frame)
    assert found.window.axes == ("offset", "lr")
    assert found.values[:, 1] == pytest.approx(np.diag(whole.values), rel=1e-6)


def test_ctrl_c_keeps_what_is_done(monkeypatch):
    calls = []
    run = Reference.run

    def interrupted(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run(self, *arguments, **options)

    monkeypatch.setattr(Reference, "run", interrupted)
    found = trainability_map(20, **SMALL)
    assert not found.is_complete
    assert found.computed.sum() == found.facts["trained"] == 128
    assert 0.0 < found.converged_share <= 1.0
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert len(calls) == 3


def test_it_is_kept_and_opened(tmp_path):
    found = trainability_map((8, 6), **SMALL)
    held = open_map(found.save(str(tmp_path / "map.npz")))
    for name in ("values", "computed", "x", "y"):
        assert np.array_equal(getattr(held, name), getattr(found, name))
    assert held.window == found.window
    assert held.facts == found.facts
    with pytest.raises(UsageError, match="npz"):
        found.save("map.txt")
    (tmp_path / "other.npz").write_text("nothing")
    with pytest.raises(UsageError, match=r"other\.npz"):
        open_map(str(tmp_path / "other.npz"))


@pytest.mark.parametrize(("language", "word"), [("en", "train"), ("ja", "学習")])
def test_the_picture(tmp_path, language, word):
    figure = trainability_map(24, exact=False, **SMALL).figure(language=language)
    assert word in figure.axes[0].get_title(loc="left")
    save_figure(figure, str(tmp_path / "map.svg"))


def test_a_deep_zoom_has_ticks_that_differ(tmp_path):
    centre = 31.6227766
    span = (centre * (1 - 1e-9), centre * (1 + 1e-9))
    figure = trainability_map(4, **{**SMALL, "window": (span, span)}).figure()
    save_figure(figure, str(tmp_path / "map.svg"))
    texts = [label.get_text() for label in figure.axes[0].get_xticklabels() if label.get_text()]
    assert len(set(texts)) == len(texts) > 0


def test_progress_and_refusals():
    seen = []
    trainability_map(10, progress=lambda done, asked: seen.append((done, asked)), **SMALL)
    assert seen[-1] == (100, 100)
    with pytest.raises(UsageError, match="2 × 2"):
        trainability_map(1)
    with pytest.raises(UnknownName, match="float64"):
        trainability_map(4, dtype="float46")
    with pytest.raises(UnknownName, match="reference"):
        trainability_map(4, engine="referenze")
    assert math.isfinite(trainability_map(4, dtype="float32", **SMALL).values.sum())
