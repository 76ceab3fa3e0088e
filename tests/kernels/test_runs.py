"""What a run promises beside its numbers: cuts, batches, schedules, retirement, records, threads, stops, wide vectors, plain errors."""

import re

import numpy as np
import pytest
import torch

from kazami.errors import UnknownName, UsageError
from kazami.kernels import Descent, Layer, Network, compiled, why_not
from kazami.kernels._machine import host_target
from tests.kernels.reference import first_parameters, task, trained
from tests.kernels.test_kernel import mlp

pytest.importorskip("llvmlite")
NETWORK = mlp(3, 6, 2, loss="cross_entropy")
RATE = {"learning_rate": 0.1}


def run_of(network=NETWORK, descent=None, dtype="float64", n_members=5, steps=12, **more):
    """Return a run on the task of `reference`."""
    inputs, targets = task(network)
    settings = more.pop("settings", RATE)
    kernel = compiled(network, descent or Descent(), dtype, more.pop("n_tangents", 0))
    return kernel.run(more.pop("parameters", first_parameters(network, n_members)), inputs, targets, steps, settings=settings, **more)


@pytest.mark.parametrize("descent", [Descent(momentum=True), Descent("adam")], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_may_be_cut_anywhere(descent, dtype):
    settings = {"learning_rate": 0.1, **({"momentum": 0.9, "dampening": 0.1} if descent.momentum else {})}
    whole = run_of(descent=descent, dtype=dtype, settings=settings)
    first = run_of(descent=descent, dtype=dtype, settings=settings, steps=5)
    second = run_of(descent=descent, dtype=dtype, settings=settings, steps=7, parameters=first.parameters, memory=first.memory, start=5)
    assert np.array_equal(whole.losses, np.concatenate([first.losses, second.losses]))
    assert np.array_equal(whole.parameters, second.parameters)
    assert np.array_equal(whole.memory, second.memory)


def test_a_run_with_tangents_may_be_cut_between_windows():
    size = NETWORK.n_parameters
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(5, size, 2)))[0].transpose(0, 2, 1)
    whole = run_of(n_tangents=2, deviation=vectors, orthonormalise_every=3)
    first = run_of(n_tangents=2, deviation=vectors, orthonormalise_every=3, steps=6)
    second = run_of(n_tangents=2, deviation=first.deviation, orthonormalise_every=3, steps=6, start=6, parameters=first.parameters)
    assert np.array_equal(whole.log_growth, np.concatenate([first.log_growth, second.log_growth]))
    assert np.array_equal(whole.deviation, second.deviation)
    assert np.array_equal(whole.losses, run_of().losses)  # the orbit does not notice


def test_members_do_not_notice_one_another_nor_the_threads():
    alone, many = run_of(n_members=1, parameters=first_parameters(NETWORK, 70)[33:34]), run_of(n_members=70, threads=3)
    assert np.array_equal(alone.parameters[0], many.parameters[33])
    assert np.array_equal(many.losses, run_of(n_members=70, threads=1).losses)


def test_batches_and_indices_give_what_torch_gives_on_them():
    inputs, targets = task(NETWORK)
    first = first_parameters(NETWORK, 2)
    chosen = np.random.default_rng(0).integers(0, len(inputs), (9, 5))
    run = run_of(steps=9, n_members=2, indices=chosen)
    pairs = [(torch.tensor(inputs[rows]), torch.tensor(targets[rows])) for rows in chosen]
    losses, parameters = trained(NETWORK, lambda p: torch.optim.SGD(p, 0.1), first[1], lambda step: pairs[step], 9)
    np.testing.assert_allclose(run.losses[:, 1], losses, rtol=1e-11)
    np.testing.assert_allclose(run.parameters[1], parameters, rtol=1e-11)
    parts = np.array([[0, 4], [4, 1], [5, 16]] * 3)
    same = run_of(steps=9, n_members=2, batches=parts)
    pairs = [(torch.tensor(inputs[b : b + n]), torch.tensor(targets[b : b + n])) for b, n in parts]
    np.testing.assert_allclose(same.losses[:, 0], trained(NETWORK, lambda p: torch.optim.SGD(p, 0.1), first[0], lambda step: pairs[step], 9)[0], rtol=1e-11)


def test_settings_of_members_and_groups_and_factors_of_steps():
    network = Network((Layer(3, 4, activation="tanh"), Layer(4, 2, group=(1, 1))), loss="cross_entropy")
    rates = np.array([[0.1, 0.3], [0.2, 0.0]])
    factors = np.stack([0.9 ** np.arange(8), np.ones(8)], axis=1)
    run = run_of(network, n_members=2, steps=8, settings={"learning_rate": rates}, factors=factors)
    first, step = first_parameters(network, 2), run_of(network, n_members=2, steps=1)
    split = network.layers[0].n_parameters
    np.testing.assert_array_equal(run.parameters[1, split:], first[1, split:])
    parameters = first
    for number in range(8):
        step = run_of(network, n_members=2, steps=1, parameters=parameters, settings={"learning_rate": rates * factors[number]})
        parameters = step.parameters
    np.testing.assert_allclose(run.parameters, parameters, rtol=1e-13)


