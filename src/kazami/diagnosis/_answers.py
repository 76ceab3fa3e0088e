"""Answers that are the same for everybody, with a cause: inputs that never arrive, a code that says nothing, one class, outputs that only had to agree."""

import math
from typing import Any

import numpy as np

from ..records.finding import Evidence
from ..records.trace import Trace
from ._base import both, early, layer_name, number, short
from ._progress import SLOW_EXPLAINED, share_left

Told = dict[str, Any]  # the arguments of a finding
LEAST_STEPS = 150  # as for no_progress: before them a slow start cannot be told from a standstill
COLLAPSED = 0.1
WAS_ALIVE = 3.0
HALVED = 0.5  # of its start, and of what it was after a quarter of the looks: a spread that goes on shrinking
CAUSE = 26
ALIKE = 12
VANISHED = 0.1  # of the first value of the term on the code
GUESSED = 0.8  # of what the best constant costs
LEAST_OF_CODE = 30
ROUNDING = 1e-5
FEW = 5
ONE_ANSWER = 0.1  # of the targets' own variation: a prediction of the best size that varies so little explains a hundredth of them
FEWEST_ANSWERS = 10


def gives_one_answer(trace: Trace) -> bool:
    """Return whether the outputs vary over the samples by less than a tenth of the targets' own variation."""
    return number(trace, "output_variation", FEW) < ONE_ANSWER


def told(**arguments: Any) -> Told:
    """Return the arguments of a finding."""
    return arguments


def inputs_alike(trace: Trace) -> Told | None:
    """Return what is told where every sample reaches the first layer as the same numbers although the targets differ."""
    spread = early(trace, "input_spread")
    seen = spread[np.isfinite(spread)]
    if seen.size == 0 or seen[0] > 0 or float(seen.max()) > ROUNDING or not trace.has("output_variation") or "moving_targets" in trace.facts:
        return None
    place = next(layer for layer, value in zip(trace.layers, spread, strict=False) if np.isfinite(value))
    return told(
        confidence=0.95,
        rank=ALIKE,
        place=place.name,
        evidence=[
            Evidence("differences between the samples that the first layer reads", float(seen[0]), 0.0, "", "exact", "最初の層が読むサンプル間の差", "厳密")
        ],
        sentence=both(
            f"Every sample reaches {layer_name(place)} as the same numbers although the targets differ: the inputs are lost before the first layer.",
            f"目標値は異なるのに、どのサンプルも {layer_name(place)} に同じ数値として届いています。入力が最初の層より前で失われています。",
        ),
    )


def always_one(trace: Trace) -> Told | None:
    """Return what is told where a softmax over a single number stands before the loss."""
    fact = trace.facts.get("softmax_of_one")
    if not fact:
        return None
    axis, shape = int(fact["axis"]), "×".join(map(str, fact["shape"]))
    return told(
        confidence=0.97,
        rank=ALIKE - 4,
        severity="error",
        step=int(fact.get("step", 1)),
        place="the output of the model",
        place_ja="モデルの出力",
        evidence=[Evidence("numbers that the softmax runs over", 1.0, 2.0, "", "exact", "ソフトマックスを取る数の個数", "厳密")],
        sentence=both(
            f"The softmax at the output runs over axis {axis} of {shape}, which has size 1: its answer is 1 for every input, and its gradient is zero. "
            "A single output takes a sigmoid.",
            f"出力のソフトマックスが大きさ 1 の軸 {axis}（形 {shape}）で計算されています。どの入力にも 1 を出し、勾配は 0 です。"
            "出力が 1 個ならシグモイドを使います。",
        ),
    )


