"""compare: stored runs whose parting is known."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import kazami
from kazami.comparison import compare
from kazami.errors import RunNotFound, RunUnreadable
from tests.comparison.runs import orbit, stored

DRAW = np.random.default_rng(0)
START = DRAW.uniform(0.1, 0.9, (2, 40))


def logistic(x):
    return 4 * x * (1 - x)


def test_the_same_twice_is_the_same():
    rows = orbit(logistic, START, 100)
    found = compare(stored(rows), stored(rows))
    assert (found.kind, found.first, found.growth) == ("same", None, None)
    assert "step 100" in found.sentence.en
    assert "ステップ 100" in found.sentence.ja


def test_a_perturbed_chaotic_map_parts_at_its_own_exponent():
    found = compare(stored(orbit(logistic, START, 120)), stored(orbit(logistic, START + 1e-13 * DRAW.standard_normal(START.shape), 120)))
    assert found.kind == "exponential"
    assert found.growth.rate == pytest.approx(np.log(2), abs=0.02)  # the map's Lyapunov exponent
    assert found.growth.r2 > 0.99
    assert found.horizon == pytest.approx(-np.log(2e-13) / np.log(2), abs=4)
    assert f"beyond about {round(found.horizon)} steps" in found.sentence.en


def test_an_unstable_linear_map_parts_at_the_logarithm_of_its_factor():
    factors = np.full(START.shape, 0.98)
    factors[1, 3] = 1.17
    start = START.copy()
    start[1, 3] = 0.0
    other = start.copy()
    other[1, 3] = 1e-12
    found = compare(stored(orbit(lambda x: factors * x, start, 90)), stored(orbit(lambda x: factors * x, other, 90)))
    assert (found.kind, found.growth.rate) == ("exponential", pytest.approx(np.log(1.17), abs=1e-6))
    assert (found.first.what, found.first.name, found.first.n_parameters) == ("start", "b.weight", 1)
    assert found.horizon > 90  # not reached, extrapolated
    assert found.horizon == pytest.approx(np.log(np.linalg.norm(start) * 0.98**found.horizon / 1e-12) / np.log(1.17), abs=2)


def test_weights_that_explode_as_fast_as_the_difference_have_no_horizon():
    found = compare(stored(orbit(lambda x: 1.2 * x, START, 60)), stored(orbit(lambda x: 1.2 * x, START * (1 + 1e-13), 60)))
    assert (found.kind, found.horizon) == ("exponential", None)
    assert "grow as fast" in found.sentence.en


def test_a_small_difference_that_shrinks_is_a_contraction():
    other = START.copy()
    other[0, 5] += 1e-5
    found = compare(stored(orbit(lambda x: 0.5 + 0.9 * (x - 0.5), START, 100)), stored(orbit(lambda x: 0.5 + 0.9 * (x - 0.5), other, 100)))
    assert (found.kind, found.growth.rate) == ("contraction", pytest.approx(np.log(0.9), abs=1e-4))


@pytest.mark.parametrize("f", [lambda x: 0.5 + 0.95 * (x - 0.5), logistic])
def test_a_corrupted_parameter_is_a_jump_with_its_name_and_step(f):
    rows = orbit(f, START, 200)
    bad = rows.copy()
    bad[137, 1, 7] = 1 - 0.9 * rows[137, 1, 7]
    bad[137:] = orbit(f, bad[137], 63)
    found = compare(stored(rows), stored(bad))
    assert found.kind == "jump"
    assert (found.first.step, found.first.after, found.first.name, found.first.what) == (137, 136, "b.weight", "weights")
    assert "at step 137 in `b.weight`" in found.sentence.en
    assert "ステップ 137 の `b.weight`" in found.sentence.ja


def test_a_jump_of_runs_that_differed_by_rounding_is_found_too():
    rows = orbit(lambda x: x, START, 200)
    other = rows * (1 + 1e-16 * DRAW.standard_normal(rows.shape).cumsum(0))
    other[137:, 0, 3] += 0.2
    found = compare(stored(rows), stored(other))
    assert (found.kind, found.jump.step, found.jump.name) == ("jump", 137, "a.weight")
    assert found.jump.before < 1e-13 < 1e-3 < found.jump.size


def test_linear_growth_is_a_drift():
    rows = orbit(lambda x: x, START, 200)
    direction = DRAW.standard_normal(START.shape)
    other = rows + 1e-14 * np.arange(201)[:, None, None] * direction
    found = compare(stored(rows), stored(other))
    assert (found.kind, found.growth.model) == ("drift", "power")
    assert "not exponentially" in found.sentence.en


def test_another_batch_is_named_before_the_weights_that_it_changes():
    rows = orbit(lambda x: x, START, 100)
    other = rows.copy()
    other[57:] += 0.01
    batches = np.arange(1.0, 101.0)
    changed = np.where(np.arange(1, 101) == 57, -1.0, batches)
    found = compare(stored(rows, batches=batches), stored(other, batches=changed))
    assert (found.kind, found.first.what, found.first.step, found.first.name) == ("jump", "batch", 57, "inputs")


def test_another_learning_rate_is_named():
    rows = orbit(lambda x: x, START, 50)
    other = rows.copy()
    other[20:] += 0.01
    found = compare(stored(rows), stored(other, rates=[0.1] * 19 + [0.05] * 31))
    assert (found.first.what, found.first.step) == ("learning_rate", 20)


def test_another_loss_of_the_same_weights_is_named():
    rows = orbit(lambda x: x, START, 50)
    losses = np.ones(50)
    losses[30:] = 1.5
    found = compare(stored(rows, losses=np.ones(50)), stored(rows, losses=losses))
    assert (found.kind, found.first.what, found.first.step) == ("jump", "loss", 31)


def test_between_sparse_records_the_loss_narrows_down_where_they_part():
    rows = orbit(lambda x: x, START, 200)
    other = rows.copy()
    other[137:, 1] += 0.1
    losses = np.where(np.arange(1, 201) > 137, 2.0, 1.0)
    kept = list(range(0, 201, 16))
    found = compare(stored(rows[kept], steps=kept, losses=np.ones(200)), stored(other[kept], steps=kept, losses=losses))
    assert (found.first.what, found.first.step, found.first.after, found.first.name) == ("weights", 137, 128, "b.weight")
    assert "between steps 128 and 137" in found.sentence.en


def test_another_seed_parts_from_the_first_step():
    rows, other = orbit(lambda x: x, START, 30), orbit(lambda x: x, DRAW.uniform(-0.9, 0.9, START.shape), 30)
    found = compare(stored(rows, seeds={"torch": 0}), stored(other, seeds={"torch": 1}))
    assert (found.kind, found.first.what, found.first.step) == ("start", "start", 0)
    assert "seeds 0 and 1" in found.sentence.en


def test_another_network_is_named():
    rows, other = orbit(lambda x: x, START, 20), orbit(lambda x: x, DRAW.uniform(size=(2, 41)), 20)
    found = compare(stored(rows), stored(other))
    assert (found.kind, found.first.name) == ("configuration", "a.weight 40 / a.weight 41")


def test_a_run_that_goes_on_where_the_other_was_is_laid_on_top_of_it():
    rows = orbit(logistic, START, 100)
    losses = DRAW.uniform(size=100)
    for pair in [(stored(rows, losses=losses), stored(rows[40:], losses=losses[40:]))]:
        found = compare(*pair)
        assert (found.kind, found.offset) == ("same", 40)
        back = compare(*pair[::-1])
        assert (back.kind, back.offset) == ("same", -40)


def test_a_killed_and_shorter_run_is_compared_as_far_as_it_goes():
    rows = orbit(logistic, START, 100)
    found = compare(stored(rows), stored(rows[:61], reason=""))
    assert found.kind == "same"
    notes = " ".join(note.en for note in found.notes)
    assert "has not ended" in notes
    assert "(100 and 60 steps); both are known up to step 60" in notes


def test_the_earliest_difference_of_all_ranks_counts():
    rows = orbit(lambda x: x, START, 60)
    other = rows.copy()
    other[30:, 0] += 0.1
    a, b = stored(rows), stored(rows)
    stored(rows, rank=1, location=a)
    stored(other, rank=1, location=b)
    found = compare(a, b)
    assert (found.kind, found.first.step) == ("jump", 30)
    assert any("rank 1" in note.en for note in found.notes)


def test_weights_that_are_no_numbers_any_more_are_compared_without_a_warning():
    rows = orbit(lambda x: x, START, 40)
    other = rows.copy()
    other[20:] = np.nan
    found = compare(stored(rows), stored(other))
    assert (found.kind, found.first.step) == ("jump", 20)
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_settings_that_differ_are_listed():
    rows = orbit(lambda x: x, START, 20)
    found = compare(stored(rows, versions={"torch": "2.8"}), stored(rows, versions={"torch": "2.9"}))
    assert [(one.name, one.a, one.b) for one in found.settings] == [("versions.torch", "2.8", "2.9")]


def test_a_run_without_weights_says_what_to_do():
    from kazami.records import RunInfo
    from kazami.storage import RunWriter

    RunWriter("memory://comparison/empty", RunInfo(id="empty")).close()
    with pytest.raises(RunUnreadable, match="Record it anew"):
        compare("memory://comparison/empty", "memory://comparison/empty")
    with pytest.raises(RunNotFound):
        compare("memory://comparison/nowhere", "memory://comparison/empty")


def trained(location, *, corrupt_at=0, other_batch_at=0, seed=0, noise=0.0):
    """Train a network too large to be stored whole."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(30, 120), nn.Tanh(), nn.Linear(120, 60), nn.Tanh(), nn.Linear(60, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    draw = torch.Generator().manual_seed(5)
    with kazami.watch(model, optimizer, run=location, every=1):
        for step in range(1, 41):
            inputs, targets = torch.randn(16, 30, generator=draw), torch.randint(3, (16,), generator=draw)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs + (step == other_batch_at)), targets).backward()
            optimizer.step()
            model[2].weight.data[3, 4] += 0.1 * (step == corrupt_at)
    return location


def test_real_trainings_recorded_as_sketches():
    whole = trained("memory://comparison/whole")
    assert compare(whole, trained("memory://comparison/again")).kind == "same"
    bad = compare(whole, trained("memory://comparison/bad", corrupt_at=23))
    assert (bad.kind, bad.first.step, bad.first.name, bad.first.n_parameters) == ("jump", 23, "2.weight", 1)
    assert not bad.distances.is_exact
    assert bad.distances.values[23] == pytest.approx(0.1, rel=1e-6)
    assert bad.distances.errors[23] == 0  # one weight alone: nothing it could be mixed up with
    batch = compare(whole, trained("memory://comparison/batch", other_batch_at=9))
    assert (batch.first.what, batch.first.step, batch.first.name) == ("batch", 9, "inputs")
    assert compare(whole, trained("memory://comparison/seed", seed=3)).kind == "start"