def test_diverged_members_are_retired_and_the_others_go_on():
    network = mlp(3, 4, 2)
    rates = np.where(np.arange(200) % 3 == 0, 1e4, 0.05)
    run = run_of(network, n_members=200, steps=300, settings={"learning_rate": rates}, mean_of_last=10)
    calm = run_of(network, steps=300, settings={"learning_rate": 0.05}, parameters=first_parameters(network, 200)[rates < 1], mean_of_last=10)
    assert np.array_equal(run.losses[:, rates < 1], calm.losses)
    assert np.array_equal(run.last_mean[rates < 1], calm.last_mean)
    wild = run.losses[:, rates > 1]
    assert np.isnan(wild[-1]).all()
    assert np.isnan(run.last_mean[rates > 1]).all()
    expected = (~np.isfinite(wild)).argmax(axis=0)
    assert np.array_equal(run.first_bad_step[rates > 1], expected)
    assert (run.first_bad_step[rates < 1] == -1).all()
    assert np.isfinite(wild[expected - 1, np.arange(wild.shape[1])]).all()


def test_records():
    every, some = run_of(steps=50, mean_of_last=7), run_of(steps=50, record_every=8, mean_of_last=7)
    assert np.array_equal(some.losses, every.losses[::8])
    np.testing.assert_allclose(some.last_mean, every.losses[-7:].mean(axis=0), rtol=1e-14)
    assert run_of(steps=20, record_every=0).losses.shape == (0, 5)


def test_a_stopped_run_tells_how_far_it_came():
    asked = []
    stopped = run_of(steps=10**5, n_members=64, should_stop=lambda: asked.append(1) or len(asked) == 2)
    assert 0 < stopped.steps < 10**5
    assert np.isfinite(stopped.losses[: stopped.steps]).all()
    assert np.array_equal(stopped.parameters, run_of(steps=stopped.steps, n_members=64).parameters)


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
def test_float32_is_as_good_as_float32_can_be(activation):
    network = mlp(3, 6, 2, activation=activation, loss="cross_entropy")
    single, double = run_of(network, dtype="float32", steps=50), run_of(network, steps=50)
    np.testing.assert_allclose(single.losses, double.losses, rtol=5e-6)
    np.testing.assert_allclose(single.parameters, double.parameters, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_machine_code_is_made_of_wide_vectors_and_calls_no_functions(dtype):
    code = compiled(mlp(4, 10, 3, activation="silu", loss="cross_entropy"), Descent(), dtype, 1).code(150)[1]
    assembly = code.assembly
    names = re.findall(r"\n\s+(?:callq?|bl|jmp)\s+\**([A-Za-z_][\w@]*)", assembly)
    assert not [name for name in names if not name.startswith("mem")]  # memset clears the gradient
    widths = {512: "zmm", 256: "ymm"}
    width = host_target(np.dtype(dtype).itemsize).width
    if width not in widths:
        pytest.skip("only AVX registers are told by their names")
    kind = "s" if dtype == "float32" else "d"
    assert len(re.findall(rf"vfn?m(?:add|sub)\d*p{kind}\s[^\n]*{widths[width]}", assembly)) > 100
    assert not re.findall(rf"vfn?m(?:add|sub)\d*s{kind}\s", assembly)  # nothing is done number by number


def test_gathering_in_pieces_gives_the_same(monkeypatch):
    chosen = np.random.default_rng(0).integers(0, 21, (50, 5))
    whole = run_of(steps=50, indices=chosen)
    monkeypatch.setattr("kazami.kernels._course.CHUNK_BYTES", 8 * 5 * 5 * 7)
    told = []
    assert np.array_equal(run_of(steps=50, indices=chosen, progress=told.append).losses, whole.losses)
    assert told == sorted(told)
    assert told[-1] == 50
    assert len(told) > 5


def test_the_same_kernel_is_compiled_once():
    assert compiled(NETWORK, Descent()) is compiled(mlp(3, 6, 2, loss="cross_entropy"), Descent())


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"settings": {"lerning_rate": 0.1}}, "learning_rate"),
        ({"settings": {}}, "learning_rate"),
        ({"settings": {"learning_rate": np.ones(3)}}, r"\(members,\) = \(5,\)"),
        ({"parameters": np.ones((2, 3))}, r"parameters should have the shape \(2, 38\)"),
        ({"memory": np.ones((5, 38))}, "memory should have the shape"),
        ({"batches": np.array([[0, 99]] * 12)}, "within 21 samples"),
        ({"indices": np.array([[21]] * 12)}, "from 0 to 20"),
        ({"factors": np.ones(3)}, "factors should have the shape"),
        ({"n_tangents": 2}, "give deviation="),
    ],
)
def test_what_does_not_fit_is_said(more, what):
    with pytest.raises(UsageError, match=what):
        run_of(**more)


def test_what_cannot_be_is_said():
    with pytest.raises(UnknownName, match="tanh"):
        Layer(1, 1, activation="tahn")
    with pytest.raises(UsageError, match="should take 3 inputs"):
        Network((Layer(2, 3), Layer(4, 1)))
    with pytest.raises(UsageError, match="at least one layer"):
        Network(())
    with pytest.raises(UsageError, match="momentum"):
        Descent(nesterov=True)
    with pytest.raises(UsageError, match="float16"):
        compiled(NETWORK, Descent(), "float16")
    inputs, _ = task(NETWORK)
    with pytest.raises(UsageError, match="from 0 to 1"):
        compiled(NETWORK, Descent()).run(first_parameters(NETWORK, 1), inputs, np.full(21, 2), 1, settings=RATE)


def test_without_llvmlite_there_is_a_reason(monkeypatch):
    monkeypatch.setattr("kazami.kernels._machine.find_spec", lambda name: None)
    assert "kazami[fast]" in why_not()
    with pytest.raises(UsageError, match="fast"):
        compiled(mlp(2, 2), Descent("adam"), "float32")
