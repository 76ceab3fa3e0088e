"""Sweeps against the plain loop and closed forms: values, structures, failures, the same table twice and on other workers."""

import math

import pytest
import torch
from torch import nn

import kazami
from kazami.errors import UnknownName, UsageError
from kazami.sweeps import Sweep, zipped

from .trainings import X, Y, by_factors, linear, make_net, net


def plain(training, **settings):
    """Return the losses of the plain loop with an SGD of these settings."""
    return training.replaced(optimizer=lambda m: torch.optim.SGD(m.parameters(), **settings)).run().losses


def test_each_member_is_the_training_run_by_itself():
    found = Sweep(net(), learning_rate=[0.02, 0.1, 0.3], momentum=[0.0, 0.5, 0.9], seed=[0, 3]).run(record="loss", every=1)
    assert found.table.num_rows == 18 * 20
    rows = found.to_pandas().set_index([*found.factors, "step"]).loss
    for rate in (0.02, 0.3):
        for momentum in (0.0, 0.9):
            expected = plain(net(seed=3), lr=rate, momentum=momentum)
            assert rows.loc[rate, momentum, 3].tolist() == pytest.approx(expected, rel=1e-8)


def test_structures_run_as_trainings_of_their_own():
    found = Sweep(net(), width=[2, 5], activation=[nn.Tanh, nn.ReLU], clip_grad_norm=[None, 0.1]).run(record="final_loss")
    values = by_factors(found, "final_loss")
    assert len(values) == 8
    alone = net(model=lambda: make_net(5, nn.ReLU), clip_grad_norm=0.1).run().losses[-1]
    assert values[5, "ReLU", 0.1] == pytest.approx(alone, rel=1e-9)


def test_the_batch_size_cuts_the_same_examples_anew():
    found = Sweep(net(), batch_size=[8, 24]).run(record="final_loss")
    whole = net(batches=lambda: [(X, Y)]).run().losses[-1]
    assert by_factors(found, "final_loss")[(24,)] == pytest.approx(whole, rel=1e-9)


def test_names_stand_for_losses_and_optimizers_of_torch():
    found = Sweep(net(), loss=["mse", "huber_loss"], optimizer=["SGD", "Adam"]).run(record="final_loss")
    expected = net(optimizer=lambda m: torch.optim.Adam(m.parameters(), 0.1), loss=nn.functional.huber_loss).run().losses[-1]
    assert by_factors(found, "final_loss")["huber_loss", "Adam"] == pytest.approx(expected, rel=1e-8)


def test_a_factor_called_as_a_record_keeps_its_full_name():
    found = Sweep(net(), loss=["mse", "huber"], steps=[3, 5]).run(record="loss")
    assert found.factors == ("training.loss", "steps")
    assert found.table.num_rows == 2 * 3 + 2 * 5


def test_a_perturbation_of_zero_is_the_training_itself_and_others_begin_within_it():
    found = Sweep(linear(), perturbation=[0.0, 1e-3]).run(steps=1, record="loss")
    first, moved = by_factors(found, "loss").values()
    assert first == pytest.approx(linear().run(steps=1).losses[0])
    assert 0.0 < abs(math.sqrt(moved) - math.sqrt(first)) <= 1e-3


def test_zipped_factors_run_together():
    found = Sweep(net(), zipped(width=[2, 3], learning_rate=[0.1, 0.2])).run(record="final_loss")
    assert set(by_factors(found, "final_loss")) == {(2, 0.1), (3, 0.2)}


def test_an_optimizer_without_a_known_rule_runs_by_the_plain_loop():
    training = net(optimizer=lambda m: torch.optim.Rprop(m.parameters(), 0.01))
    found = Sweep(training, seed=[0, 1], learning_rate=[0.01, 0.02]).run(record="final_loss")
    expected = training.replaced(seed=1, optimizer=lambda m: torch.optim.Rprop(m.parameters(), 0.02)).run().losses[-1]
    assert by_factors(found, "final_loss")[1, 0.02] == pytest.approx(expected, rel=1e-12)
    assert found.engine.startswith("plain loop")


def test_the_same_sweep_twice_gives_the_same_table():
    sweeps = [Sweep(net(), learning_rate=[0.05, 0.5], seed=range(3)).run(record=["loss", "max_lyapunov"]) for _ in range(2)]
    assert sweeps[0].table.equals(sweeps[1].table)


