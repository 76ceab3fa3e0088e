"""The walk's own words, in both languages."""

from ..records import Sentence

TITLE = Sentence("Backpropagation, step by step", "誤差逆伝播を一歩ずつ")
LEAD = Sentence(
    "Forward, the network computes its answer Y and the loss C. Backward, the errors δ go the same way in reverse and leave a gradient at every weight.",
    "順伝播でネットワークは答え Y と損失 C を計算します。逆伝播では誤差 δ が同じ道を逆向きにたどり、すべての重みに勾配を残します。",
)
SETTING = Sentence(
    "Network {sizes} · hidden activation {activation} · loss {loss} · {examples} in the batch (rows)",
    "ネットワーク {sizes} ・ 隠れ層の活性化関数 {activation} ・ 損失 {loss} ・ バッチ内の例 {examples} 個（行）",
)
LOSSES = {"mse": Sentence("mean squared error", "平均二乗誤差"), "cross_entropy": Sentence("cross-entropy of the softmax", "softmax の交差エントロピー")}
GRAPH = Sentence(
    "Data-flow graph of the forward and backward pass: circles are quantities, boxes are operations",
    "順伝播と逆伝播のデータフローグラフ。円は量、箱は演算",
)
STEPS = Sentence("The steps", "各ステップ")
FORWARD = Sentence("Forward pass", "順伝播")
BACKWARD = Sentence("Backward pass", "逆伝播")
LAYER = Sentence("layer {n}", "第 {n} 層")
BY_HAND = Sentence("One number by hand", "1 つの数を手で計算")
OF_PHI = Sentence("φ of", "φ を適用")
MORE = Sentence("Computed in double precision, shown to three digits.", "計算は倍精度、表示は 3 桁です。")
KEYS = Sentence(
    "← → step · Home End first and last · click a circle or a box to go to its step",
    "← → で 1 ステップ、Home End で最初と最後、円や箱をクリックするとそのステップへ",
)
BUTTONS = {
    "first": Sentence("First step", "最初のステップ"),
    "back": Sentence("One step back", "1 ステップ戻る"),
    "play": Sentence("Play", "再生"),
    "next": Sentence("Next step", "次のステップ"),
    "last": Sentence("Last step", "最後のステップ"),
}
PAUSE = Sentence("Pause", "一時停止")
SLIDER = Sentence("Step", "ステップ")
LEGEND = (
    ("data", Sentence("quantity, forward", "順伝播の量")),
    ("weight", Sentence("weights and biases", "重みとバイアス")),
    ("delta", Sentence("error δ = ∂C/∂Z, and gradients", "誤差 δ = ∂C/∂Z と勾配")),
    ("kept", Sentence("kept from the forward pass because the backward pass needs it", "逆伝播で使うため、順伝播から取っておく値")),
)
NAMES = Sentence(
    "X goes in, H is in between, Y comes out, T is what Y should be. Z = input · W + b, φ is the activation, ⊙ multiplies entry by entry, rows are examples.",
    "X は入力、H は中間、Y は出力、T は Y のあるべき値（正解）です。Z = 入力 · W + b、φ は活性化関数、⊙ は成分ごとの積、行は例を表します。",
)
CHECKED = Sentence(
    "Checked: the gradients on this page differ from those of PyTorch's autograd by at most {difference}.",
    "検算：このページの勾配と PyTorch の自動微分との差は最大 {difference} です。",
)
FOOT = Sentence("Made by kazami {version}. This file makes no network requests.", "kazami {version} が作成。このファイルは通信を一切行いません。")
SENTENCES = {
    "X": Sentence(
        "The batch comes in. Each row is one example; everything that follows is computed for all rows at once.",
        "バッチが入ります。1 行が 1 つの例で、以下の計算はすべての行について同時に行います。",
    ),
    "Z": Sentence(
        "Each neuron weighs its inputs, adds them up and adds its bias: a row of the input times a column of W. This sum is kept for the way back.",
        "各ニューロンは入力に重みを掛けて足し合わせ、バイアスを加えます（入力の行 × W の列）。この和は帰り道のために取っておきます。",
    ),
    "A": Sentence(
        "The activation bends each sum by itself. Without it, all layers together would be one linear map.",
        "活性化関数が各成分を個別に曲げます。これがなければ、何層重ねても 1 つの線形写像にすぎません。",
    ),
    "identity": Sentence("This layer has no activation: its sums are its output.", "この層には活性化関数がなく、和がそのまま出力です。"),
    "mse": Sentence(
        "How far is the answer Y from the target T? One number: the mean of all squared differences. The forward pass ends here.",
        "答え Y は正解 T からどれだけ離れているでしょうか。二乗した差の平均という 1 つの数で表します。順伝播はここまでです。",
    ),
    "cross_entropy": Sentence(
        "How much of its belief does the network give to the right class? One number: minus the mean logarithm of that share. The forward pass ends here.",
        "ネットワークは正解のクラスにどれだけの確率を与えたでしょうか。その対数の平均に負号を付けた 1 つの数で表します。順伝播はここまでです。",
    ),
    "delta_mse": Sentence(
        "The way back begins: how does C change with each last sum? The difference Y − T, times the slope of the activation at the kept sum.",
        "ここから帰り道です。最後の和を少し変えると C はどう変わるでしょうか。差 Y − T に、取っておいた和での活性化関数の傾きを掛けます。",
    ),
    "delta_cross_entropy": Sentence(
        "The way back begins: how does C change with each last sum? Probability minus target, times the slope of the activation at the kept sum.",
        "ここから帰り道です。最後の和を少し変えると C はどう変わるでしょうか。確率と正解の差に、取っておいた和での活性化関数の傾きを掛けます。",
    ),
    "delta": Sentence(
        "The error goes one layer back: through the same weights, now transposed, then times the slope of the activation. Where the slope is near 0, the error "
        "fades.",
        "誤差が 1 層さかのぼります。同じ重みを転置して通り、活性化関数の傾きを掛けます。傾きが 0 に近いところで誤差は薄れます。",
    ),
    "dW": Sentence(
        "What a weight has to answer for: the number that entered through it, times the error behind it, added over the examples.",
        "重みの責任は、その重みを通って入った数と、その先の誤差との積です。これをすべての例について足します。",
    ),
    "db": Sentence(
        "A bias enters every sum with the factor 1, so its gradient is the error itself, added over the examples.",
        "バイアスはどの和にも係数 1 で入るので、勾配は誤差そのものです。これをすべての例について足します。",
    ),
}
