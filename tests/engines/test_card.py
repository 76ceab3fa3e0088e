"""Kernels on a card: the engine's whole way with a stand-in that executes the printed source, and on a real card where there is one."""

import numpy as np
import pytest
import torch

from kazami.engines import Job, Member, _card, _lanes, engine_named
from kazami.engines._card import Card
from kazami.kernels import HOST
from tests.engines.conformance import assert_gives_the_orbits_of_the_plain_loop, job, members, training
from tests.kernels.stand_in import Jitted, module


@pytest.fixture
def card(monkeypatch):
    """Let every training run on a card that is a stand-in."""
    monkeypatch.setattr(_card, "_triton", module)
    monkeypatch.setattr(_card, "find_spec", lambda name: object())
    monkeypatch.setattr(_card, "multiprocessors", lambda device: 2)
    monkeypatch.setattr(_lanes, "machine_for", lambda device: Card(device))
    monkeypatch.setattr("kazami.engines.fused.machine_for", lambda device: Card(device))


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_gives_the_orbits_of_the_plain_loop(optimizer):
    assert_gives_the_orbits_of_the_plain_loop("fused", optimizer, 12)


@pytest.mark.usefixtures("card")
def test_a_member_that_is_lost_is_retired_and_the_others_go_on():
    batches = [(x, torch.nn.functional.one_hot(y, 2).double()) for x, y in training().batches()]
    given = training(loss=torch.nn.functional.mse_loss, batches=lambda: batches)
    wanted = [*members()[:2], *(Member(seed, {"learning_rate": 1e100}) for seed in range(2))]
    together = engine_named("fused").open(job(given, wanted))
    losses = torch.cat([together.advance(7), together.advance(5)])
    alone = engine_named("fused").open(job(given, wanted[:2]))
    assert torch.equal(losses[:, :2], alone.advance(12))
    assert not torch.isfinite(losses[-1, 2:]).any()


def test_tangents_are_those_of_the_cores(card, request):
    pytest.importorskip("llvmlite")
    given, wanted = training("momentum"), members("momentum")[:3]
    first = engine_named("fused").open(job(given, wanted, n_tangents=2))
    vectors = torch.linalg.qr(torch.randn(*first.states.shape, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64))[0]
    found = first.advance_with_tangents(vectors, 6, every=3)
    request.getfixturevalue("monkeypatch").setattr(_lanes, "machine_for", lambda device: HOST)
    expected = engine_named("fused").open(job(given, wanted, n_tangents=2)).advance_with_tangents(vectors, 6, every=3)
    for name in ("losses", "logs", "vectors"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-10, atol=1e-12)


@pytest.mark.usefixtures("card")
def test_a_card_that_takes_no_kernels_is_a_reason(monkeypatch):
    def launched(self, grid):
        raise RuntimeError("out of resources: registers")

    monkeypatch.setattr(Jitted, "__getitem__", launched)
    said = engine_named("fused").refusal(Job(training(), tuple(members()), torch.float64, 5))
    assert "RuntimeError: out of resources: registers." in said


def test_without_triton_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(_card, "find_spec", lambda name: None)
    said = Card(torch.device("cuda", 1)).why_not()
    assert said.startswith("the training lies on cuda:1")
    assert "Triton" in said


def on_card(given):
    """Return a training whose model and batches lie on the first card."""
    batches = [(x.cuda(), y.cuda()) for x, y in given.batches()]
    return given.replaced(model=lambda: given.model().cuda(), batches=lambda: batches)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_on_a_real_card_it_gives_what_eager_gives_there(optimizer, dtype):
    given, wanted = on_card(training(optimizer)), members(optimizer)
    assert engine_named("fused").refusal(Job(given, tuple(wanted), dtype, 50)) is None
    fused, eager = (engine_named(name).open(Job(given, tuple(wanted), dtype, 50)) for name in ("fused", "eager"))
    close = {"rtol": 1e-9, "atol": 1e-11} if dtype == torch.float64 else {"rtol": 2e-4, "atol": 2e-5}
    torch.testing.assert_close(fused.advance(50), eager.advance(50), **close)
    torch.testing.assert_close(fused.states, eager.states, **close)
    assert fused.states.is_cuda


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_on_a_real_card_tangents_are_those_of_the_cores():
    given, wanted = training("momentum"), members("momentum")[:3]
    both = [engine_named("fused").open(job(each, wanted, n_tangents=2)) for each in (on_card(given), given)]
    vectors = torch.linalg.qr(torch.randn(*both[1].states.shape, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64))[0]
    both[1].set_states(both[0].states.cpu())
    found, expected = (each.advance_with_tangents(vectors, 6, every=3) for each in both)
    np.testing.assert_allclose(found.logs.cpu(), expected.logs, rtol=1e-9, atol=1e-11)
