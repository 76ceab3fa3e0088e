"""What numerical differentiation costs beside backpropagation: passes counted, seconds measured, and what was extrapolated marked as such."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..records import Sentence
from ..reports.numerals import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHOD_NAMES = {
    "backprop": Sentence("backprop", "誤差逆伝播"),
    "forward": Sentence("forward differences", "前進差分"),
    "central": Sentence("central differences", "中心差分"),
    "complex": Sentence("complex step", "複素ステップ法"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCost:
    r"""One way to the whole gradient, and what it costs.

    Attributes:
        method: ``"backprop"``, ``"forward"``, ``"central"`` or ``"complex"``.
        passes: Passes through the network for the whole gradient: counted if all were run, else from those counted for a sample (see ``is_extrapolated``).
        passes_run: Passes really run and counted.
        seconds: For the whole gradient, s: measured, or seconds per pass times ``passes``.
        seconds_per_pass: Median over chunks, s.
        n_derivatives: Derivatives really computed.
        error: :math:`\lVert g_{\text{method}} - g_{\text{backprop}} \rVert / \lVert g_{\text{backprop}} \rVert` over these.
        is_extrapolated: Whether only a sample was run.
        why_not: Why the method is not possible here, else empty.
    """

    method: str
    passes: int = 0
    passes_run: int = 0
    seconds: float = math.nan
    seconds_per_pass: float = math.nan
    n_derivatives: int = 0
    error: float = math.nan
    is_extrapolated: bool = False
    why_not: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the cost as plain data."""
        numbers = ("seconds", "seconds_per_pass", "error")
        plain = {name: None if math.isnan(getattr(self, name)) else getattr(self, name) for name in numbers}
        return {
            "method": self.method,
            "passes": self.passes,
            "passes_run": self.passes_run,
            **plain,
            "n_derivatives": self.n_derivatives,
            "is_extrapolated": self.is_extrapolated,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericComparison:
    """Numerical differentiation against backprop on one model.

    Attributes:
        n_weights: Trainable weights, each counted once.
        backprop: What backprop costs.
        methods: What the numeric methods cost, in the order asked for.
        one_example: Whether the batch was cut to one training example; not possible where the model needs several.
        dtype: Precision of all of them.
    """

    n_weights: int
    backprop: MethodCost
    methods: tuple[MethodCost, ...]
    one_example: bool
    dtype: str = "float64"

    @property
    def sentence(self) -> Sentence:
        """The comparison in one sentence, extrapolation marked."""
        done = [cost for cost in self.methods if not cost.why_not]
        if not done:
            return Sentence("No numeric method was possible on this model.", "このモデルでは数値微分を実行できませんでした。")
        numeric = done[0]
        method, what = METHOD_NAMES[numeric.method], ("one training example", "1 つの学習例") if self.one_example else ("one batch", "1 バッチ")
        marked_en = f", extrapolated from {grouped(numeric.passes_run)} passes" if numeric.is_extrapolated else ", all run"
        marked_ja = f"、{grouped(numeric.passes_run)} 回の実測からの外挿" if numeric.is_extrapolated else "、すべて実測"
        times = short(numeric.seconds / self.backprop.seconds) if self.backprop.seconds > 0 else "–"
        return Sentence(
            f"The derivatives by {grouped(self.n_weights)} weights for {what[0]} take {grouped(numeric.passes)} passes by {method.en} "
            f"({duration(numeric.seconds)}{marked_en}) and {self.backprop.passes} by backprop ({duration(self.backprop.seconds)}): {times} times the time.",
            f"{what[1]}について {grouped(self.n_weights)} 個の重みの微分を求めるのに、{method.ja}では "
            f"{grouped(numeric.passes)} 回の計算（{duration(numeric.seconds, 'ja')}{marked_ja}）、"
            f"誤差逆伝播では {self.backprop.passes} 回（{duration(self.backprop.seconds, 'ja')}）。時間は {times} 倍です。",
        )

    def rows(self, language: str = "en") -> tuple[list[str], list[list[str]]]:
        """Return header and cells of the table for people; ``~`` marks what was extrapolated."""
        header = ["方法", "計算回数", "実行", "時間", "逆伝播との差"] if language == "ja" else ["method", "passes", "run", "time", "distance from backprop"]
        cells = []
        for cost in (self.backprop, *self.methods):
            name = METHOD_NAMES[cost.method].in_language(language)
            if cost.why_not:
                cells.append([name, "–", "–", "–", ("不可: " if language == "ja" else "not possible: ") + cost.why_not])
                continue
            mark = "~" if cost.is_extrapolated else ""
            error = "–" if math.isnan(cost.error) else short(cost.error)
            cells.append([name, grouped(cost.passes), grouped(cost.passes_run), mark + duration(cost.seconds, language), error])
        return header, cells

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data, the form of ``--json``."""
        return {
            "n_weights": self.n_weights,
            "one_example": self.one_example,
            "dtype": self.dtype,
            "backprop": self.backprop.to_dict(),
            "methods": [cost.to_dict() for cost in self.methods],
            "sentence": {"en": self.sentence.en, "ja": self.sentence.ja},
        }

    def figure(self, language: str = "en") -> "Figure":
        """Return bars of passes and of seconds on logarithmic scales; hatched ones are extrapolated."""
        from ..reports.figures import ACCENT, MUTED, drawing, new_figure

        japanese = language == "ja"
        done = [cost for cost in (self.backprop, *self.methods) if not cost.why_not]
        with drawing():
            figure, (left, right) = new_figure(1, 2, width=8.4, height=1.0 + 0.55 * len(done))
            for axes, name in ((left, "passes"), (right, "seconds")):
                values = [float(getattr(cost, name)) for cost in done]
                bars = axes.barh(range(len(done)), values, height=0.6, color=[ACCENT if cost.method == "backprop" else MUTED for cost in done])
                for bar, cost in zip(bars, done, strict=True):
                    bar.set_hatch("///" if cost.is_extrapolated else "")
                    bar.set_edgecolor("white")
                texts = [
                    grouped(cost.passes) if name == "passes" else ("~" if cost.is_extrapolated else "") + duration(cost.seconds, language) for cost in done
                ]
                for place, (value, text) in enumerate(zip(values, texts, strict=True)):
                    axes.annotate(text, (value, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
                axes.set_xscale("log")
                axes.set_xlim(min(values) / 2, max(values) * 60)
                axes.invert_yaxis()
                axes.grid(visible=False, axis="y")
            left.set_yticks(range(len(done)), [METHOD_NAMES[cost.method].in_language(language) for cost in done])
            right.set_yticks([])
            left.set_xlabel("ネットワークの計算回数" if japanese else "passes through the network")
            right.set_xlabel("時間 [s]（斜線は外挿）" if japanese else "time [s], hatched: extrapolated")
            figure.suptitle(self._title(japanese), x=0.01, ha="left", fontsize=11)
        return figure

    def _title(self, japanese: bool) -> str:
        done = [cost for cost in self.methods if not cost.why_not]
        most = grouped(done[0].passes) if done else "–"
        return (
            f"{grouped(self.n_weights)} 個の重み: 数値微分は {most} 回、誤差逆伝播は {self.backprop.passes} 回"
            if japanese
            else f"{grouped(self.n_weights)} weights: {most} passes numerically, {self.backprop.passes} by backprop"
        )


def grouped(number: int) -> str:
    """Return an integer with its thousands set apart by narrow spaces.

    >>> grouped(1000001).split()
    ['1', '000', '001']
    """
    return f"{number:,}".replace(",", "\u202f")


def duration(seconds: float, language: str = "en") -> str:
    """Return a time as people say it.

    >>> duration(0.0021), duration(12.0), duration(7200), duration(7200, "ja")
    ('2.10 ms', '12 s', '2 h', '2 時間')
    """
    if math.isnan(seconds):
        return "–"
    units = (("days", "日", 86400.0), ("h", "時間", 3600.0), ("min", "分", 60.0), ("s", "秒", 1.0), ("ms", "ms", 1e-3))
    for english, japanese, size in units:
        if seconds >= (2 * size if english == "days" else size):
            return f"{short(seconds / size)} {japanese if language == 'ja' else english}"
    return f"{short(seconds * 1e6)} µs"
