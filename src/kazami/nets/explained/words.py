"""What an explanation says, in both languages."""

from ...records.finding import Sentence

WORDS = {
    "title": Sentence("From one neuron to the network {sizes}", "ニューロン 1 個からネットワーク {sizes} まで"),
    "setting": Sentence("φ = {activation}, weights and input from seed {seed}", "φ = {activation}、重みと入力は seed {seed} から"),
    "one_input": Sentence("One neuron, one input: number · number", "ニューロン 1 個、入力 1 個：数・数"),
    "one_input_note": Sentence(
        "The input is weighed by the synapse w and shifted by b; the activation φ answers.",
        "入力にシナプスの重み w を掛け、b だけずらし、活性化関数 φ を通します。",
    ),
    "neuron": Sentence("The same neuron, {n} inputs: vector · vector", "同じニューロン、入力 {n} 個：ベクトル・ベクトル"),
    "neuron_note": Sentence("The formula stays; x and w became vectors.", "式はそのままで、x と w がベクトルになります。"),
    "layer": Sentence("A layer of {m} neurons: vector · matrix", "ニューロン {m} 個の層：ベクトル・行列"),
    "layer_note": Sentence(
        "Each neuron is one column of W. The first column of W is the neuron above.",
        "W の列 1 本がニューロン 1 個です。W の最初の列が上のニューロンです。",
    ),
    "layer_note_one": Sentence("W has one column, the neuron above.", "W は 1 列だけで、それが上のニューロンです。"),
    "network": Sentence("{n} layers, one formula", "{n} 層を 1 つの式で"),
    "network_one": Sentence("One layer, so this is the whole network", "1 層なので、これがネットワーク全体です"),
    "network_note": Sentence(
        "A deep network stacks the same block; each layer's output is the next one's input.",
        "深いネットワークは同じブロックの積み重ねで、各層の出力が次の層の入力になります。",
    ),
    "forms": Sentence("Columns or rows: the same layer written twice", "列の形と行の形：同じ層を 2 通りに書く"),
    "column": Sentence("column form", "列の形"),
    "row": Sentence("row form", "行の形"),
    "forms_note": Sentence(
        "W′ = Wᵀ and Y′ = Yᵀ; largest difference {difference}. PyTorch stores W ({stored}) and computes the row form, X W′ + b.",
        "W′ = Wᵀ、Y′ = Yᵀ で、差は最大 {difference} です。PyTorch は W（{stored}）を保存し、行の形 X W′ + b を計算します。",
    ),
    "drawings": Sentence("Two drawings of this network", "このネットワークの 2 つの図"),
    "wires_drawing": Sentence("neurons and wires", "ニューロンと配線"),
    "graph_drawing": Sentence("data-flow graph", "データフローグラフ"),
    "drawings_note": Sentence(
        "With neurons and wires: {neurons} neurons and {wires} wires ({products}). As a graph: {blocks} {block}, and one edge from each to the next. "
        "Layers ten times as wide have a hundred times the wires, and the same graph.",
        "ニューロンと配線の図では、ニューロン {neurons} 個と配線 {wires} 本（{products}）。"
        "グラフでは、ブロック {blocks} 個と、次のブロックへの辺が 1 本ずつ。"
        "層の幅が 10 倍になると配線は 100 倍になりますが、グラフは変わりません。",
    ),
    "wires_alt": Sentence(
        "Each of the {sizes} neurons is joined to all of the next layer: {wires} wires.",
        "{sizes} の各ニューロンが次の層のすべてと結ばれています。配線は {wires} 本です。",
    ),
    "softmax": Sentence("Softmax turns N states into probabilities", "ソフトマックスは N 個の値を確率に変える"),
    "softmax_note": Sentence(
        "eᶻ / Σ eᶻ: all are above 0, they add up to {total}, and the largest state gets the largest share.",
        "eᶻ / Σ eᶻ：すべて 0 より大きく、合計は {total} で、最も大きい値が最も大きい割合になります。",
    ),
    "state": Sentence("state", "値"),
    "probability": Sentence("probability", "確率"),
    "threshold": Sentence("A threshold neuron fires, or it does not", "しきい値ニューロンは発火するか、しないか"),
    "threshold_note": Sentence(
        "Like a biological neuron it takes a weighted vote, x·w, and fires if that reaches θ = −b.",
        "生物のニューロンのように、重み付きの投票 x·w が θ = −b に達すると発火します。",
    ),
    "neuron_name": Sentence("neuron", "ニューロン"),
    "vote": Sentence("vote x·w", "投票 x·w"),
    "fires": Sentence("fires", "発火する"),
    "silent": Sentence("does not fire", "発火しない"),
    "and_more": Sentence("… and {n} more, {fired} of all {total} fire", "… ほか {n} 個、全 {total} 個中 {fired} 個が発火"),
    "solid": Sentence("Thick wires have large weights, dashed ones negative weights.", "太い線は大きな重み、破線は負の重みです。"),
}


def words(key: str, language: str, **values: object) -> str:
    """Return one of the sentences, with its numbers filled in."""
    return WORDS[key].in_language(language).format(**values)
