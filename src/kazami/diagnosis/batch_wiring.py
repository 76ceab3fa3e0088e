"""Batches that do not bring what they should."""

from typing import Any, ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both

LEAST_REPEATS = 64
AS_BY_CHANCE = 0.8  # of the changes of class that targets drawn anew would bring
LEAST_BEGINS = 8
HALF = 0.5  # of the batches: sixteen samples or more of one class, of one class now and of another then, are no chance


class BatchWiring(AbstractRule):
    """Fires when one sequence of each batch alone reaches the loss, when a loader is begun anew before every step and gives the same batch each time, or when
    the same inputs come back with other classes as often as by chance while progress is poor, or when more than half of the batches hold a single class, now
    this and now that one, while progress is poor.

    The first is exact: the sequences of a recurrent layer do not know of one another, so where one entry of its batch axis leads on, the others are lost;
    the axes of time and batch are confused. The second is exact as well: all inputs and targets that were recorded are the same, bit for bit, and the loader
    has more batches. The third compares the classes asked for samples that came again, bit for bit, with those of targets drawn at random.
    """

    id: ClassVar = "KZ321"
    name: ClassVar = "batch_wiring"
    title: ClassVar = both("what the batches bring", "バッチが運ぶもの")
    family: ClassVar = "structure"
    rank: ClassVar = 9
    wind: ClassVar = -1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if batches bring one sequence, one batch or the wrong targets."""
        lone = trace.facts.get("one_sequence")
        if lone:
            return self._lone(lone)
        begun = trace.facts.get("restarted_loader")
        if begun and int(begun["times"]) >= LEAST_BEGINS and begun["size"] == trace.facts.get("batch_rows") and _is_one_batch(trace):
            return self._same(begun)
        torn = trace.facts.get("torn_targets")
        if torn and trace.progress_is_poor and torn["repeated"] >= LEAST_REPEATS and torn["changed"] > AS_BY_CHANCE * torn["by_chance"]:
            return self._torn(torn)
        in_order = trace.facts.get("sorted_batches")
        if in_order and trace.progress_is_poor and in_order["single"] > HALF * in_order["of"]:
            return self._in_order(in_order)
        return None

    def _lone(self, fact: dict[str, Any]) -> Finding:
        steps, sequences, index = int(fact["steps"]), int(fact["sequences"]), int(fact["index"])
        return self.finding(
            confidence=0.95,
            severity="error",
            step=int(fact.get("step", 1)),
            place="the recurrent layer's output",
            place_ja="再帰層の出力",
            evidence=[Evidence("sequences of a batch that reach the loss", 1.0, float(sequences), "", "exact", "損失に届く系列の数", "厳密")],
            sentence=both(
                f"The recurrent layer reads its input as {sequences} sequences of {steps} time steps, and of its output only sequence {index} is used: "
                "the axes of batch and time are confused (batch_first).",
                f"再帰層は入力を長さ {steps} の系列 {sequences} 本として読みますが、出力のうち {index} 番の系列しか使われていません。"
                "バッチと時間の軸が入れ替わっています（batch_first）。",
            ),
        )

    def _same(self, fact: dict[str, Any]) -> Finding:
        batches = int(fact["batches"])
        return self.finding(
            confidence=0.95,
            step=int(fact["first"]),
            place="the data loader",
            place_ja="データローダー",
            evidence=[
                Evidence(
                    "batches of the loader that were used", 1.0, float(batches), "", "exact, by the bytes of inputs and targets", "使われたバッチの数", "厳密"
                )
            ],
            sentence=both(
                f"Every step trains on the same batch: next(iter(loader)) begins the loader anew each time, and {batches - 1} of its {batches} batches "
                "never come.",
                "どのステップも同じバッチで学習しています。next(iter(loader)) が毎回ローダーを最初から始めるため、"
                f"{batches} 個のうち {batches - 1} 個のバッチは一度も使われません。",
            ),
        )

    def _torn(self, fact: dict[str, Any]) -> Finding:
        changed, chance = float(fact["changed"]), float(fact["by_chance"])
        evidence = Evidence(
            "share of repeated samples whose class has changed",
            changed,
            AS_BY_CHANCE * chance,
            "",
            "targets drawn at random",
            "クラスが変わった再出現サンプルの割合",
            "無作為な目標値",
        )
        return self.finding(
            confidence=0.92,
            severity="error",
            place="the targets of the loss",
            place_ja="損失の目標値",
            evidence=[evidence, Evidence("samples that came again", float(fact["repeated"]), LEAST_REPEATS, name_ja="再び現れたサンプルの数")],
            sentence=both(
                f"Inputs and targets have come apart: of {fact['repeated']} samples that came again {changed:.0%} were given another class "
                f"({chance:.0%} by chance). Shuffle them together.",
                f"入力と目標値の対応が崩れています。再び現れた {fact['repeated']} 個のサンプルのうち {changed:.0%} に別のクラスが与えられました"
                f"（偶然なら {chance:.0%}）。同じ順列で並べ替えます。",
            ),
        )

    def _in_order(self, fact: dict[str, Any]) -> Finding:
        single, of = int(fact["single"]), int(fact["of"])
        source, source_ja = f"batches of {fact['size']}, {fact['classes']} classes in turn", f"大きさ {fact['size']} のバッチ"
        return self.finding(
            confidence=0.9,
            place="the order of the data",
            place_ja="データの順序",
            evidence=[Evidence("share of the batches that hold one class", single / of, HALF, "", source, "1 クラスだけのバッチの割合", source_ja)],
            sentence=both(
                f"The data come sorted: {single} of {of} batches hold samples of one class only, and each undoes what the last one taught. Shuffle them.",
                f"データがクラス順に並んでいます。{of} 個のバッチのうち {single} 個が 1 クラスだけで、直前に学んだことを打ち消しています。シャッフルします。",
            ),
        )


def _is_one_batch(trace: Trace) -> bool:
    marks = [trace[name].values for name in ("batch_inputs", "batch_targets")]
    return len(marks[0]) >= LEAST_BEGINS and all(bool(np.all(values == values[0])) for values in marks if len(values))
