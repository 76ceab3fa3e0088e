"""The pages of ``kazami nets activations``: the table of all, the page of one, and what a user's own function turned out to be."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .._tables import show_table

if TYPE_CHECKING:
    from ...nets.catalogue.described import AbstractDescribed
    from ...nets.catalogue.entries import Activation
    from ...nets.catalogue.interval import Extreme
    from ...nets.catalogue.recognition import Recognition

_HEADER = {
    "en": ("name", "range", "max φ′", "saturated", "dead", "gain", "monotone", "smooth", "bits lost", "fade"),
    "ja": ("名前", "値域", "φ′ の最大", "飽和域", "不感帯", "ゲイン", "単調", "滑らかさ", "情報損失", "減衰"),
}
_LEGEND = {
    "en": (
        "saturated: slope below 1 % of the largest. dead: slope exactly 0. gain: 1/sqrt(E φ(z)²), z standard normal.",
        "smooth: C∞, or Cⁿ with n continuous derivatives. For gates and vectors the largest Jacobian norm stands for max φ′.",
        "bits lost: of a standard normal input read with 8 binary places. fade: decades that gradients lose per layer, at weights of variance 1/fan-in.",
    ),
    "ja": (
        "飽和域：傾きが最大値の 1 % 未満の区間。不感帯：傾きがちょうど 0 の区間。ゲイン：1/sqrt(E φ(z)²)、z は標準正規乱数。",
        "滑らかさ：C∞、または n 回連続微分可能な Cⁿ。ゲートとベクトル型では φ′ の最大の代わりにヤコビ行列の最大ノルム。",
        "情報損失：2 進 8 桁の分解能で読んだ標準正規入力から失われるビット数。減衰：重みの分散 1/fan-in で勾配が一層ごとに失う桁数。",
    ),
}
_LABELS = {
    "formula": ("formula (LaTeX)", "式（LaTeX）"),
    "aliases": ("also called", "別名"),
    "range": ("range", "値域"),
    "max": ("largest slope φ′", "φ′ の最大値"),
    "min": ("smallest slope φ′", "φ′ の最小値"),
    "lipschitz": ("Lipschitz constant", "リプシッツ定数"),
    "jacobian": ("largest Jacobian norm", "ヤコビ行列の最大ノルム"),
    "saturation": ("saturated (|φ′| < 1 % of max)", "飽和域（|φ′| が最大の 1 % 未満）"),
    "dead": ("dead (φ′ = 0)", "不感帯（φ′ = 0）"),
    "monotone": ("monotone", "単調性"),
    "smooth": ("smooth", "滑らかさ"),
    "parity": ("symmetry", "対称性"),
    "invariances": ("invariances", "不変性"),
    "zero": ("φ(0)", "φ(0)"),
    "fixed": ("fixed points φ(x) = x", "不動点 φ(x) = x"),
    "mean": ("E φ(z)", "E φ(z)"),
    "moments": ("E φ(z)², E φ′(z)²", "E φ(z)²、E φ′(z)²"),
    "gain": ("gain 1/sqrt(E φ(z)²)", "ゲイン 1/sqrt(E φ(z)²)"),
    "gradient_gain": ("gradient gain 1/sqrt(E φ′(z)²)", "勾配のゲイン 1/sqrt(E φ′(z)²)"),
    "torch_gain": ("PyTorch's gain", "PyTorch のゲイン"),
    "information": ("information lost, 8 binary places", "情報損失（2 進 8 桁）"),
    "gradient": ("gradients fade, 1 and 10 layers", "勾配の減衰（1 層・10 層）"),
    "backward": ("backward pass", "逆伝播"),
    "property": ("property", "性質"),
    "advantage": ("advantage", "長所"),
    "disadvantage": ("disadvantage", "短所"),
    "suits": ("suits", "用途"),
    "references": ("references", "文献"),
}
_MONOTONE_JA = {
    "strictly increasing": "狭義単調増加",
    "increasing": "単調増加",
    "strictly decreasing": "狭義単調減少",
    "decreasing": "単調減少",
    "constant": "定数",
    "no": "単調でない",
}
_PARITY = {"odd": ("odd", "奇関数"), "even": ("even", "偶関数"), "neither": ("neither odd nor even", "奇でも偶でもない"), "–": ("–", "–")}
_INVARIANCE_JA = {
    "shift invariant": "平行移動で不変",
    "shift equivariant": "平行移動と可換",
    "homogeneous of degree 1": "1 次同次",
    "homogeneous of degree 2": "2 次同次",
    "permutation invariant": "並べ替えで不変",
    "permutation equivariant": "並べ替えと可換",
    "sums to one": "和が 1",
    "exponentials sum to one": "指数の和が 1",
}
_BROKEN = (
    "autograd's slope is not the function's: none flows, or a straight-through estimator",
    "自動微分は関数の微分と一致しない（勾配が流れないか、ストレートスルー推定）",
)
_SEVEN = (1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0)


def show_catalogue(activations: Sequence["Activation"], language: str) -> None:
    """Print the table of all activations."""
    show_table(_HEADER[language], [_row(one, language) for one in activations])
    click.echo()
    for line in _LEGEND[language]:
        click.echo(line)
    click.echo(_softmax_line(language))


def _row(one: "Activation", language: str) -> list[str]:
    from ...nets.catalogue.interval import short_signed, shown

    is_scalar = one.kind == "scalar"
    largest = one.derivative_max if is_scalar else one.jacobian_norm_max
    losses = [short_signed(one.information_loss().lost), short_signed(one.gradient_loss().decades)] if is_scalar else ["–", "–"]
    endless = [zone for zone in one.saturation if math.isinf(zone.low) or math.isinf(zone.high) or zone in one.dead_zones]
    gain = "–" if math.isnan(one.gain) else f"{one.gain:.4f}"
    return [
        one.name,
        str(one.range),
        short_signed(largest),
        shown(endless),
        shown(one.dead_zones),
        gain,
        monotone_word(one, language),
        smooth_word(one),
        *losses,
    ]


def monotone_word(one: "AbstractDescribed", language: str) -> str:
    """Return in which direction a function goes."""
    return _MONOTONE_JA.get(one.monotone, one.monotone) if language == "ja" else one.monotone


def smooth_word(one: "AbstractDescribed") -> str:
    """Return how smooth a function is: C∞, C¹, C⁰, or that it jumps."""
    if math.isnan(one.smoothness):
        return "–"
    return {-1.0: "C⁻¹", 0.0: "C⁰", 1.0: "C¹", 2.0: "C²"}.get(one.smoothness, "C∞")


def _softmax_line(language: str) -> str:
    """Return softmax of 1, 2, 3, 4, 1, 2, 3, computed here and now."""
    import torch

    from ...nets.catalogue.entries import activation

    shares = activation("softmax").function(torch.tensor(_SEVEN, dtype=torch.float64)).tolist()
    numbers = " ".join(f"{share:.4f}" for share in shares)
    return f"softmax [1, 2, 3, 4, 1, 2, 3] = {numbers}" + (f"（和 {sum(shares):.4f}）" if language == "ja" else f" (sum {sum(shares):.4f})")


def show_activation(one: "Activation", language: str) -> None:
    """Print the page of one activation."""
    click.echo(f"{one.title}\n")
    rows = [("formula", one.formula), ("aliases", ", ".join(one.aliases) or "–"), *computed_rows(one, language)]
    if not math.isnan(one.torch_gain):
        rows.append(("torch_gain", f"{one.torch_gain:.10g}"))
    _show_rows(rows, language)
    click.echo(f"\n{one.gain_note.in_language(language)}\n" if one.gain_note is not None else "")
    texts = (("property", one.trait), ("advantage", one.advantage), ("disadvantage", one.disadvantage), ("suits", one.suits))
    for key, text in texts:
        click.echo(f"{_label(key, language)}: {text.in_language(language)}")
    click.echo(f"{_label('references', language)}: {'; '.join(one.references)}")
    if one.name == "softmax":
        click.echo(_softmax_line(language))


def show_own(found: "Recognition", language: str) -> None:
    """Print what a user's own function is, and its computed properties."""
    click.echo(found.sentence.in_language(language))
    described = found.description or found.activation
    if described is not None:
        click.echo()
        _show_rows(computed_rows(described, language), language)