def test_randomness_of_the_caller_is_left_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    Sweep(net(), learning_rate=[0.05, 0.5], seed=range(3)).run(record=["final_loss", "distance"])
    assert torch.equal(before, torch.get_rng_state())


def raising(model, optimizer, batch):
    """Take a step, but not at a high learning rate."""
    if optimizer.param_groups[0]["lr"] > 0.4:
        raise ValueError("too high for me")
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(batch[0]), batch[1])
    loss.backward()
    optimizer.step()
    return loss


def test_a_member_that_raises_is_recorded_and_the_others_go_on():
    found = Sweep(net(train_step=raising), learning_rate=[0.1, 0.2, 0.5, 0.3, 0.35]).run(record="final_loss")
    (failure,) = found.failures
    assert (dict(failure.factors), failure.error, failure.message) == ({"learning_rate": 0.5}, "ValueError", "too high for me")
    assert "raising" in failure.traceback
    assert sorted(by_factors(found, "final_loss")) == [(0.1,), (0.2,), (0.3,), (0.35,)]
    assert found.is_complete


def test_a_structure_that_cannot_be_made_fails_by_itself():
    def make(width=4):
        if width == 7:
            raise RuntimeError("seven brings bad luck")
        return make_net(width)

    found = Sweep(net(model=make), width=[4, 7], learning_rate=[0.1, 0.2]).run(record="final_loss")
    assert [dict(failure.factors) for failure in found.failures] == [{"width": 7, "learning_rate": rate} for rate in (0.1, 0.2)]
    assert found.table.num_rows == 2


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"steps": 0}, UsageError, "steps"),
        ({"every": 0}, UsageError, "every"),
        ({"record": "los"}, UnknownName, '"loss"'),
        ({"record": ()}, UsageError, "should record something"),
        ({"record": "score"}, UsageError, "evaluate"),
        ({"engine": "bached"}, UnknownName, '"batched"'),
        ({"engine": "batched"}, UsageError, "cannot run this ensemble"),
        ({"dtype": "float16"}, UsageError, "float32"),
    ],
)
def test_what_cannot_run_is_refused(options, kind, said):
    with pytest.raises(kind, match=said):
        Sweep(linear(), learning_rate=[0.1]).run(**options)


def test_steps_cannot_be_given_twice():
    with pytest.raises(UsageError, match="second time"):
        Sweep(linear(), steps=[3, 4]).run(steps=5)


def test_too_little_memory_is_said_beforehand(monkeypatch):
    monkeypatch.setattr("kazami.sweeps.plan.available_bytes", lambda device: 1000)
    with pytest.raises(UsageError, match=r"MiB are free"):
        Sweep(linear(), learning_rate=[0.1]).run()


def test_ctrl_c_keeps_what_is_there():
    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    found = Sweep(net(), width=[2, 3, 4]).run(record="final_loss", progress=interrupt)
    assert not found.is_complete
    assert set(by_factors(found, "final_loss")) == {(2,)}


@pytest.mark.slow
def test_processes_and_a_cluster_give_the_same_table():
    sweep = Sweep(net(), width=[2, 3], learning_rate=[0.05, 0.1, 0.2, 0.4])
    here = sweep.run(record=["loss", "max_lyapunov"])
    assert here.table.equals(sweep.run(record=["loss", "max_lyapunov"], workers=2).table)
    assert here.table.equals(sweep.run(record=["loss", "max_lyapunov"], cluster="local:2").table)


@pytest.mark.slow
def test_what_kills_its_worker_is_found_and_the_others_go_on():
    def deadly(model, optimizer, batch):
        if optimizer.param_groups[0]["lr"] == 0.2:
            import os

            os.kill(os.getpid(), 9)
        return raising(model, optimizer, batch)

    found = Sweep(net(train_step=deadly), learning_rate=[0.1, 0.2, 0.3]).run(record="final_loss", workers=2)
    assert [(dict(failure.factors), failure.error) for failure in found.failures] == [({"learning_rate": 0.2}, "WorkerLost")]
    assert sorted(by_factors(found, "final_loss")) == [(0.1,), (0.3,)]


def test_the_door_leads_here():
    assert kazami.Sweep is Sweep
