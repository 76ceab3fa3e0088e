"""The loss around a session's weights: exact where it can be computed by hand, the session undisturbed."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.playground import PRESETS, Block, Session, Spec
from kazami.playground.landscapes import Ground, ground_of, landscape

SMALL = Spec(task="xor", samples=40, blocks=(Block("linear", 4), Block("activation")))


def test_the_middle_is_the_sessions_own_loss_and_the_session_does_not_notice():
    session, twin = Session(SMALL), Session(SMALL)
    for one in (session, twin):
        one.train(20)
    found = landscape(ground_of(session), "random")
    middle = len(found.values) // 2
    own = nn.functional.cross_entropy(session.model(session.inputs), session.targets).item()
    assert found.values[middle] == pytest.approx(own, rel=1e-9)
    assert found.step == 20
    for one in (session, twin):
        one.train(20)
    for mine, other in zip(session.model.parameters(), twin.model.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_along_eigenvectors_a_quadratic_loss_has_their_curvature():
    model = nn.Linear(2, 1, bias=False).double()
    inputs = torch.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    found = landscape(Ground(model, inputs, inputs @ model.weight.detach().T + 1.0, torch.empty(0, 2), 0, 0), "hessian")
    values = np.array(found.values).reshape(len(found.b), len(found.a))
    row = values[len(found.b) // 2]
    curvature = np.diff(row, 2) / (found.a[1] - found.a[0]) ** 2
    np.testing.assert_allclose(curvature, 4.0, rtol=1e-6)  # mean of (x·w − y)² over two: 2 · 2² / 2


def test_the_path_ends_in_the_middle_and_falls():
    session = Session(SMALL)
    with pytest.raises(UsageError, match="Press Run"):
        landscape(ground_of(session), "pca")
    session.train(60)
    path = landscape(ground_of(session), "pca").path
    assert path[-1][:2] == pytest.approx((0.0, 0.0), abs=1e-9)
    assert path[-1][2] < path[0][2]


def test_a_network_that_is_lost_is_refused_with_what_to_do():
    session = Session(next(preset.spec for preset in PRESETS if preset.name == "explode"))
    session.train(200)
    assert session.is_over
    with pytest.raises(UsageError, match="reset"):
        landscape(ground_of(session), "random")
