"""Sessions: what a preset promises to show is there."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from kazami.errors import UsageError
from kazami.playground import LIMITS, PRESETS, Block, Session, Spec, misfits

PRESET = {one.name: one.spec for one in PRESETS}


def after(spec, steps):
    session = Session(spec)
    session.train(steps)
    return session, session.frame()


def test_the_breeze_learns():
    _, frame = after(PRESET["breeze"], 300)
    assert frame.accuracy > 0.95
    assert all(layer.wind is not None for layer in frame.layers)


def test_twenty_sigmoids_are_a_dead_calm():
    _, frame = after(PRESET["vanish"], 200)
    winds = [layer.wind for layer in frame.layers]
    assert winds[0] < winds[-1] - 8
    assert frame.losses[-1] == pytest.approx(frame.guess, rel=0.1)
    assert frame.matrix is None  # flat is not linear


def test_large_weights_explode_and_the_session_is_over():
    session, frame = after(PRESET["explode"], 200)
    assert frame.is_over
    assert frame.step < 20
    assert frame.losses[-1] is None
    session.train(5)
    assert session.step == frame.step


def test_shortcuts_make_the_same_depth_learn():
    _, with_them = after(PRESET["residual"], 400)
    _, without = after(replace(PRESET["residual"], has_shortcuts=False), 400)
    assert with_them.accuracy > 0.85
    assert without.accuracy < 0.7


def test_without_activations_it_is_one_matrix():
    session, frame = after(PRESET["linear"], 50)
    matrix = np.array(frame.matrix)
    inputs = session.held_out[0]
    session.model.eval()
    np.testing.assert_allclose(inputs.numpy() @ matrix[:, :-1].T + matrix[:, -1], session.model(inputs).detach().numpy(), atol=1e-9)
    picture = np.array(frame.picture)
    assert np.abs(np.diff(np.log(picture / (1 - picture)), 2, axis=0)).max() < 1e-8  # a straight border


def test_the_same_seed_gives_the_same_numbers_and_frames_change_nothing():
    spec = replace(PRESET["breeze"], blocks=(*PRESET["breeze"].blocks, Block("dropout", rate=0.2)), batch_size=32)
    plain = Session(spec)
    plain.train(40)
    looked_at = Session(spec)
    losses = []
    for _ in range(4):
        torch.rand(3)
        looked_at.train(10)
        losses += looked_at.frame().losses
    assert tuple(losses) == plain.frame().losses
    looked_at.reset()
    looked_at.train(40)
    assert looked_at.frame().losses == tuple(losses)


def test_nobody_else_notices():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    after(PRESET["breeze"], 3)
    assert torch.equal(before, torch.get_rng_state())


def test_shortcuts_that_do_not_fit_are_told_with_what_would():
    spec = Spec(
        blocks=(Block("linear", 8), Block("residual", blocks=(Block("linear", 16),)), Block("residual", shortcut="zero_pad", blocks=(Block("linear", 4),)))
    )
    found = misfits(spec, 2)
    assert [(one.place, one.remedies) for one in found] == [((1,), ("projection", "zero_pad")), ((2,), ("projection",))]
    assert "8 ≠ 16" in found[0].sentence.en
    assert "射影" in found[0].sentence.ja
    with pytest.raises(UsageError, match="8 ≠ 16"):
        Session(spec)
    assert not misfits(replace(spec, has_shortcuts=False), 2)


@pytest.mark.parametrize("shortcut", ["projection", "zero_pad"])
def test_shortcuts_that_fit_are_built(shortcut):
    spec = Spec(blocks=(Block("linear", 8), Block("residual", shortcut=shortcut, blocks=(Block("linear", 16), Block("activation")))))
    _, frame = after(spec, 3)
    assert math.isfinite(frame.losses[-1])


def test_the_limit_of_steps_is_kept():
    session = Session(replace(PRESET["linear"], samples=8, blocks=()))
    session.step = LIMITS.steps - 2
    session.train(10)
    assert session.step == LIMITS.steps
    assert session.is_over


def test_a_line_and_many_inputs_have_their_own_pictures():
    _, line = after(PRESET["regression"], 2)
    _, bits = after(Spec(task="parity"), 2)
    assert len(line.picture) == 1
    assert line.accuracy is None
    assert bits.picture == ()


def test_the_strokes_of_the_picture_are_the_weights_that_fit_into_it():
    session, frame = after(
        Spec(task="xor", blocks=(Block("linear", 12), Block("activation"), Block("residual", shortcut="projection", blocks=(Block("linear", 6),)))), 3
    )
    named = dict(session.model.named_modules())
    for layer in frame.layers:
        weight = named[layer.name].weight.detach()
        assert (layer.outputs, layer.inputs) == tuple(weight.shape)
        if layer.name.endswith("shortcut"):
            assert layer.weights == ()
        else:
            np.testing.assert_allclose(layer.weights, weight[:8, :8], rtol=5e-3)


def test_of_a_deep_network_the_middle_is_left_out_of_the_picture():
    _, frame = after(Spec(task="xor", blocks=(Block("linear", 4),) * 15), 0)
    assert [bool(layer.weights) for layer in frame.layers] == [True] * 5 + [False] * 7 + [True] * 4
