"""The picture of the first layer, for every kind of layer."""

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets import first_layer_figure
from kazami.reports.figures import save_figure


@pytest.mark.parametrize(
    ("model", "units"),
    [
        (nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU()), 5),
        (nn.Conv1d(2, 4, 5), 4),
        (nn.Conv3d(1, 2, 3), 2),
        (nn.Linear(64, 7), 7),
        (nn.Linear(10, 3), 3),
        (nn.Linear(4, 100), 64),
        (nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 6)), 6),
    ],
)
def test_every_unit_has_its_image(tmp_path, model, units):
    figure = first_layer_figure(model)
    assert sum(bool(axis.images) for axis in figure.axes) == units
    assert save_figure(figure, str(tmp_path / "first.png"))


def test_japanese_and_a_named_layer():
    assert "ユニット" in first_layer_figure(nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2)), "1", "ja").get_suptitle()


def test_a_model_without_weights_is_refused():
    with pytest.raises(UsageError, match="weight matrix"):
        first_layer_figure(nn.ReLU())
    assert torch.is_grad_enabled()
