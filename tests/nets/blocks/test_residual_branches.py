"""The last layer of each residual branch, in models that nobody has told us of."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.nets.blocks.residual_branches import last_parameters


class Bottleneck(nn.Module):
    """A block as in torchvision's ResNets."""

    def __init__(self, n_in: int, n_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out)
        self.conv2, self.bn2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out)
        self.downsample = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)) if stride > 1 or n_in != n_out else None

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class LayerScale(nn.Module):
    """A branch that ends in a learned factor per channel, as in ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.gamma = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return x + self.gamma * self.linear(x)


def last(model: nn.Module, example: torch.Tensor) -> set[str]:
    """Return the names of the parameters that end the branches."""
    found = {id(parameter) for parameter in last_parameters(model, example, {})}
    return {name for name, parameter in model.named_parameters() if id(parameter) in found}


def test_batch_norm_ends_the_branches_of_a_resnet():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 1, 1), Bottleneck(4, 4), Bottleneck(4, 8, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    assert last(model, torch.randn(2, 3, 8, 8)) == {"1.bn2.weight", "1.bn2.bias", "2.bn2.weight", "2.bn2.bias"}


@pytest.mark.parametrize("norm_first", [True, False])
def test_attention_and_feed_forward_of_a_transformer(norm_first):
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first)
    model = nn.Sequential(nn.Embedding(9, 8), layer, nn.Linear(8, 9))
    expected = {"1.self_attn.out_proj.weight", "1.self_attn.out_proj.bias", "1.linear2.weight", "1.linear2.bias"}
    assert last(model, torch.randint(9, (2, 5))) == expected


def test_skips_of_a_u_net_and_inputs_used_twice():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.middle, self.up = nn.Linear(4, 2), nn.Linear(2, 2), nn.Linear(2, 4)

        def forward(self, x):
            return x + self.up(torch.relu(self.middle(torch.relu(self.down(x + x)))))

    assert last(Net(), torch.randn(3, 4)) == {"up.weight", "up.bias"}


def test_a_learned_factor_is_enough():
    assert last(LayerScale(), torch.randn(2, 4)) == {"gamma"}


def test_sums_of_different_things_are_no_branches():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places, self.out = nn.Embedding(5, 4), nn.Embedding(5, 4), nn.Linear(4, 4)

        def forward(self, tokens):
            return self.out(self.words(tokens) + self.places(torch.arange(tokens.shape[1])))

    assert last(Sum(), torch.randint(5, (2, 3))) == set()
    assert last(nn.LSTM(3, 4), torch.randn(2, 3, 3)) == set()


def test_a_thousand_layers_take_no_recursion():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(500))

        def forward(self, x):
            for layer in self.layers:
                x = x + torch.tanh(layer(x))
            return x

    assert len(last(Deep(), torch.randn(1, 2))) == 1000
