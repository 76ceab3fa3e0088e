"""Signal propagation through depth: mean-field theory, and wide random networks beside it."""

import math
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from ...nets import critical_weight_variance, mean_field
from ..propagation import generator_of, gradient_growth, plain_stack, profile, residual_stack
from ._base import AbstractTruths, Check, Measurement, Sentence, truth

POOLE = "mean-field theory: Poole et al. 2016; Schoenholz et al. 2017 (arXiv 1611.01232); published numbers"
HE = "derivation: E[φ'²] = 1/2 for ReLU, He et al. 2015"
BOUND = "exact: a sigmoid's derivative is at most 1/4"
SUM = "derivation: variances of independent branches add, (1 + s²)^L"
GLOROT = "definition: Glorot and Bengio 2010; He et al. 2015"
CRITICAL = ((0.0, 1.0), (0.01, 1.424), (0.05, 1.761), (0.1, 1.986), (0.3, 2.505))
SCALES = ((1.0, 3.63), (1.3, 7.83), (1.5, 15.8), (2.0, 21.5), (2.5, 7.98), (4.0, 3.40))
WIDTH, DEPTH, SEEDS = 256, 40, 6
LARGEST_NAMES = "sigmoid, weight variance 1: factor of gradients per layer, largest", "sigmoid、重み分散 1: 層ごとの勾配の倍率、最大"


class Depth(AbstractTruths):
    """How signals and gradients go through deep networks at initialisation."""

    name: ClassVar = "depth"
    title: ClassVar = Sentence("Signals and gradients through depth", "深さ方向の信号と勾配")

    def measurements(self, *, quick: bool) -> Sequence[Measurement]:
        """The quick version averages over fewer networks."""
        seeds = 3 if quick else SEEDS
        relu = [partial(_relu, variance, seeds) for variance in (2.0, 1.0)]
        return [_critical, _scales, *relu, partial(_sigmoid, seeds), partial(_residual, 1.0, seeds), partial(_residual, "1/sqrt(L)", seeds), _orthogonal]


def _critical() -> Sequence[Check]:
    checks = []
    for bias, expected in CRITICAL:
        names = f"tanh: critical weight variance at bias variance {bias:g}", f"tanh: バイアス分散 {bias:g} での臨界重み分散"
        checks.append(truth(names, critical_weight_variance("tanh", bias), expected, 2e-3, POOLE))
    return checks


def _scales() -> Sequence[Check]:
    checks = []
    for weight, expected in SCALES:
        names = f"tanh, bias variance 0.05, weight variance {weight:g}: depth scale of gradients", f"tanh、重み分散 {weight:g}: 勾配の深さスケール"
        checks.append(truth(names, mean_field("tanh", weight, 0.05).gradient_depth, expected, 0.01 * expected, POOLE))
    return checks


def _relu(variance: float, seeds: int) -> Sequence[Check]:
    slopes = [_slope(nn.ReLU, variance, seed) for seed in range(seeds)]
    names = f"ReLU, weight variance {variance:g}: log growth of squared gradients per layer", f"ReLU、重み分散 {variance:g}: 層ごとの勾配二乗の対数成長"
    return [truth(names, float(np.mean(slopes)), math.log(variance / 2), 0.03, HE)]


def _sigmoid(seeds: int) -> Sequence[Check]:
    factors = [math.exp(_slope(nn.Sigmoid, 1.0, seed) / 2) for seed in range(seeds)]
    names = "sigmoid, weight variance 1: factor of gradients per layer", "sigmoid、重み分散 1: 層ごとの勾配の倍率"
    theory = math.sqrt(mean_field("sigmoid", 1.0, 0.0).chi)
    return [truth(names, float(np.mean(factors)), theory, 0.01, POOLE), truth(LARGEST_NAMES, float(np.max(factors)), 0.25, 0.0, BOUND, "at_most")]


def _slope(activation: type[nn.Module], variance: float, seed: int) -> float:
    stack = plain_stack(activation, [WIDTH] * (DEPTH + 1), weight_variance=variance, seed=seed)
    x = torch.randn(32, WIDTH, dtype=torch.float64, generator=generator_of(100 + seed))
    return gradient_growth(profile(stack, x, seed=seed).gradient, skip=3)


def _residual(scale: float | str, seeds: int) -> Sequence[Check]:
    blocks = 16
    ratios = []
    for seed in range(seeds):
        stack = residual_stack(nn.ReLU, [WIDTH] * (blocks + 1), weight_variance=2.0, scale=scale, seed=seed)
        x = torch.randn(32, WIDTH, dtype=torch.float64, generator=generator_of(100 + seed))
        signal = profile(stack, x, seed=seed).signal
        ratios.append(math.log(signal[-1] / signal[0]) / blocks)
    factor = 2.0 if scale == 1.0 else 1.0 + 1.0 / blocks
    names = f"residual ReLU, branch scale {scale}: log growth of the signal per block", f"残差 ReLU、枝の係数 {scale}: ブロックごとの信号の対数成長"
    return [truth(names, float(np.mean(ratios)), math.log(factor), 0.03, SUM)]


def _orthogonal() -> Sequence[Check]:
    generator, product = generator_of(0), torch.eye(64, dtype=torch.float64)
    for _ in range(50):
        weight = torch.empty(64, 64, dtype=torch.float64)
        nn.init.orthogonal_(weight, generator=generator)
        product = weight @ product
    values = torch.linalg.svdvals(product)
    names = "50 orthogonal layers: singular values of the end-to-end Jacobian, largest distance from 1", "直交 50 層: 全体のヤコビ行列の特異値、1 との最大差"
    return [truth(names, float((values - 1).abs().max()), 0.0, 1e-12, "exact: a product of orthogonal matrices is orthogonal")]
