"""A stored proof as the page gets it."""

import itertools
import json
import math

import numpy as np
import pytest

from kazami.app.proof_view import chance_of, proof_view
from kazami.app.wire import encoded
from kazami.storage import StoredProof
from tests.reports import proofs, runs

INFO = runs.info("a-cure-1", 200)


def shown(proof, **changes):
    return proof_view("a-cure-1", INFO, StoredProof(proof, **changes))


@pytest.mark.parametrize("name", proofs.ALL)
def test_every_proof_crosses_as_strict_json(name):
    data = json.loads(encoded(shown(proofs.ALL[name](), diff=proofs.DIFF)))
    assert data["line"]["state"] == {"unproved": "open", "well": "well"}.get(name, "proved")
    assert data["diff"] == proofs.DIFF


def test_the_metrics_are_those_of_the_seeds():
    view = shown(proofs.cured())
    score, loss = view.metrics
    gains = [row.after - row.before for row in view.rows]
    assert (score.improved, score.seeds) == (3, 3)
    assert score.before == pytest.approx(0.11)
    assert score.gain == pytest.approx(float(np.median(gains)))
    assert (score.after_low, score.after_high) == pytest.approx((0.9, 0.92))
    assert loss.before == pytest.approx(2.32)
    assert loss.gain < 0
    assert loss.improved == 3


def test_a_worse_loss_does_not_count_as_improved():
    cured = proofs.cured()
    _, loss = shown(proofs.cured(losses_before=cured.losses_after, losses_after=cured.losses_before)).metrics
    assert loss.improved == 0


def test_a_training_that_runs_away_has_no_number_before_and_improves_all_the_same():
    view = shown(proofs.run_away())
    score, loss = view.metrics
    assert math.isnan(score.before)
    assert math.isnan(loss.before)
    assert loss.improved == score.improved == 3
    assert view.curves.before.lost == 41
    assert view.curves.after.lost is None


def test_chance_is_that_of_the_permutation_test():
    before, after = [0.1, 0.3, 0.2, 0.15], [0.5, 0.4, 0.6, 0.7]
    dealt = list(itertools.combinations([*before, *after], 4))
    as_good = [arm for arm in dealt if min(arm) > max(set(before + after) - set(arm))]
    assert chance_of(before, after, 4) == pytest.approx(len(as_good) / len(dealt))
    assert math.isnan(chance_of([0.1, 0.5, 0.2], [0.4, 0.6, 0.7], 3))
    assert math.isnan(chance_of([0.1, 0.2], [0.9, 0.8], 3))


def test_both_curves_stand_on_one_axis_with_each_seed_of_its_own():
    curves = shown(proofs.cured()).curves
    assert curves.last == 200
    assert np.array_equal(curves.before.steps, curves.after.steps)
    assert len(curves.before.seeds) == len(curves.after.seeds) == 3
    assert np.all(np.nanmin(curves.after.seeds, axis=0) == curves.after.low)
    assert curves.low == pytest.approx(min(np.nanmin(band.low) for band in (curves.before, curves.after)))


def test_maps_are_there_where_layers_were_seen():
    trace = runs.vanishing().trace
    view = shown(proofs.cured(), before=trace)
    assert view.map_before.names == [layer.name for layer in trace.layers]
    assert view.map_after is None


def test_the_accepted_candidate_is_marked():
    tried = shown(proofs.cured()).tried
    assert [one.is_accepted for one in tried] == [False, True]
    assert tried[1].names == ["lower_learning_rate"]
