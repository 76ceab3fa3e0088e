"""Findings and traces made by hand, at least one for each finding of the catalogue, for the tests of single cures and for the conformance suite."""

from dataclasses import replace
from typing import Any

import numpy as np

from kazami.records import Evidence, Finding, Layer, Prescription, Progress, Sentence, Series, Trace

SGD = {"name": "SGD", "groups": 1, "learning_rate": 0.1, "momentum": 0.9, "dampening": 0, "nesterov": False, "weight_decay": 0.0}
ADAM = {"name": "Adam", "groups": 1, "learning_rate": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False}
RATIO, UPDATE = "stability ratio (sharpness over the optimizer's threshold)", "size of the updates beside the weights"


def finding(name: str, value: float | None = None, measure: str = "", **fields: Any) -> Finding:
    """Return a finding with at most one piece of evidence."""
    evidence = (Evidence(measure, value),) if value is not None else ()
    given = {"id": "KZ000", "severity": "warning", "confidence": 0.9, "step": 1, "place": "", "evidence": evidence}
    given["sentence"] = Sentence("x", "x")
    return Finding(name=name, **{**given, **fields})


def trace(**fields: Any) -> Trace:
    """Return a trace of 100 steps under plain SGD with the network of :func:`mlp`; lists and numbers among ``numbers`` become series."""
    numbers = fields.pop("numbers", {})
    series = {name: Series(np.arange(1, len(values) + 1), np.asarray(values, dtype=float)) for name, values in numbers.items()}
    return Trace(**{"step": 100, "optimizer": SGD, "layers": mlp(), "loss_kind": "cross_entropy", "series": series, **fields})


def mlp(activation: str = "relu", depth: int = 3, width: int = 32) -> tuple[Layer, ...]:
    """Return the layers of ``nn.Sequential(Linear, activation, Linear, …, Linear)`` with ``depth`` weight matrices, from 8 inputs to 4 outputs."""
    sizes = [8, *[width] * (depth - 1), 4]
    last = depth - 1
    return tuple(
        Layer(str(2 * i), "linear", (sizes[i + 1], sizes[i]), sizes[i], sizes[i + 1], activation if i < last else "identity", is_output=i == last)
        for i in range(depth)
    )


def recurrent(gates: int = 1, hidden: int = 16) -> tuple[Layer, ...]:
    """Return the layers of a recurrent net over 50 time steps with a linear head."""
    return (
        Layer("rnn.weight_ih_l0", "linear", (gates * hidden, 5), 5, gates * hidden, "tanh", n_uses=50),
        Layer("rnn.weight_hh_l0", "recurrent", (gates * hidden, hidden), hidden, gates * hidden, "tanh", n_uses=50),
        Layer("head", "linear", (1, hidden), hidden, 1, is_output=True),
    )


def progress(**fields: Any) -> Progress:
    """Return a poor progress."""
    measured = {"first": 2.3, "now": 2.3, "best": 2.3, "trivial": 2.3, "reference": 2.3, "explained": 0.0, "fall": 0.0, "pace": 0.0, "noise": 0.01}
    judged = {"is_falling": False, "is_diverging": False, "is_poor": True}
    return Progress(**{**measured, **judged, **fields})


def prescribed(cure: Any, found: Finding, seen: Trace) -> Prescription:
    """Return what a cure prescribes, which must be something, and must be Python."""
    given = cure.prescribe(found, seen)
    assert given is not None
    compile(given.code, cure.name, "exec")
    return given


NORMS = {"total_gradient_norm": [*np.linspace(1.0, 2.0, 50)]}
INPUT = {
    "layer": "0",
    "rms": 120.0,
    "std": 40.0,
    "largest_std": 70.0,
    "smallest_std": 0.5,
    "typical_std": 30.0,
    "offset": 2.0,
    "largest_mean": 130.0,
    "features": 8,
}
RANGE = {"activation": "sigmoid", "low": 0.0, "high": 1.0, "target_low": -3.0, "target_high": 5.0, "outside": 0.7, "layer": "4"}
BROADCAST = {"output": [32, 1], "target": [32], "step": 1}


