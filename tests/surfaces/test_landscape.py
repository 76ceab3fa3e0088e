"""What a surface says, draws and stores; interruptions keep what was computed."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.errors import CannotWrite, UsageError
from kazami.surfaces import Plane, surface, two_weight_surface
from tests.surfaces.models import cases


def bowl(**options):
    """Return the surface of (w1² + 4 w2²)/2 as a model of two weights, centred at (0, 1)."""
    model = nn.Linear(2, 1, bias=False).double()
    model.weight.data.copy_(torch.tensor([[0.0, 1.0]]))
    axes = torch.eye(2).double()
    plane = Plane(kind="given", centre=torch.tensor([0.0, 1.0]).double(), first=axes[0], second=axes[1])
    batch = (torch.tensor([[1.0, 0.0], [0.0, 2.0]]).double(), torch.zeros(2, 1).double())
    return surface(model, F.mse_loss, batch, plane, resolution=5, **options)


def test_rows_follow_b_and_columns_a():
    found = bowl(extent=(-1.0, 1.0, -2.0, 2.0))
    a, b = np.meshgrid(found.a, found.b)
    np.testing.assert_allclose(found.values, (a**2 + 4 * (b + 1) ** 2) / 2, atol=1e-12)
    assert found.lowest == (0.0, 0.0, -1.0)


def test_the_finding_says_where_lower_loss_lies_and_the_gradient_share_is_exact():
    found = bowl(extent=(-1.0, 1.0, -2.0, 2.0))
    assert "not the lowest: 0 lies at (0, -1)" in found.finding.en
    assert "最小ではない" in found.finding.ja
    assert found.gradient_share == pytest.approx(1.0)
    assert found.hidden.en.startswith("The slice shows 2 of 2 directions")


def test_the_gradient_outside_the_plane_is_measured():
    model = nn.Linear(3, 1, bias=False).double()
    model.weight.data.copy_(torch.tensor([[1.0, 2.0, 2.0]]))
    axes = torch.eye(3).double()
    plane = Plane(kind="given", centre=model.weight.detach()[0].clone(), first=axes[0], second=axes[0] + axes[1])  # a skew basis of the same plane
    found = surface(model, lambda o, t: o.square().sum(), (torch.eye(3).double(), None), plane, resolution=2)  # gradient 2 (1, 2, 2)
    assert found.gradient_share == pytest.approx(5 / 9)
    assert "44 % of the squared gradient" in found.hidden.en


def test_ctrl_c_keeps_whole_rows():
    def interrupt(done, total):
        assert total == 5
        if done == 2:
            raise KeyboardInterrupt

    found = bowl(keep_partial=True, progress=interrupt, fast=False)
    assert not found.is_complete
    assert found.n_computed == 2
    assert np.isfinite(found.values[:2]).all()
    assert np.isnan(found.values[2:]).all()
    assert found.to_dict()["rows_computed"] == 2
    found.figure()
    with pytest.raises(KeyboardInterrupt):
        bowl(progress=interrupt, fast=False)


def holed():
    """Return a surface with a region without numbers."""
    return two_weight_surface("log(w1 + w2)^2 + w1", resolution=21)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("kind", ["contour", "3d"])
def test_figures_carry_finding_ticks_labels_and_what_is_hidden(kind, language):
    model, loss, batch = cases()["mlp"]
    path = torch.randn(6, sum(p.numel() for p in model.parameters()), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for found in (surface(model, loss, batch, "pca", trajectory=path, resolution=7), holed(), two_weight_surface("tanh", resolution=9)):
        figure = found.figure(kind=kind, language=language)
        axes = figure.axes[0]
        assert figure.get_suptitle().replace("\u00a0", " ").replace("\n", "").replace(" ", "") == found.finding.in_language(language).replace(" ", "")
        assert axes.get_xlabel() == found.labels[0].in_language(language)
        assert axes.get_ylabel() == found.labels[1].in_language(language)
        assert len(axes.get_xticks()) > 2
        assert figure.get_supxlabel()


def test_what_is_not_finite_is_hatched_and_counted():
    found = holed()
    figure = found.figure()
    patches = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    assert len(patches) == int((~np.isfinite(found.values)).sum())
    assert "of the slice is not finite" in found.finding.en


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.full((3, 3), math.nan), -np.eye(3), np.eye(3) * 1e300, np.full((3, 3), 1e-320)])
def test_extreme_heights_can_be_drawn(values):
    import dataclasses

    found = dataclasses.replace(two_weight_surface("quadratic", resolution=3), values=values)
    for kind in ("contour", "3d"):
        found.figure(kind=kind).savefig("/dev/null", format="png")


def test_it_is_stored_as_picture_or_numbers(tmp_path):
    found = holed()
    for name in ("a.png", "b.svg", "c.pdf"):
        assert (tmp_path / name).write_bytes(b"") == 0
        found.save(str(tmp_path / name))
        assert (tmp_path / name).stat().st_size > 1000
    found.save(str(tmp_path / "d.json"))
    stored = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert stored["schema"] == 1
    assert stored["values"][0][0] is None
    np.testing.assert_allclose(stored["values"][-1][-1], found.values[-1, -1])
    with pytest.raises(UsageError, match="should end in"):
        found.save(str(tmp_path / "e.bmp"))
    with pytest.raises(CannotWrite):
        found.save(str(tmp_path / "nowhere" / "f.json"))
    with pytest.raises(UsageError, match="no kind of figure"):
        found.figure(kind="2d")
