"""The tables of ``kazami nets inside``."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...reports.numerals import short

if TYPE_CHECKING:
    from ...nets.inside.ablation import IdentityAblation
    from ...nets.inside.freezing import FrozenLayers
    from ...nets.inside.probes import LayerProbes
    from ...nets.inside.residual_trace import ResidualRatio

_UNITS = {"score": "スコア", "minus loss": "−損失", "accuracy": "正解率", "R²": "決定係数 R²"}

Rows = list[tuple[str, ...]]
Table = tuple[str, tuple[str, ...], Rows]


def probe_table(probes: "LayerProbes", language: str, document: dict[str, Any]) -> Table:
    """Return the table of the probes, and put them into ``document``."""
    document["probes"] = {
        "unit": probes.unit,
        "chance": probes.chance,
        "own_score": probes.own_score,
        "n_train": probes.n_train,
        "n_test": probes.n_test,
        "layers": [finite(asdict(row)) for row in probes.rows],
    }
    rows: Rows = [(row.name, row.kind, str(row.n_features), short(row.score), row.why_not) for row in probes.rows]
    if language == "ja":
        return f"線形プローブ：各層の出力から答えを読み取る（{_UNITS.get(probes.unit, probes.unit)}）", ("層", "種類", "特徴数", "スコア", ""), rows
    return f"linear probes: the answer read off each layer's output ({probes.unit})", ("layer", "kind", "features", "score", ""), rows


def ablation_table(ablation: "IdentityAblation", unit: str, language: str, document: dict[str, Any]) -> Table:
    """Return the table of the layers replaced by the identity, and put them into ``document``."""
    layers = []
    rows: Rows = []
    for row in ablation.rows:
        why = "" if row.why_not is None else row.why_not.in_language(language)
        layers.append(
            finite(
                {
                    "name": row.name,
                    "kind": row.kind,
                    "is_possible": row.is_possible,
                    "why_not": why,
                    "output_change": row.output_change,
                    "score": row.score,
                    "score_change": row.score_change,
                }
            )
        )
        shown = why.partition("。" if language == "ja" else ". ")[0].removeprefix(f"{row.name}: ").removeprefix(f"{row.name}：")
        rows.append((row.name, row.kind, short(row.output_change) if row.is_possible else "–", short(row.score_change), shown))
    document["identity_ablation"] = {"unit": unit, "score": ablation.score, "layers": layers}
    if language == "ja":
        return "各層を恒等写像に置き換えたとき", ("層", "種類", "出力の変化（相対）", f"{_UNITS.get(unit, unit)}の変化", ""), rows
    return "each layer replaced by the identity", ("layer", "kind", "output change (relative)", f"{unit} change", ""), rows


def residual_table(ratios: "list[ResidualRatio]", language: str, document: dict[str, Any]) -> Table:
    """Return the table of the residual blocks, and put them into ``document``."""
    document["residual_blocks"] = [finite(asdict(block)) for block in ratios]
    rows: Rows = [(block.name, block.branch, short(block.ratio), short(block.cosine), short(block.growth)) for block in ratios]
    if language == "ja":
        return "残差ブロック x + f(x)", ("ブロック", "f", "‖f(x)‖/‖x‖", "cos(f, x)", "‖x+f‖/‖x‖"), rows
    return "residual blocks x + f(x)", ("block", "f", "‖f(x)‖/‖x‖", "cos(f, x)", "‖x+f‖/‖x‖"), rows


def frozen_table(frozen: "FrozenLayers", language: str, document: dict[str, Any]) -> Table:
    """Return the table of the frozen layers, and put them into ``document``."""
    document["frozen"] = {
        "unit": frozen.unit,
        "scores": frozen.scores,
        "seeds": list(frozen.seeds),
        "layers": [finite(asdict(row)) for row in frozen.rows],
    }
    rows: Rows = [(row.name, str(row.n_parameters), short(row.cost), short(row.standard_error), row.why_not) for row in frozen.rows]
    if language == "ja":
        return "各層を初期値に固定したときのスコアの低下", ("層", "パラメータ数", "コスト", "標準誤差", ""), rows
    return f"cost of freezing each layer at its initial values ({frozen.unit})", ("layer", "parameters", "cost", "standard error", ""), rows


def finite(values: dict[str, Any]) -> dict[str, Any]:
    """Return plain data in which NaN and infinity are ``None``: JSON has neither."""
    return {key: None if isinstance(value, float) and not abs(value) < float("inf") else value for key, value in values.items()}
