"""Traces made by hand: losses that choose the progress, layers by the dozen, and any series by name."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kazami.diagnosis import AbstractRule, assess
from kazami.records import Finding, Layer, Series, Trace

Floats = NDArray[np.float64]
N_STEPS = 40
TRIVIAL = 2.3

# The quantities that have one number a step; all others have one number a layer.
RUN_LEVEL = frozenset(
    [
        "loss",
        "learning_rate",
        "total_gradient_norm",
        "update_norm",
        "update_cosine",
        "predicted_change",
        "norm_before_clipping",
        "clipping_limit",
        "stability_ratio",
        "output_mean",
        "output_std",
        "output_spread",
        "target_mean",
        "target_std",
        "validation_loss",
        "validation_error",
        "validation_rise_error",
        "output_variation",
        "head_spread",
        "embedding_spread",
        "answered_classes",
        "target_columns_ratio",
        "small_columns_explained",
        "head_energy",
        "head_curvature",
        "sharpness_limit",
        "local_exponent",
        "tangent_cosine",
        "burst_length",
    ]
)
FAMILIES = ("structure", "data", "initialisation", "signal", "step", "symptom")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def noisy(curve: ArrayLike, noise: float = 0.01, *, seed: int = 0) -> Floats:
    """Return a curve with the relative noise that batches give it."""
    values = np.asarray(curve, dtype=np.float64)
    return np.asarray(values * (1 + noise * np.random.default_rng(seed).standard_normal(values.size)))


def stuck(n_steps: int = N_STEPS, level: float = TRIVIAL) -> Floats:
    """Return losses that stay where the trivial predictor is: poor progress that does not diverge."""
    return noisy(np.full(n_steps, level))


def falling(n_steps: int = N_STEPS, start: float = TRIVIAL) -> Floats:
    """Return losses that fall to a fiftieth: good progress."""
    return noisy(start * np.geomspace(1.0, 0.02, n_steps))


def rising(n_steps: int = N_STEPS, start: float = TRIVIAL) -> Floats:
    """Return losses that end thirty times as high as they began: a divergence without a non-finite number."""
    return noisy(start * np.geomspace(1.0, 30.0, n_steps))


def tower(depth: int = 4, *, activation: str = "sigmoid", kind: str = "linear", width: int = 8, n_uses: int = 1) -> tuple[Layer, ...]:
    """Return ``depth`` equal layers, of which the last is the output and has no activation; their names are ``"layer0"``, ``"layer1"`` …"""
    hidden = [Layer(f"layer{i}", kind, (width, width), width, width, activation, n_uses=n_uses) for i in range(depth - 1)]
    return (*hidden, Layer(f"layer{depth - 1}", kind, (width, width), width, width, is_output=True, n_uses=n_uses)) if depth else ()


def synthetic_trace(
    losses: ArrayLike | None = None,
    *,
    layers: Sequence[Layer] | None = None,
    step: int | None = None,
    facts: Mapping[str, Any] | None = None,
    optimizer: Mapping[str, Any] | None = None,
    loss_kind: str = "cross_entropy",
    trivial_loss: float | None = TRIVIAL,
    **series: ArrayLike,
) -> Trace:
    """Return a trace whose progress is assessed from ``losses`` (none: a training without losses).

    Args:
        losses: One loss a step; they fix the number of steps.
        layers: The columns; a `tower` of four where left out.
        series: Quantities by name. A number, or one row of layers, holds at every step; otherwise the first axis is the steps, evenly spread to the last one.
    """
    curve = np.empty(0) if losses is None else np.asarray(losses, dtype=np.float64)
    n_steps = step if step is not None else curve.size or N_STEPS
    recorded = {name: _series(name, values, n_steps) for name, values in series.items()}
    if curve.size:
        recorded["loss"] = _series("loss", curve, n_steps)
    trace = Trace(
        step=n_steps,
        series=recorded,
        layers=tower() if layers is None else tuple(layers),
        facts=dict(facts or {}),
        optimizer={"name": "SGD", "learning_rate": 0.1} if optimizer is None else dict(optimizer),
        loss_kind=loss_kind,
        trivial_loss=trivial_loss,
    )
    return trace.replaced(progress=assess(trace))


def _series(name: str, values: ArrayLike, n_steps: int) -> Series:
    table = np.asarray(values, dtype=np.float64)
    axes = 1 if name in RUN_LEVEL else 2
    if table.ndim < axes:
        table = np.broadcast_to(table, (n_steps, *table.shape)).copy()
    first = max(n_steps - table.shape[0] + 1, 1)
    return Series(np.arange(first, first + table.shape[0], dtype=np.int64), table)


def fire(rule: AbstractRule, trace: Trace) -> Finding:
    """Return the finding of a rule that must fire, after checking what holds for every finding."""
    found = rule.examine(trace)
    assert found is not None, f"{rule.name} is silent"
    assert_well_formed(found, rule)
    return found


def assert_well_formed(found: Finding, rule: AbstractRule) -> None:
    """Check what every finding owes its reader: its identity, both languages, a confidence, a step, and numbers."""
    assert (found.id, found.name, found.family) == (rule.id, rule.name, rule.family)
    assert found.severity in ("info", "warning", "error")
    assert 0.0 < found.confidence < 1.0
    assert found.step >= 0
    assert -2.0 <= found.wind <= 3.0
    assert_both_languages(found.sentence.en, found.sentence.ja)
    assert found.evidence


def assert_both_languages(en: str, ja: str) -> None:
    """Check that a sentence stands in English and in Japanese, each in its own script."""
    assert en
    assert not _JAPANESE.search(en)
    assert _JAPANESE.search(ja)


LAYER_LEVEL = (
    "gain",
    "input_rms",
    "input_spread",
    "output_gradient_rms",
    "gradient_norm",
    "weight_norm",
    "update_ratio",
    "zero_gradient_share",
    "dead_share",
    "slope_share",
    "saturated_share",
    "distinct_units",
    "time_growth",
    "norm_shift",
    "norm_variance",
    "norm_samples",
    "norm_memory",
    "input_condition",
    "flat_gain",
    "sharp_gain",
    "underflow_share",
    "zeroed_share",
    "lost_update_share",
)
SIGNED = frozenset(["loss", "update_cosine", "predicted_change", "output_mean", "target_mean", "time_growth"])
KINDS = ("linear", "conv", "recurrent", "norm", "embedding", "other")
ACTIVATIONS = ("identity", "relu", "sigmoid", "tanh", "gelu", "softmax")
FACTS: dict[str, Any] = {
    "softmax_before_log_softmax": {"activation": "softmax", "loss": "cross_entropy", "step": 1},
    "activation_before_logits_loss": {"activation": "sigmoid", "loss": "binary_cross_entropy_with_logits", "step": 1},
    "nll_without_log": {"activation": "identity", "loss": "nll_loss", "step": 1},
    "log_of_softmax": {"activation": "softmax", "step": 1},
    "output_range": {"activation": "tanh", "low": -1.0, "high": 1.0, "target_low": -9.0, "target_high": 9.0, "outside": 0.4, "layer": "layer1", "step": 1},
    "target_broadcast": {"output": [32, 1], "target": [32], "step": 1},
    "affine_chain": {"layers": 3, "narrowest": 8, "inputs": 8, "outputs": 8, "step": 1},
    "dropout": {"rate": 0.9, "step": 1},
    "input": {
        "layer": "layer0",
        "rms": 300.0,
        "std": 2.0,
        "largest_std": 200.0,
        "smallest_std": 0.1,
        "typical_std": 1.0,
        "offset": 40.0,
        "largest_mean": 9.0,
        "features": 4,
    },
    "kept_gradients": 40,
    "not_in_optimizer": ["head.weight"],
    "never_given_a_gradient": ["body.weight"],
    "never_given_share": 0.5,
    "frozen": {"stem.weight": 64},
    "requires_no_gradient": ["stem.weight"],
    "unregistered": ["blocks[0].weight"],
    "first_bad": {"source": "operation", "place": "log after layer1", "operation": "log", "value": "inf", "layer": "layer1", "step": 3},
    "bad_gradient": {"place": "layer0.weight", "step": 3, "singular": {"operation": "sqrt", "place": "sqrt after layer1"}},
    "bad_update": {"place": "layer0", "step": 4},
    "skipped_steps": 2,
    "half_precision": {"format": "float16", "layers": ["layer0", "layer1"], "weights": ["layer0"], "step": 1},
    "scaler": {"scale": 0.25, "first": 65536.0, "updates": 40, "skipped": 20, "in_a_row": 20},
    "loss_terms": {
        "measured": 9,
        "terms": [
            {"name": "1: mse of layer1", "weight": 1.0, "first": 1.0, "now": 0.01, "trivial": 1.0, "gradient_share": 1.0},
            {"name": "2: cross_entropy of layer2", "weight": 1.0, "first": 2.3, "now": 2.3, "trivial": 2.3, "gradient_share": 1e-4},
        ],
    },
    "moving_targets": {"repeated": 256, "changed": 0.95, "coherence": 0.8},
    "adversarial": {"players": 2},
    "rotation": {
        "period": 30.0,
        "growth": 1.5,
        "turns": 3.0,
        "steadiness": 0.95,
        "flatness": 0.9,
        "radius_over_way": 1.5,
        "first": 10,
        "last": 40,
    },
    "loss_reduction": "mean",
    "validation": {
        "sites": [{"series": "validation_loss", "error": "validation_error", "rise_error": "validation_rise_error", "kind": "cross_entropy", "passes": 40}],
        "is_eval_mode": True,
        "scale": 1.0,
    },
    "epoch": {"first": 1, "batches": 10},
    "softmax_of_one": {"axis": 1, "shape": [32, 1], "step": 1},
    "targets_no_probabilities": {
        "activation": "sigmoid",
        "low": 0.0,
        "high": 1.0,
        "target_low": 1.0,
        "target_high": 2.0,
        "outside": 0.5,
        "layer": "the targets of the loss",
        "step": 1,
    },
    "without_slope": {"operation": "round", "share": 1.0, "parameters": 4, "step": 1},
    "one_sequence": {"steps": 64, "sequences": 20, "index": 19, "step": 1},
    "restarted_loader": {"batches": 40, "size": 32, "times": 64, "first": 1},
    "batch_rows": 32,
    "sorted_batches": {"single": 60, "of": 64, "classes": 9, "size": 32},
    "torn_targets": {"repeated": 256, "changed": 0.9, "by_chance": 0.9},
}


@cache
def random_trace(seed: int) -> Trace:
    """Return a trace of arbitrary but legal content: any progress, any series, any facts, numbers of forty decades, zeros, NaN and infinities."""
    random = np.random.default_rng(seed)
    layers = [_random_layer(random, index) for index in range(random.integers(0, 9))]
    n_steps = int(random.integers(1, 80))
    numbers = {name: _random_numbers(random, name, (n_steps,)) for name in sorted(RUN_LEVEL) if name != "loss" and random.random() < 0.7}
    if "norm_before_clipping" in numbers:  # the two are recorded together
        numbers["clipping_limit"] = _random_numbers(random, "clipping_limit", (n_steps,))
    tables = {name: _random_numbers(random, name, (n_steps, len(layers))) for name in LAYER_LEVEL if random.random() < 0.7}
    curve = [stuck, falling, rising][int(random.integers(3))](n_steps) if random.random() < 0.6 else _random_numbers(random, "loss", (n_steps,))
    return synthetic_trace(
        None if random.random() < 0.05 else curve,
        step=n_steps,
        layers=layers,
        facts={name: fact for name, fact in FACTS.items() if random.random() < 0.15},
        optimizer={"name": str(random.choice(["SGD", "Adam", "AdamW", "LBFGS"])), "learning_rate": 0.1, "weight_decay": float(random.choice([0.0, 0.5]))},
        loss_kind=str(random.choice(["cross_entropy", "mse", "unknown"])),
        trivial_loss=None if random.random() < 0.3 else TRIVIAL,
        **numbers,
        **tables,
    )


def _random_layer(random: np.random.Generator, index: int) -> Layer:
    n_in, n_out = (int(n) for n in random.integers(1, 20, 2))
    return Layer(
        f"layer{index}",
        str(random.choice(KINDS)),
        (n_out, n_in),
        n_in,
        n_out,
        str(random.choice(ACTIVATIONS)),
        bool(random.random() < 0.2),
        int(random.integers(1, 50)),
    )


def _random_numbers(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> Floats:
    """Return numbers spread over some or many decades, of which some are zero, NaN or infinite, and negative where the quantity may be."""
    values = 10.0 ** (random.uniform(-1, 1) * 10 + random.uniform(0, 8) * random.standard_normal(shape))
    for odd in (0.0, np.nan, np.inf):
        values[random.random(shape) < random.choice([0.0, 0.05, 1.0], p=[0.8, 0.17, 0.03])] = odd
    return values * random.choice([-1.0, 1.0], shape) if name in SIGNED else values
