"""The trainings that are measured: an MLP, a ResNet-20 and a small GPT, on random data."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass
class Training:
    """A model, its optimizer and one step of its loop."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    step: Callable[[], None]


def _loop(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, targets: Tensor) -> Training:
    def step() -> None:
        optimizer.zero_grad()
        output = model(inputs)
        F.cross_entropy(output.reshape(-1, output.shape[-1]), targets.reshape(-1)).backward()
        optimizer.step()

    return Training(model, optimizer, step)


def mlp_sgd() -> Training:
    """784-512-512-10, batch 128, SGD."""
    model = _mlp()
    return _loop(model, torch.optim.SGD(model.parameters(), lr=0.01), torch.randn(128, 784), torch.randint(0, 10, (128,)))


def mlp_adam() -> Training:
    """784-512-512-10, batch 128, Adam."""
    model = _mlp()
    return _loop(model, torch.optim.Adam(model.parameters(), lr=1e-4), torch.randn(128, 784), torch.randint(0, 10, (128,)))


def _mlp() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


class Block(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.short = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if stride != 1 or inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.short(x))


def resnet() -> Training:
    """ResNet-20 for 32 by 32 images, batch 16, SGD with momentum."""
    torch.manual_seed(0)
    blocks = [Block(16, 16, 1) for _ in range(3)] + [Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1), Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1)]
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    model = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks, *head)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return _loop(model, optimizer, torch.randn(16, 3, 32, 32), torch.randint(0, 10, (16,)))


class Attention(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        n, t, c = x.shape
        q, k, v = (part.view(n, t, self.heads, -1).transpose(1, 2) for part in self.qkv(self.ln1(x)).split(c, dim=2))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, c)
        x = x + self.out(mixed)
        return x + self.down(F.gelu(self.up(self.ln2(x))))


class GPT(nn.Module):
    """Four layers, width 128, 64 places, 256 words."""

    def __init__(self, width: int = 128, depth: int = 4, places: int = 64, words: int = 256) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(places, width)
        self.blocks = nn.Sequential(*(Attention(width, 4) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the next word at every place."""
        x = self.words(tokens) + self.places(torch.arange(tokens.shape[1], device=tokens.device))
        return self.head(self.norm(self.blocks(x)))


def gpt() -> Training:
    """The GPT above, batch 16, AdamW."""
    torch.manual_seed(0)
    model = GPT()
    tokens = torch.randint(0, 256, (16, 65))
    return _loop(model, torch.optim.AdamW(model.parameters(), lr=3e-4), tokens[:, :-1], tokens[:, 1:])


TRAININGS: dict[str, Callable[[], Training]] = {"mlp-sgd": mlp_sgd, "mlp-adam": mlp_adam, "resnet": resnet, "gpt": gpt}
