"""Small models that several patients share; each is what people write, with the usual knobs and nothing clever."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

Activation = Callable[[], nn.Module]
Cell = Literal["rnn", "lstm", "gru"]


def mlp(
    sizes: Sequence[int],
    activation: Activation = nn.ReLU,
    *,
    norm: Callable[[int], nn.Module] | None = None,
    dropout: float = 0.0,
    output: nn.Module | None = None,
) -> nn.Sequential:
    """Return linear layers of the given ``sizes`` (inputs first, outputs last), an activation after each but the last.

    Args:
        sizes: Widths, ``len(sizes) - 1`` linear layers in all.
        activation: Makes the activation, for example ``nn.Tanh``; ``nn.Identity`` for none.
        norm: Makes a normalisation of the given width, placed before the activation, for example ``nn.BatchNorm1d``.
        dropout: Share dropped after each activation.
        output: A module appended after the last linear layer.
    """
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes[:-1]):
        layers.append(nn.Linear(fan_in, fan_out))
        if norm is not None:
            layers.append(norm(fan_out))
        layers.append(activation())
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    if output is not None:
        layers.append(output)
    return nn.Sequential(*layers)


def initialise(model: nn.Module, how: Callable[[Tensor], object], *, bias: float | None = 0.0) -> nn.Module:
    """Apply ``how`` (such as ``nn.init.xavier_normal_``) to every weight of two or more dimensions, set every bias, and return ``model``.

    Args:
        model: Changed in place.
        how: Initialises one tensor in place.
        bias: Value of all biases of linear and convolution layers; ``None`` leaves them as they are.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
            how(module.weight)
            if bias is not None and module.bias is not None:
                nn.init.constant_(module.bias, bias)
    return model


class Residual(nn.Module):
    """``x + f(x)``."""

    def __init__(self, inner: nn.Module, *, scale: float = 1.0) -> None:
        super().__init__()
        self.inner = inner
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus what the block adds to it."""
        added: Tensor = self.inner(x)
        return x + self.scale * added


def residual_mlp(n_inputs: int, width: int, n_outputs: int, blocks: int, *, activation: Activation = nn.ReLU, scale: float = 1.0) -> nn.Sequential:
    """Return linear - ``blocks`` residual blocks of two linear layers (LayerNorm first) - linear: ``2 * blocks + 2`` weight layers."""

    def block() -> nn.Module:
        return Residual(nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), activation(), nn.Linear(width, width)), scale=scale)

    return nn.Sequential(nn.Linear(n_inputs, width), *(block() for _ in range(blocks)), nn.Linear(width, n_outputs))


class SmallCnn(nn.Module):
    """Two 3x3 convolutions with pooling and a linear head, for images of shape ``(n, 1, 8, 8)``.

    Args:
        channels: Channels of the first convolution; the second has twice as many.
        n_outputs: Classes, or outputs.
        activation: Makes the activation.
        norm: Whether a BatchNorm2d follows each convolution.
    """

    def __init__(self, channels: int = 8, n_outputs: int = 10, *, activation: Activation = nn.ReLU, norm: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.norm1: nn.Module = nn.BatchNorm2d(channels) if norm else nn.Identity()
        self.norm2: nn.Module = nn.BatchNorm2d(2 * channels) if norm else nn.Identity()
        self.activation = activation()
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(8 * channels, n_outputs)  # 2 * channels maps of 2 x 2

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, n_outputs)``."""
        x = self.pool(self.activation(self.norm1(self.conv1(x))))
        x = self.pool(self.activation(self.norm2(self.conv2(x))))
        logits: Tensor = self.head(x.flatten(1))
        return logits


class SequenceReader(nn.Module):
    """A recurrent layer and a linear head on its last state, for inputs of shape ``(n, time, features)``.

    Args:
        n_inputs: Features per time step.
        width: Hidden units.
        n_outputs: Classes, or outputs.
        cell: ``"rnn"`` (tanh), ``"lstm"`` or ``"gru"``.
        layers: Stacked recurrent layers.
    """

    def __init__(self, n_inputs: int, width: int, n_outputs: int, *, cell: Cell = "rnn", layers: int = 1) -> None:
        super().__init__()
        make = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.recurrent: nn.RNNBase = make(n_inputs, width, layers, batch_first=True)
        self.head = nn.Linear(width, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs of shape ``(n, n_outputs)``."""
        states, _ = self.recurrent(x)
        output: Tensor = self.head(states[:, -1])
        return output


class TinyTransformer(nn.Module):
    """Token and position embeddings, encoder layers, a linear head.

    Args:
        vocabulary: Number of tokens.
        length: Tokens per sequence.
        n_outputs: Classes.
        width: Size of the embeddings; a multiple of ``heads``.
        heads: Attention heads.
        layers: Encoder layers.
        per_token: ``True``: logits ``(n, n_outputs, length)``, as ``F.cross_entropy`` wants them; ``False``: mean over time, logits ``(n, n_outputs)``.
        norm_first: Pre-norm (``True``) or post-norm, the original one.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        n_outputs: int,
        *,
        width: int = 32,
        heads: int = 4,
        layers: int = 2,
        per_token: bool = False,
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(0.02 * torch.randn(length, width))
        self.encoder = nn.Sequential(
            *(nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.0, batch_first=True, norm_first=norm_first) for _ in range(layers))
        )
        self.norm: nn.Module = nn.LayerNorm(width) if norm_first else nn.Identity()
        self.head = nn.Linear(width, n_outputs)
        self.per_token = per_token

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits, classes in dimension 1."""
        x = self.norm(self.encoder(self.tokens(tokens) + self.positions))
        logits: Tensor = self.head(x).transpose(1, 2) if self.per_token else self.head(x.mean(1))
        return logits
