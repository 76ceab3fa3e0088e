"""Claims about depth: who lets gradients vanish, who cures it, and what the identity does."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from ...nets import activation, linear_collapse, mlp
from ...patients.data import digits
from ..networks import deep_classifier
from ..propagation import generator_of, plain_stack, profile, residual_stack
from ..training_loops import adam, classifier_training, losses_until_overflow, scores
from ._base import Check, Claim, Sentence, case, fade

DEPTH, WIDTH, SEEDS = 50, 128, 3
HARMLESS, SEVERE = 1.0, 3.0  # decades of the gradient's norm over the whole depth
BEST = "distance from the best linear map; 0 means that depth was for nothing"
FADE = "decades by which the gradient's norm falls over 50 layers"


def _faded(kind: type[nn.Module], variance: float, *, depth: int = DEPTH) -> float:
    return float(np.mean([_fade_of(plain_stack(kind, [WIDTH] * (depth + 1), weight_variance=variance, seed=seed), seed) for seed in range(SEEDS)]))


def _fade_of(stack: nn.Sequential, seed: int) -> float:
    x = torch.randn(32, WIDTH, dtype=torch.float64, generator=generator_of(100 + seed))
    gradient = profile(stack, x, seed=seed).gradient
    return fade(gradient[0], gradient[-1])


def _relu_never() -> Sequence[Check]:
    return [
        case(("He initialisation", "He 初期化"), _faded(nn.ReLU, 2.0), HARMLESS, "at_most", FADE),
        case(("PyTorch's default initialisation of a linear layer", "PyTorch 既定の初期化"), _faded(nn.ReLU, 1 / 3), HARMLESS, "at_most", FADE),
        case(("Xavier initialisation", "Xavier 初期化"), _faded(nn.ReLU, 1.0), HARMLESS, "at_most", FADE),
    ]


def _relu_may() -> Sequence[Check]:
    return [
        case(("PyTorch's default initialisation of a linear layer", "PyTorch 既定の初期化"), _faded(nn.ReLU, 1 / 3), SEVERE, "at_least", FADE),
        case(("Xavier initialisation", "Xavier 初期化"), _faded(nn.ReLU, 1.0), SEVERE, "at_least", FADE),
        case(("He initialisation", "He 初期化"), _faded(nn.ReLU, 2.0), SEVERE, "at_least", FADE),
    ]


def _identity_helps() -> Sequence[Check]:
    scaled, bare = (_residual_fade(scale) for scale in ("1/sqrt(L)", 1.0))
    linear = abs(_faded(nn.Identity, 1.0))
    what = "decades by which the gradient's norm changes over 50 layers"
    return [
        case(("as a shortcut, branches scaled by 1/√L", "ショートカットとして、枝を 1/√L 倍"), scaled, HARMLESS, "at_most", what),
        case(("as a shortcut, branches not scaled", "ショートカットとして、枝の縮小なし"), bare, HARMLESS, "at_most", what),
        case(("as the activation, for the gradients alone", "活性化関数として、勾配だけを見る"), linear, HARMLESS, "at_most", what),
        case(("as the only activation, for what can be learnt", "唯一の活性化関数として、学べる関数を見る"), _gap(nn.Identity), 1e-9, "at_least", BEST),
    ]


def _residual_fade(scale: float | str) -> float:
    stacks = [residual_stack(nn.ReLU, [WIDTH] * (DEPTH + 1), weight_variance=2.0, scale=scale, seed=seed) for seed in range(SEEDS)]
    return float(np.mean([abs(_fade_of(stack, seed)) for seed, stack in enumerate(stacks)]))


def _collapse() -> Sequence[Check]:
    what = "largest relative distance between the network and one linear layer"
    return [case((f"{depth} layers without activation", f"活性化なし {depth} 層"), _gap(nn.Identity, depth), 1e-9, "at_most", what) for depth in (2, 10, 50)]


def _gap(kind: type[nn.Module], depth: int = 10) -> float:
    """Return how far a network is from the affine map that fits its own answers best, relative to their spread."""
    model = mlp([8, *[16] * (depth - 1), 4], activation=kind, initialisation="he" if kind is nn.ReLU else "xavier", seed=0).double()
    x = torch.randn(200, 8, dtype=torch.float64, generator=generator_of(1))
    with torch.no_grad():
        y = model(x)
        found = linear_collapse(model, x[:2])
        if found is not None:
            guess = x @ found[0] + found[1]
        else:
            design = torch.cat([x, torch.ones(len(x), 1, dtype=torch.float64)], dim=1)
            guess = design @ torch.linalg.lstsq(design, y).solution
    return float((guess - y).norm() / (y - y.mean(0)).norm())


def _quarter() -> Sequence[Check]:
    what, ten = "decades by which the gradient's norm falls over 10 layers; 10 log10 4 = 6.02 are claimed", 10 * math.log10(4.0)
    return [
        case(("weights of variance 1/n", "重みの分散 1/n"), _faded(nn.Sigmoid, 1.0, depth=10), ten, "at_least", what),
        case(("weights of variance 25/n", "重みの分散 25/n"), _faded(nn.Sigmoid, 25.0, depth=10), ten, "at_least", what),
        case(("the derivative alone", "微分の最大値だけを見る"), -10 * math.log10(activation("sigmoid").derivative_max), ten, "at_least", what),
    ]


def _initialisation_cures() -> Sequence[Check]:
    rows = (("Xavier, tanh", "Xavier、tanh", nn.Tanh, 1.0), ("He, ReLU", "He、ReLU", nn.ReLU, 2.0), ("Xavier, ReLU", "Xavier、ReLU", nn.ReLU, 1.0))
    found = [case((en, ja), abs(_faded(kind, variance)), HARMLESS, "at_most", FADE) for en, ja, kind, variance in rows]
    return [*found, case(("Xavier, sigmoid", "Xavier、シグモイド"), abs(_faded(nn.Sigmoid, 1.0)), HARMLESS, "at_most", FADE)]


def _normalisation_cures() -> Sequence[Check]:
    what = "decades by which the gradient's norm changes from the last layer to the first"
    return [
        case((f"ReLU with batch normalisation, {depth} layers", f"バッチ正規化つき ReLU、{depth} 層"), abs(_weights_fade(depth)), HARMLESS, "at_most", what)
        for depth in (10, 50)
    ]


def _weights_fade(depth: int) -> float:
    model = deep_classifier("plain_bn", depth, width=64, n_in=WIDTH, n_classes=10, seed=0)
    x = torch.randn(128, WIDTH, generator=generator_of(1))
    y = torch.randint(10, (128,), generator=generator_of(2))
    nn.functional.cross_entropy(model(x), y).backward()
    norms = [float(layer.weight.grad.norm()) for layer in model.modules() if isinstance(layer, nn.Linear) and layer.weight.grad is not None]
    return math.log10(norms[-2] / norms[1])


def _residual_trains() -> Sequence[Check]:
    what = "decades by which the signal's mean square grows over 100 blocks"
    found = []
    for scale, en, ja in (("1/sqrt(L)", "branches scaled by 1/√L", "枝を 1/√L 倍"), (1.0, "branches not scaled", "枝の縮小なし")):
        stack = residual_stack(nn.ReLU, [WIDTH] * 101, weight_variance=2.0, scale=scale, seed=0)
        signal = profile(stack, torch.randn(32, WIDTH, dtype=torch.float64, generator=generator_of(3)), seed=0).signal
        found.append(case((en, ja), math.log10(signal[-1] / signal[0]), 2.0, "at_most", what))
    model = deep_classifier("residual", 100, width=32, n_in=64, n_classes=10, seed=0)
    losses_until_overflow(classifier_training(model, digits(), adam(2e-3), steps=40, seed=1))
    names = "100 layers trained on digits, branches scaled by 1/√L", "数字画像で 100 層を学習、枝を 1/√L 倍"
    return [*found, case(names, scores(model, digits()).train_loss, 0.5 * math.log(10), "at_most", "training loss after 40 steps, nats; ln 10 is chance")]


CLAIMS = (
    Claim(
        "relu-never-vanishes",
        "M0.3",
        Sentence("ReLU never lets gradients vanish, however deep the network.", "ReLU ならどれだけ深くても勾配は消失しない。"),
        _relu_never,
    ),
    Claim("relu-may-vanish", "M1.6", Sentence("ReLU may cause vanishing gradients.", "ReLU は勾配消失の原因になりうる。"), _relu_may),
    Claim("identity-helps-depth", "M1.4", Sentence("Identity mappings stabilise deep learning.", "恒等写像は深層学習を安定させる。"), _identity_helps),
    Claim(
        "linear-layers-collapse",
        "M0.1",
        Sentence("Without activations any depth collapses into one linear layer.", "活性化関数がなければ何層重ねても 1 つの線形層に等しい。"),
        _collapse,
    ),
    Claim(
        "sigmoid-leaves-nothing",
        "M0.4",
        Sentence("Ten sigmoid layers leave at most 0.25^10 of the gradient.", "シグモイド 10 層で勾配は 0.25^10 以下になる。"),
        _quarter,
    ),
    Claim(
        "initialisation-cures",
        "M0.6",
        Sentence("Xavier and He initialisation cure vanishing gradients.", "Xavier 初期化と He 初期化は勾配消失を防ぐ。"),
        _initialisation_cures,
    ),
    Claim(
        "normalisation-cures", "M0.6", Sentence("Batch normalisation keeps gradients in range.", "バッチ正規化は勾配を適切な範囲に保つ。"), _normalisation_cures
    ),
    Claim(
        "residual-hundred-layers",
        "M0.7",
        Sentence("With output = f(x) + x, a hundred layers and more become trainable.", "出力を f(x) + x とすれば 100 層以上でも学習できる。"),
        _residual_trains,
    ),
)
