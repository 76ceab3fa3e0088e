"""The stacked engine."""

import pytest
import torch

from kazami.engines import Member, engine_named, ensemble
from kazami.errors import UsageError
from tests.engines.conformance import (
    OPTIMIZERS,
    assert_carries_tangents,
    assert_gives_the_orbits_of_the_plain_loop,
    assert_goes_on_from_any_state,
    assert_leaves_the_random_streams_alone,
    job,
    members,
    training,
)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_conforms(optimizer):
    assert_gives_the_orbits_of_the_plain_loop("batched", optimizer)
    assert_goes_on_from_any_state("batched", optimizer)
    assert_carries_tangents("batched", optimizer)


def test_nobody_notices():
    assert_leaves_the_random_streams_alone("batched")


def test_members_share_their_dropout_masks_with_the_eager_engine():
    given = training(dropout=0.4)
    runs = [engine_named(name).open(job(given, members())) for name in ("batched", "eager")]
    losses = [torch.stack([run.step() for _ in range(10)]) for run in runs]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-10, atol=1e-12)


def test_few_members_run_one_after_another():
    _, said = ensemble(training(), members()[:3])
    assert said.startswith("eager: 3 members.")


def test_buffers_that_would_be_lost_are_refused():
    _, said = ensemble(training(norm=True), members())
    assert said.startswith("eager")
    assert "running_mean" in said
    with pytest.raises(UsageError, match="running_mean"):
        ensemble(training(norm=True), members(), engine="batched")


def test_members_with_another_memory_are_refused():
    wanted = [*members()[:4], Member(0, {"momentum": 0.9})]
    assert "same memory" in engine_named("batched").refusal(job(training(), wanted))


def test_one_diverging_member_does_not_touch_the_others():
    calm = [Member(seed, {"learning_rate": 0.1}) for seed in range(4)]
    wild = [Member(seed, {"learning_rate": 1e300}) for seed in range(4)]
    alone, together = ensemble(training(), calm)[0], ensemble(training(), [*calm, *wild])[0]
    for _ in range(10):
        expected, losses = alone.step(), together.step()
    torch.testing.assert_close(losses[:4], expected, rtol=1e-12, atol=1e-12)
    assert not (losses[4:] < 1e100).any()


def test_unknown_engine_and_no_members():
    with pytest.raises(UsageError, match="batched"):
        ensemble(training(), members(), engine="batchd")
    with pytest.raises(UsageError, match="at least one member"):
        ensemble(training(), [])
