"""Cure: the smallest change that works is found and proved; what is well is left alone; nothing of the caller's is touched."""

import json
import random

import numpy as np
import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.maps import Training
from kazami.records import Proof
from kazami.trials import cure


def line(rate=0.1, *, steps=60, clear=True, hidden=0, activation=nn.Sigmoid, seed=0):
    """Standardised linear data with a little noise; a linear model, or a deep one."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(64, 4, generator=generator)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]]) + 0.05 * torch.randn(64, 1, generator=generator)

    def model():
        layers = [layer for _ in range(hidden) for layer in (nn.Linear(4, 4), activation())]
        return nn.Sequential(*layers, nn.Linear(4, 1))

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), rate),
        loss=nn.functional.mse_loss,
        batches=lambda: [(x, y)],
        steps=steps,
        zero_grad=clear,
        seed=seed,
    )


@pytest.fixture(scope="module")
def too_fast():
    """The proof for a rate beyond its limit."""
    return cure(line(rate=3.0))


def test_a_rate_that_is_too_high_is_lowered_and_that_is_proved(too_fast):
    assert isinstance(too_fast, Proof)
    assert too_fast.cured, too_fast.verdict.en
    assert [change.name for change in too_fast.changes] == ["lower_learning_rate"]
    assert len(too_fast.table) == 3
    assert {row.seed for row in too_fast.table} == {0, 1, 2}
    best_before = max((row.before for row in too_fast.table if row.before is not None), default=-np.inf)
    assert all(row.after > best_before for row in too_fast.table)
    assert too_fast.measure == "r2"


def test_the_cured_training_is_what_the_table_says_in_no_more_steps(too_fast):
    run = too_fast.training.run()
    y = next(iter(too_fast.training.batches()))[1]
    assert len(run.losses) == line().steps
    assert 1 - run.losses[-1] / float(y.var()) > 0.9
    assert too_fast.training.optimizer(nn.Linear(1, 1)).param_groups[0]["lr"] < 3.0


def test_a_proof_is_plain_data(too_fast):
    told = json.loads(json.dumps(too_fast.to_dict(), allow_nan=True))
    assert told["cured"] is True
    assert told["changes"][0]["name"] == "lower_learning_rate"
    assert told["tried"]


def test_a_healthy_training_is_left_alone():
    training = line()
    proof = cure(training)
    assert proof.nothing_to_cure
    assert not proof.cured
    assert proof.tried == ()
    assert proof.training is training


def test_a_missing_zero_grad_is_inserted():
    proof = cure(line(rate=0.05, clear=False))
    assert proof.cured
    assert [change.name for change in proof.changes] == ["zero_grad"]
    assert proof.training.zero_grad


def test_the_original_and_the_random_streams_stay_as_they_are():
    training = line(rate=3.0)
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    before = (random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state())
    cure(training, budget=0.5)
    assert random.getstate() == before[0]
    assert (np.random.get_state()[1] == before[1]).all()
    assert torch.equal(torch.get_rng_state(), before[2])
    assert training.optimizer(nn.Linear(1, 1)).param_groups[0]["lr"] == 3.0


def test_without_a_budget_nothing_is_proved_and_that_is_said():
    proof = cure(line(rate=3.0), budget=0.0)
    assert not proof.cured
    assert "Not cured" in proof.verdict.en


def test_an_interruption_keeps_what_is_known():
    said = []

    def interrupt(what, spent, budget):
        del spent, budget
        said.append(what)
        if len(said) == 3:
            raise KeyboardInterrupt

    proof = cure(line(rate=3.0), progress=interrupt)
    assert "interrupted" in proof.verdict.en
    assert proof.findings
    assert len(proof.tried) == 1


def test_only_one_prescription_is_tried_and_proved():
    proof = cure(line(rate=3.0), only="lower_learning_rate")
    assert proof.cured, proof.verdict.en
    assert [[change.name for change in one.changes] for one in proof.tried] == [["lower_learning_rate"]]


def test_one_that_does_not_help_is_shown_beside_the_unchanged_one_and_nothing_else_is_tried():
    proof = cure(line(rate=3.0), only="warm_up")
    assert not proof.cured
    assert {change.name for one in proof.tried for change in one.changes} == {"warm_up"}
    assert len(proof.losses_after) == 1
    assert proof.trace_after is not None
    assert "warm_up" in proof.verdict.en
    assert "warm_up" in proof.verdict.ja


def test_a_name_that_no_finding_prescribes_is_refused_with_those_that_are():
    with pytest.raises(UsageError, match=r"'more_coffee'.*lower_learning_rate"):
        cure(line(rate=3.0), only="more_coffee")