def computed_rows(one: "AbstractDescribed", language: str) -> list[tuple[str, str]]:
    """Return the computed properties as label and text."""
    from ...nets.catalogue.interval import short_signed, shown
    from ...nets.catalogue.vectors import VectorProfile

    ja = language == "ja"
    if isinstance(one.profile, VectorProfile):
        facts = [(_INVARIANCE_JA[fact] if ja else fact) for fact in one.invariances]
        norm = f"{short_signed(one.jacobian_norm_max)}  (n = {one.profile.size})"
        return [("range", str(one.range)), ("jacobian", norm), ("invariances", ", ".join(facts) or "–"), ("gain", _ten_digits(one.gain))]
    rows = [
        ("range", str(one.range)),
        ("max", _extreme(one.derivative_maximum, ja=ja)),
        ("min", _extreme(one.derivative_minimum, ja=ja)),
        ("lipschitz", short_signed(one.lipschitz)),
        ("saturation", shown(one.saturation)),
        ("dead", shown(one.dead_zones)),
        ("monotone", monotone_word(one, language)),
        ("smooth", smooth_word(one) + _places(one, ja=ja)),
        ("parity", _PARITY[one.parity][ja]),
        ("zero", short_signed(one.at_zero)),
        ("fixed", shown(one.fixed_points)),
        ("mean", short_signed(0.0 if one.is_zero_centred else one.mean)),
        ("moments", f"{_ten_digits(one.second_moment)}, {_ten_digits(one.slope_second_moment)}"),
        ("gain", _ten_digits(one.gain)),
        ("gradient_gain", _ten_digits(one.gradient_gain)),
        *_losses(one, ja=ja),
    ]
    return rows if one.is_backward_right else [*rows, ("backward", _BROKEN[ja])]


