"""Deep classifiers of one shape with different ways past their layers: none, identity, dense."""

import math
from typing import Any, Literal

import torch
from torch import nn

from ..nets import Residual, mlp

Kind = Literal["plain", "plain_bn", "residual", "residual_relu", "dense"]
GROWTH = 4  # features that a layer of the dense network adds


def deep_classifier(kind: Kind, depth: int, *, width: int, n_in: int, n_classes: int, seed: int) -> nn.Sequential:
    r"""Return a ReLU network with ``depth`` weight layers, all initialised after He et al. 2015, so that calm or storm of the start is nobody's excuse.

    ``plain``: linear, ReLU, again and again; ``plain_bn``: with batch normalisation before every ReLU, the plain network of He et al. 2015;
    ``residual``: the hidden layers in pairs, :math:`x + W_2\,\mathrm{ReLU}(W_1 x) / \sqrt{L}` with L pairs, the branch's end linear;
    ``residual_relu``: a shortcut around each hidden layer with its ReLU, the branch never negative; ``dense``: every hidden layer adds ``GROWTH`` features to
    those of all layers before it (Huang et al. 2017).

    Args:
        kind: Which of them.
        depth: Number of weight layers, the first and the output included; at least 4, and even for ``residual``.
        width: Features of the hidden layers; of the first one in the dense network.
        n_in: Features of an input.
        n_classes: Number of outputs.
        seed: Seeds the weights.
    """
    options: dict[str, Any] = {"activation": nn.ReLU, "output": nn.Identity, "initialisation": "he", "seed": seed}
    options |= {"plain_bn": {"normalisation": "batch"}, "residual_relu": {"shortcut": "identity", "scale": "1/sqrt(L)"}, "dense": {"shortcut": "dense"}}.get(
        kind, {}
    )
    hidden = [width, *[GROWTH if kind == "dense" else width] * (depth - 2)]
    model: nn.Sequential = mlp([n_in, *hidden, n_classes], **options)
    return in_pairs(model) if kind == "residual" else model


def in_pairs(plain: nn.Sequential) -> nn.Sequential:
    """Return the same layers with a shortcut around every two hidden ones: linear, ReLU, linear; the weights are shared, and scaled to keep the mean square."""
    first, layers, last = list(plain)[:2], [part for part in list(plain)[2:-1] if isinstance(part, nn.Linear)], plain[-1]
    pairs = list(zip(layers[::2], layers[1::2], strict=True))
    with torch.no_grad():
        for _, end in pairs:
            end.weight.mul_(math.sqrt(0.5))  # no ReLU behind it, which would halve the mean square
    return nn.Sequential(*first, *(Residual(nn.Sequential(a, nn.ReLU(), b), scale="1/sqrt(L)", depth=len(pairs)) for a, b in pairs), last)


def stormy_classifier(depth: int, *, width: int, n_in: int, n_classes: int, excess: float, seed: int) -> nn.Sequential:
    """Return a plain ReLU network whose hidden weights have ``excess`` times He's variance, so that signals and gradients grow by its root in every layer."""
    model: nn.Sequential = mlp([n_in, *[width] * depth, n_classes], activation=nn.ReLU, output=nn.Identity, initialisation="he", seed=seed)
    with torch.no_grad():
        for layer in list(model)[:-1]:
            if isinstance(layer, nn.Linear):
                layer.weight.mul_(math.sqrt(excess))
    return model
