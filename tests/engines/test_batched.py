"""The stacked engine."""

import pytest
import torch
from torch import nn

from kazami.engines import Member, engine_named, ensemble
from kazami.engines._runners import Traced
from kazami.engines._stacked import Stacked
from kazami.errors import UsageError
from kazami.maps import TrainingMap
from tests.engines.architectures import MODELS, RANDOM, architecture, in_groups, two_ways
from tests.engines.architectures import OPTIMIZERS as ALL
from tests.engines.conformance import (
    OPTIMIZERS,
    assert_agrees_with_the_loop,
    assert_carries_tangents,
    assert_gives_the_orbits_of_the_plain_loop,
    assert_goes_on_from_any_state,
    assert_leaves_the_random_streams_alone,
    job,
    members,
    training,
)

CHANGES = [{"clip_grad_norm": 0.3}, {"zero_grad": False}, {"scheduler": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=30)}]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_conforms(optimizer):
    assert_gives_the_orbits_of_the_plain_loop("batched", optimizer)
    assert_goes_on_from_any_state("batched", optimizer)
    assert_carries_tangents("batched", optimizer)


@pytest.mark.parametrize("name", sorted({*MODELS, "dropout", "dropout2d"} - {"spectral"}))
def test_runs_every_architecture(name):
    assert_agrees_with_the_loop("batched", architecture(name))


@pytest.mark.parametrize("optimizer", ALL)
def test_runs_every_optimizer(optimizer):
    assert_agrees_with_the_loop("batched", architecture("mlp", optimizer=ALL[optimizer]))


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: next(iter(changes)))
def test_runs_what_a_training_may_have_besides(changes):
    assert_agrees_with_the_loop("batched", architecture("batchnorm", **changes))


@pytest.mark.parametrize("make", [two_ways, in_groups], ids=lambda make: make.__name__)
def test_runs_tuples_dictionaries_and_groups(make):
    assert_agrees_with_the_loop("batched", make())


def test_every_setting_may_be_a_members_own():
    given = architecture("mlp", optimizer=ALL["Adam"])
    own = [
        {"learning_rate": 0.01 * share, "beta_1": 0.9 * share, "beta_2": 0.9 + 0.05 * share, "eps": 10.0**-index}
        for index, share in enumerate((0.2, 0.5, 0.8, 1.0))
    ]
    wanted = [Member(index, settings) for index, settings in enumerate(own)]
    assert_agrees_with_the_loop("batched", given, wanted)


def test_carries_a_thousand_learning_rates_without_a_thousand_rules():
    given = training()
    wanted = [Member(0, {"learning_rate": 0.1 + 1e-4 * number}) for number in range(1000)]
    together, _ = ensemble(given, wanted, engine="batched")
    losses = together.advance(4)
    last = TrainingMap(given)
    last.set_parameter("learning_rate", 0.1 + 1e-4 * 999)
    last.step(4)
    torch.testing.assert_close(together.states[999], last.current_state(), rtol=1e-12, atol=1e-13)
    assert losses[0].unique().numel() == 1
    assert losses[3].unique().numel() > 900


def test_the_list_of_operations_gives_what_the_function_gives():
    given, wanted = architecture("conv_batchnorm"), members()
    runs = [Stacked(job(given, wanted), Traced(after=after)) for after in (0, 100)]
    losses = [run.advance(7) for run in runs]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(runs[0].states, runs[1].states, rtol=1e-13, atol=1e-13)
    vectors = torch.linalg.qr(torch.ones(6, runs[0].states.shape[1], 2, dtype=torch.float64) + torch.eye(runs[0].states.shape[1], 2, dtype=torch.float64))[0]
    grown = [run.advance_with_tangents(vectors, 5, every=2).logs for run in runs]
    torch.testing.assert_close(grown[0], grown[1], rtol=1e-11, atol=1e-11)
    assert [run.remark for run in runs] == ["", ""]


def test_a_step_that_looks_at_its_numbers_is_not_traced_and_still_right():
    def loss(output, target):
        return nn.functional.cross_entropy(output, target) * (2.0 if bool(target.sum() > 4) else 1.0)

    given = architecture("mlp", loss=loss)
    together = Stacked(job(given, members()), Traced())
    expected = engine_named("eager").open(job(given, members()))
    torch.testing.assert_close(together.advance(5), expected.advance(5), rtol=1e-12, atol=1e-12)
    assert together.remark.startswith("Not traced: ")


@pytest.mark.parametrize("size", [1, 4, 5, 6])
def test_chunks_do_not_change_the_result(size):
    given, wanted = architecture("batchnorm"), members()
    together, whole = Stacked(job(given, wanted), Traced(after=100)), Stacked(job(given, wanted), Traced(after=100))
    together._size, whole._size = size, 6
    vectors = torch.linalg.qr(torch.ones(6, together.states.shape[1], 1, dtype=torch.float64))[0]
    torch.testing.assert_close(together.advance(5), whole.advance(5), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(together.advance_with_tangents(vectors, 2).logs, whole.advance_with_tangents(vectors, 2).logs, rtol=1e-11, atol=1e-11)
    for name, value in whole.buffers.items():
        torch.testing.assert_close(together.buffers[name], value, rtol=1e-13, atol=1e-13)


def test_nobody_notices():
    assert_leaves_the_random_streams_alone("batched")


@pytest.mark.parametrize("name", ["spectral", "some_depth"])
def test_what_cannot_be_stacked_runs_one_after_another_and_says_why(name):
    together, said = ensemble({**{key: architecture(key) for key in (*MODELS, *RANDOM)}}[name], members("momentum"))
    assert said.startswith("eager: 6 members in float64")
    assert "Not batched: " in said
    assert torch.isfinite(together.advance(2)).all()


def test_few_members_run_one_after_another():
    _, said = ensemble(training(), members()[:3])
    assert "Not batched: with fewer than 4 members a plain loop is faster." in said


def test_members_with_another_memory_are_refused():
    wanted = [*members()[:4], Member(0, {"momentum": 0.9})]
    assert "same memory" in engine_named("batched").refusal(job(training(), wanted))


def test_one_diverging_member_does_not_touch_the_others():
    calm = [Member(seed, {"learning_rate": 0.1}) for seed in range(4)]
    wild = [Member(seed, {"learning_rate": 1e300}) for seed in range(4)]
    alone, together = (ensemble(training(), wanted, engine="batched")[0] for wanted in (calm, [*calm, *wild]))
    expected, losses = alone.advance(10)[-1], together.advance(10)[-1]
    torch.testing.assert_close(losses[:4], expected, rtol=1e-12, atol=1e-12)
    assert not (losses[4:] < 1e100).any()


def test_unknown_engine_and_no_members():
    with pytest.raises(UsageError, match="batched"):
        ensemble(training(), members(), engine="batchd")
    with pytest.raises(UsageError, match="takes no option"):
        ensemble(training(), members(), engine="batched:4")
    with pytest.raises(UsageError, match="at least one member"):
        ensemble(training(), [])
