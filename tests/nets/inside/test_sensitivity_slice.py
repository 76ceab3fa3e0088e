"""The map against a closed form on its grid, its directions, and its figure."""

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets import sensitivity_map
from kazami.reports.figures import save_figure
from tests.nets.models import Written, normal, seeded_model


def test_the_values_are_the_slopes_on_the_grid():
    model = Written(lambda _, x: torch.tanh(x))
    made = sensitivity_map(model, torch.zeros(1, 2, dtype=torch.float64), torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0]), extent=2.0, points=5)
    assert torch.allclose(made.direction_b, torch.tensor([0.0, 1.0], dtype=torch.float64))
    b, a = torch.meshgrid(made.b, made.a, indexing="ij")
    slopes = torch.maximum(1 - torch.tanh(a) ** 2, 1 - torch.tanh(b) ** 2)
    assert torch.allclose(made.values, slopes)
    assert not made.is_default


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_figure(tmp_path, language):
    model = seeded_model(lambda: nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3)))
    figure = sensitivity_map(model, normal(2, 3), points=7).figure(language)
    assert ("感度" if language == "ja" else "Sensitivity varies") in figure.axes[0].get_title(loc="left")
    assert save_figure(figure, str(tmp_path / "map.svg"))


def test_what_spans_no_plane_is_refused():
    for a, b, text in ((torch.ones(2), torch.ones(2) * 3, "parallel"), (torch.zeros(2), None, "zero"), (torch.ones(3), None, "2 numbers")):
        with pytest.raises(UsageError, match=text):
            sensitivity_map(nn.Linear(2, 2), torch.ones(1, 2), a, b)
    with pytest.raises(UsageError, match="two inputs"):
        sensitivity_map(nn.Linear(1, 1), torch.ones(1, 1))
    with pytest.raises(UsageError, match="row should be"):
        sensitivity_map(nn.Linear(2, 2), torch.ones(1, 2), row=3)
