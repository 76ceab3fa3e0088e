"""The verdict on depth collapse in words."""

from collections.abc import Sequence

from ...records import Sentence
from ...reports.numerals import short
from .affinity import Affinity
from .collapse_layers import LayerVerdict
from .flat_network import InputOutputMap

N_NAMED = 4


def explain(function: InputOutputMap, found: Affinity, layers: Sequence[LayerVerdict], *, n_layers: int, rank: int | None) -> Sentence:
    """Return what was found, and why, in one or two sentences."""
    if found.is_random:
        return _random(found)
    if found.keeps_state:
        return Sentence(
            "The network keeps state between calls: the same input gave another output after a different one, so it is no one function, and no one matrix.",
            "ネットワークは呼び出しの間で状態を保持し、同じ入力でも出力が変わります。一つの関数ではないため、一つの行列にもなりません。",
        )
    if found.is_affine:
        return _affine(function, layers, n_layers, rank)
    if not found.is_finite:
        return Sentence(
            "The network is not affine: it gives NaN or infinity for some finite inputs.",
            "ネットワークはアフィンではありません。有限の入力に対して NaN または無限大を出力します。",
        )
    return _bends(function, found, layers)


def _random(found: Affinity) -> Sentence:
    if found.affine_for_one_draw:
        return Sentence(
            "The network draws random numbers in every pass: for each draw it is one matrix, but for every draw another, so there is no one matrix.",
            "ネットワークは実行のたびに乱数を使います。乱数を固定すれば一つの行列ですが、乱数ごとに別の行列になります。",
        )
    return Sentence(
        "The network draws random numbers in every pass, and is not affine for a fixed draw either.",
        "ネットワークは実行のたびに乱数を使い、乱数を固定してもアフィンではありません。",
    )


def _affine(function: InputOutputMap, layers: Sequence[LayerVerdict], n_layers: int, rank: int | None) -> Sentence:
    n, m = function.n_inputs, function.n_outputs
    en = f"This {n_layers}-layer network is one matrix: {n} → {m}" if n_layers > 1 else f"This network is affine, one matrix: {n} → {m}"
    ja = (
        f"この {n_layers} 層のネットワークは一つの行列と同じです（{n} → {m}）" if n_layers > 1 else f"このネットワークはアフィンで、一つの行列です（{n} → {m}）"
    )
    if rank is not None and rank < min(n, m):
        en, ja = f"{en}, of numerical rank {rank}", f"{ja}。数値的な階数は {rank} です"
    bent = [layer.name for layer in layers if layer.is_affine is False]
    if bent:
        en += f"; what {_listed(bent)} bends does not reach the output"
        ja += f"。{_listed(bent, '、')} の非線形性は出力に現れません"
    return Sentence(f"{en}.", f"{ja}。")


def _bends(function: InputOutputMap, found: Affinity, layers: Sequence[LayerVerdict]) -> Sentence:
    if found.affine_on_data:
        en = f"The network is affine on your data, but not everywhere: at inputs {short(found.worst_scale)} times as large as yours it bends"
        ja = f"ネットワークは手元のデータ上ではアフィンですが、全体ではそうではありません。入力が {short(found.worst_scale)} 倍の大きさになると曲がります"
    else:
        en, ja = "The network is not affine", "ネットワークはアフィンではありません"
    en += f" (by {short(100 * found.residual)} % of its terms)"
    ja += f"（項の大きさに対して {short(100 * found.residual)} %）"
    if function.batch_dimension is None and any(layer.kind.startswith("BatchNorm") and layer.is_affine is False for layer in layers):
        en += ". Batch statistics are no affine map: batch normalisation divides by the batch's own spread"
        ja += "。バッチ統計量による正規化はバッチ自身の標準偏差で割るため、アフィンではありません"
    bent = [f"{layer.name} ({layer.kind})" for layer in layers if layer.is_affine is False]
    if bent:
        return Sentence(f"{en}. What bends: {_listed(bent)}.", f"{ja}。曲げている層：{_listed(bent, '、')}。")
    if found.affine_in and all(found.affine_in.values()):
        return Sentence(
            f"{en}. In each input alone it is affine: the inputs are multiplied with one another.",
            f"{ja}。各入力だけで見ればアフィンで、入力どうしが掛け合わされています。",
        )
    return Sentence(
        f"{en}. No layer bends on its own: the model's own forward does.", f"{ja}。どの層も単独では曲がっておらず、モデル自身の forward が曲げています。"
    )


def _listed(names: Sequence[str], comma: str = ", ") -> str:
    more = len(names) - N_NAMED
    shown = comma.join(names[:N_NAMED])
    if more <= 0:
        return shown
    return f"{shown} and {more} more" if comma == ", " else f"{shown} ほか {more} 層"