def _ten_digits(value: float) -> str:
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.10g}"


def _extreme(found: "Extreme", *, ja: bool) -> str:
    from ...nets.catalogue.interval import short_signed, shown

    value = short_signed(found.value) if math.isinf(found.value) else f"{found.value:.10g}".replace("-", "−")
    if ja:
        return f"{value}  ({shown(found.where)} {'で到達' if found.is_attained else 'に近づく極限'})"
    return f"{value}  ({'at' if found.is_attained else 'approached at'} {shown(found.where)})"


def _losses(one: "AbstractDescribed", *, ja: bool) -> list[tuple[str, str]]:
    from ...nets.catalogue.interval import short_signed

    lost, one_layer, ten = one.information_loss(), one.gradient_loss(), one.gradient_loss(depth=10)
    bits = f"{lost.before:.2f} ビットのうち {short_signed(lost.lost)}" if ja else f"{short_signed(lost.lost)} of {lost.before:.2f} bits"
    states = f"{lost.states_before} → {lost.states_after} {'状態' if ja else 'states'}"
    return [
        ("information", f"{bits}  ({states})"),
        ("gradient", f"{short_signed(one_layer.decades)}, {short_signed(ten.decades)} {'桁' if ja else 'decades'}"),
    ]


def _places(one: "AbstractDescribed", *, ja: bool) -> str:
    from ...nets.catalogue.interval import short_signed

    parts = []
    for places, en, japanese in ((one.jumps, "jumps at", "不連続点"), (one.kinks, "kinks at", "折れ点")):
        if places:
            parts.append(f"{japanese if ja else en} {', '.join(short_signed(x) for x in places[:9])}")
    return f"  ({'; '.join(parts)})" if parts else ""


def _label(key: str, language: str) -> str:
    return _LABELS[key][language == "ja"]


def _show_rows(rows: Sequence[tuple[str, str]], language: str) -> None:
    header = ("性質", "値") if language == "ja" else ("property", "value")
    show_table(header, [(_label(key, language), value) for key, value in rows])