def silent_code(trace: Trace) -> Told | None:
    """Return what is told of a code that a term of its own keeps from saying anything (posterior collapse)."""
    terms = trace.facts.get("loss_terms", {}).get("terms", [])
    errors = [term for term in terms if math.isfinite(term["trivial"]) and term["trivial"] > 0]
    codes = [term for term in terms if " term of " in term["name"] and abs(term["now"]) < VANISHED * abs(term["first"])]
    if trace.step < LEAST_OF_CODE or len(errors) != 1 or not codes or not share_left(errors[0]) > GUESSED:
        return None
    if not codes[0]["gradient_share"] > errors[0]["gradient_share"]:
        return None
    return told(
        confidence=0.85,
        rank=CAUSE,
        place=output_of(trace),
        evidence=[
            Evidence(
                "error over that of the best constant",
                share_left(errors[0]),
                GUESSED,
                "",
                "",
                name_ja="最良の定数に対する誤差の比",
            ),
            Evidence(
                "term on the code over its first value", abs(float(codes[0]["now"] / codes[0]["first"])), VANISHED, "", "", name_ja="コードの項（開始時比）"
            ),
            Evidence("weight of the term on the code", float(codes[0]["weight"]), None, "", codes[0]["name"], name_ja="コードの項の重み"),
        ],
        sentence=both(
            "The code says nothing of its input: the term that keeps it near a constant has gone to nought, and the error stands where guessing does.",
            "コードが入力について何も伝えていません。コードを定数に近づける項がほぼゼロになり、誤差は当て推量の水準のままです。",
        ),
    )


def one_class(trace: Trace) -> Told | None:
    """Return what is told where one class is put first for every sample."""
    answered = trace["answered_classes"].values[-FEWEST_ANSWERS:]
    if answered.size < FEWEST_ANSWERS or answered.max() > 1 or trace.step < LEAST_STEPS or trace.progress is None or trace.progress.explained > SLOW_EXPLAINED:
        return None
    return told(
        confidence=0.7,
        place=output_of(trace),
        evidence=[
            Evidence(
                "classes that are ever answered",
                1.0,
                2.0,
                "",
                "newest batches, all of several classes",
                "答えられたクラスの数",
                "複数クラスを含む最新のバッチ",
            )
        ],
        sentence=both(
            "The network gives every sample the same class, though its batches hold several: the rare ones cost too little to be learned.",
            "複数のクラスを含むバッチでも、すべてのサンプルに同じクラスを答えています。少ないクラスは損失への寄与が小さく、学習されていません。",
        ),
    )


def agreement(trace: Trace) -> Told | None:
    """Return what is told where all outputs of a loss that only asks for agreement have come, or are coming, to one direction."""
    spread = trace["embedding_spread"].values
    spread = spread[np.isfinite(spread)]
    if spread.size < FEW:
        return None
    first, now = float(spread[:FEW].max()), float(np.median(spread[-FEW:]))
    has_collapsed = now < COLLAPSED and first > WAS_ALIVE * max(now, COLLAPSED / WAS_ALIVE)
    is_collapsing = now < HALVED * first and now < HALVED * float(np.median(spread[spread.size // 4 :][:FEW]))
    if not (has_collapsed or (is_collapsing and spread.size >= 4 * FEW)):
        return None
    return told(
        confidence=0.85 if has_collapsed else 0.7,
        rank=CAUSE,
        place=output_of(trace),
        evidence=[
            Evidence(
                "spread of the outputs' directions",
                now,
                COLLAPSED,
                "",
                "1 on a full sphere; Chen and He 2021",
                "出力の向きの広がり",
                "球面全体で 1；Chen and He 2021",
            )
        ],
        sentence=both(
            f"All outputs {'have collapsed' if has_collapsed else 'are collapsing'} to one direction (spread {short(now)}, {short(first)} at the start): "
            "the loss only asks them to agree, "
            "and a constant agrees best.",
            f"すべての出力が一つの向きに縮退し{'ました' if has_collapsed else 'つつあります'}（広がり {short(now)}、開始時 {short(first)}）。"
            "損失は出力同士の一致だけを求めており、定数が最適になります。",
        ),
    )


def output_of(trace: Trace) -> str:
    """Return the name of the output layer."""
    return next((layer.name for layer in reversed(trace.layers) if layer.is_output), "")
