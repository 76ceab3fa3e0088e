"""The compiled engine; compiling itself takes long and is slow."""

import pytest
import torch

from kazami.engines import engine_named, ensemble
from kazami.engines._runners import traced
from tests.engines.architectures import architecture
from tests.engines.conformance import assert_agrees_with_the_loop, assert_gives_the_orbits_of_the_plain_loop, job, members, training


@pytest.mark.slow
def test_the_traced_step_conforms_where_the_compiler_leaves_it_as_it_is(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda graph, **_: graph.forward)
    for name in ("batchnorm", "gru"):
        assert_agrees_with_the_loop("compiled", architecture(name))


@pytest.mark.parametrize(
    ("compiler", "words"),
    [
        (lambda graph, **_: (_ for _ in ()).throw(RuntimeError("no such luck")), "RuntimeError: no such luck"),
        (lambda graph, **_: lambda *tensors: [1.01 * part for part in graph.forward(*tensors)], "gave another result"),
    ],
    ids=["fails", "lies"],
)
def test_falls_back_with_the_reason(monkeypatch, compiler, words):
    monkeypatch.setattr(torch, "compile", compiler)
    together, said = ensemble(training(), members(), engine="compiled")
    assert said.startswith("compiled: 6 members in float64")
    expected = engine_named("eager").open(job(training(), members()))
    torch.testing.assert_close(together.advance(6), expected.advance(6), rtol=1e-12, atol=1e-12)
    assert words in together.remark


def test_refuses_without_a_compiler_and_where_numbers_are_drawn(monkeypatch):
    assert "random numbers" in engine_named("compiled").refusal(job(training(dropout=0.3), members()))
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "no C++ compiler" in engine_named("compiled").refusal(job(training(), members()))


def test_a_long_run_of_many_members_is_worth_compiling_and_a_short_one_is_not():
    engine, plain = engine_named("compiled"), engine_named("batched")
    short, long = job(training(), members()), job(training().replaced(steps=10**7), members())
    assert engine.seconds(short) > plain.seconds(short)
    assert engine.seconds(long) < plain.seconds(long)


def test_equal_operations_are_done_once_but_equal_draws_twice():
    def doubled(x):
        return [torch.tanh(x) + torch.tanh(x)]

    def drawn(x):
        return [torch.bernoulli(x) + torch.bernoulli(x)]

    x = torch.full((1000,), 0.5)
    names = [str(node.target) for node in traced(doubled, [x]).graph.nodes]
    assert sum("tanh" in name for name in names) == 1
    assert sum("bernoulli" in str(node.target) for node in traced(drawn, [x]).graph.nodes) == 2


@pytest.mark.slow
def test_compiles_and_conforms():
    assert_gives_the_orbits_of_the_plain_loop("compiled", "momentum")
    together, _ = ensemble(training(), members(), engine="compiled")
    together.advance(2)
    assert together.remark.startswith("Compiled in ")
    assert_agrees_with_the_loop("compiled", architecture("batchnorm"))
