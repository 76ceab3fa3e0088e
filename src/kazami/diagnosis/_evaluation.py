"""What evaluation would compute and training does not, beside statistics that lie elsewhere: dropout left on, and statistics of one batch."""

from ..records.finding import Evidence
from ..records.trace import Trace
from ._answers import Told, told
from ._base import both, layer_name, short
from ._norms import Norm

LOUD = 1 / 3  # dropout: from this rate on its noise, p/(1 - p) of a unit's own square, is half of what the unit says
FEW_KEPT = 8.0  # their deviation is then known to a quarter only: 1/√(2·8)


def left_on(trace: Trace) -> Told | None:
    """Return what is told of dropout that is at work while the script validates."""
    dropout, validation = trace.facts.get("dropout"), trace.facts.get("validation")
    if not dropout or not validation or validation.get("is_eval_mode") is not False or dropout["rate"] < LOUD:
        return None
    return told(
        confidence=0.75,
        place="dropout",
        place_ja="ドロップアウト",
        evidence=[
            Evidence(
                "dropout rate while the script validates",
                dropout["rate"],
                LOUD,
                "",
                "masks in the live graph",
                "検証時のドロップアウト率",
                "計算グラフ中のマスク",
            )
        ],
        sentence=both(
            f"The script validates without model.eval(): {dropout['rate']:.0%} of a layer's outputs are dropped while it does.",
            f"検証時に model.eval() が呼ばれておらず、層の出力の {dropout['rate']:.0%} が落とされたまま評価しています。",
        ),
    )


def forgetful(trace: Trace, norms: list[Norm]) -> Told | None:
    """Return what is told of running statistics that remember the newest batch alone."""
    kept = [(norm.samples * (2 - norm.memory) / norm.memory, norm) for norm in norms if 0 < norm.memory <= 1]
    worst = min(kept, key=lambda one: one[0], default=None)
    if worst is None or worst[0] > FEW_KEPT:
        return None
    count, norm = worst
    place = trace.layers[norm.index]
    return told(
        confidence=0.75,
        place=place.name,
        evidence=[
            Evidence("numbers that the running statistics remember", count, FEW_KEPT, "", "N (2 - m) / m", name_ja="移動平均が覚えている値の数"),
            Evidence("momentum of the running statistics", norm.memory, None, "", "", name_ja="移動平均のモメンタム"),
        ],
        sentence=both(
            f"In evaluation {layer_name(place)} uses running statistics of about {short(count)} numbers: with a momentum of {short(norm.memory)} they are "
            "those of the newest batch.",
            f"評価時に {layer_name(place)} が使う移動平均は約 {short(count)} 個の値しか反映していません（モメンタム {short(norm.memory)}）。",
        ),
    )