def bad(operation: str, source: str = "operation", step: int = 7) -> dict[str, Any]:
    """Return the facts of a first non-finite number."""
    return {"first_bad": {"source": source, "place": f"{operation} after 2", "operation": operation, "value": "nan", "layer": "2", "step": step}}


TERMS = {
    "loss_terms": {
        "measured": 9,
        "terms": [
            {"name": "1: mse of 4", "weight": 1.0, "first": 1.0, "now": 0.01, "trivial": 1.0, "gradient_share": 1.0},
            {"name": "2: cross_entropy of 4", "weight": 0.5, "first": 2.3, "now": 2.3, "trivial": 2.3, "gradient_share": 2e-3},
        ],
    }
}


OPERATIONS = ("sqrt", "log", "div", "exp", "std", "norm", "softmax", "acos", "rsqrt", "pow", "log1p", "atan2")
CASES: list[tuple[Finding, Trace]] = [
    (finding("target_broadcast"), trace(facts={"target_broadcast": BROADCAST}, loss_kind="mse")),
    (finding("double_softmax"), trace(facts={"softmax_before_log_softmax": {"activation": "softmax", "loss": "cross_entropy"}})),
    (finding("output_activation"), trace(facts={"activation_before_logits_loss": {"activation": "sigmoid", "loss": "binary_cross_entropy_with_logits"}})),
    (finding("output_activation"), trace(facts={"softmax_axis": {"axis": 0, "classes": 1, "size": 30}})),
    (finding("output_activation"), trace(facts={"nll_without_log": {"activation": "identity", "loss": "nll_loss"}})),
    (finding("output_activation"), trace(facts={"output_range": RANGE}, loss_kind="mse", numbers={"target_mean": [1.0] * 9, "target_std": [2.0] * 9})),
    (finding("log_of_softmax"), trace(facts={"log_of_softmax": {"activation": "softmax"}})),
    (finding("no_nonlinearity"), trace(layers=mlp("identity"))),
    (finding("unregistered_parameters", place="layers[0].weight"), trace(facts={"unregistered": ["layers[0].weight", "layers[0].bias"]})),
    (finding("frozen_parameters", place="head.weight"), trace(facts={"not_in_optimizer": ["head.weight", "head.bias"]})),
    (finding("frozen_parameters", place="0.weight"), trace(facts={"never_given_a_gradient": ["0.weight", "0.bias"]})),
    (finding("frozen_parameters", place="0"), trace(facts={"frozen": {"0": 99}, "requires_no_gradient": ["0.weight"]})),
    (finding("frozen_parameters"), trace(facts={"never_given_a_gradient": ["0.weight"], "wiped_gradients": {"wiped": 3, "of": 3}})),
    (finding("no_zero_grad"), trace()),
    (finding("symmetric_units", place="0"), trace()),
    *[(finding("nan_inf", step=7, place=f"{name} after 2"), trace(facts=bad(name), numbers=NORMS)) for name in OPERATIONS],
    (finding("nan_inf", step=7, place="the batch"), trace(facts=bad("", "batch"), numbers=NORMS)),
    (finding("nan_inf", step=7, place="the target of the loss"), trace(facts=bad("", "target"))),
    (finding("nan_inf", step=40, rank=60, place="addmm after 2"), trace(facts=bad("addmm", step=40), numbers={**NORMS, "stability_ratio": [30.0] * 5})),
    (finding("nonfinite_weights", step=7, place="2.weight"), trace(facts=bad("", "weight"), numbers=NORMS)),
    (finding("input_scaling", place="0"), trace(facts={"input": INPUT})),
    (finding("target_scaling"), trace(loss_kind="mse", numbers={"target_mean": [350.0] * 9, "target_std": [120.0] * 9})),
    (finding("bad_init_scale", 12.0, "gain of the initial weights over the ideal", place="0", wind=1.5), trace(numbers={"output_std": [40.0]})),
    (finding("exploding_gradient", 6.0, "growth of the gradient over depth", place="0"), trace(numbers=NORMS)),
    (finding("exploding_gradient", 6.0, "growth of the gradient over depth", place="0"), trace(layers=[replace(layer, is_residual=True) for layer in mlp()])),
    (finding("exploding_gradient", 6.0, "growth of the gradient over time", place="rnn.weight_hh_l0"), trace(layers=recurrent(), numbers=NORMS)),
    (finding("exploding_gradient", 4.0, "growth of the gradient norm over the run"), trace(numbers=NORMS, progress=progress(is_diverging=True))),
    (finding("vanishing_gradient", 9.0, "attenuation of the gradient over depth", place="0"), trace(layers=mlp("sigmoid", 12))),
    (finding("vanishing_gradient", 8.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0"), trace(layers=recurrent())),
    (finding("vanishing_gradient", 8.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0"), trace(layers=recurrent(4))),
    (finding("saturated", 0.01, "mean slope of the activation over its greatest", place="0", rank=33), trace(layers=mlp("tanh"), facts={"input": INPUT})),
    (finding("saturated", 0.01, "mean slope of the activation over its greatest", place="0", rank=45), trace(layers=mlp("sigmoid"))),
    (finding("dead_units", 1.0, "share of units silent on every sample", place="0", rank=23), trace()),
    (finding("dead_units", 1.0, "share of units silent on every sample", place="0", rank=46, step=12), trace()),
    (finding("lr_too_high", 40.0, RATIO), trace(numbers=NORMS)),
    (finding("lr_too_high", 0.5, UPDATE), trace(optimizer=ADAM)),
    (finding("lr_too_low", 0.001, RATIO), trace()),
    (
        finding("over_clipping", 0.02, "share of the gradient that clipping leaves"),
        trace(numbers={"norm_before_clipping": [50.0] * 9, "clipping_limit": [1.0] * 9}),
    ),
    (finding("over_decay", 0.1, "weights left since the start"), trace(optimizer={**ADAM, "name": "AdamW", "weight_decay": 5.0})),
    (finding("dead_schedule", 1e-5, "learning rate over its largest value", step=30), trace(numbers={"learning_rate": 0.1 * 0.8 ** np.arange(100)})),
    (finding("over_regularised", 0.95, "dropout rate"), trace()),
    (finding("oscillating_loss"), trace()),
    (finding("loss_spike", step=40), trace(numbers=NORMS)),
    (finding("loss_spike", step=40), trace(optimizer=ADAM)),
    (finding("slow_convergence"), trace(facts={"input": INPUT})),
    (finding("train_eval_mismatch"), trace(layers=(*mlp(), Layer("bn", "norm", (32,), 1, 32)))),
    (finding("saturated_but_moving"), trace(layers=mlp("tanh"))),
    (finding("overfitting"), trace()),
    (
        finding("saturated_but_moving", 0.04, "learning rate below which the oscillation stops"),
        trace(layers=mlp("tanh")),
    ),
    (finding("fp16_underflow"), trace(optimizer=ADAM)),
    (finding("fp16_underflow"), trace(optimizer=ADAM, facts={"half_precision": {"format": "float16", "layers": ["0"], "weights": ["0"]}})),
    (finding("fp16_overflow"), trace(optimizer=ADAM)),
    (finding("fp16_overflow", step=7, place="pow after 2"), trace(facts=bad("pow"))),
    (finding("loss_term_imbalance"), trace(facts=TERMS)),
    (finding("growing_targets"), trace(loss_kind="mse")),
    (finding("player_rotation"), trace(facts={"adversarial": {"players": 2}})),
]
