"""What the graph says in words, in English and Japanese."""

from ...records.finding import Sentence

WAYS = {
    "torch.export": Sentence("captured by torch.export", "torch.export で取得"),
    "torch.fx": Sentence("captured by torch.fx", "torch.fx で取得"),
    "run": Sentence("captured by running the model on the example", "例をモデルに流して取得"),
}
PATH_TAKEN = Sentence(
    "The model reads values of its data in Python and may branch on them: this path was taken for the example; others may exist.",
    "このモデルは Python 側でデータの値を読み取り、分岐する可能性があります。図は例の入力で通った経路です。ほかの経路もあり得ます。",
)
RANDOM_PATH = Sentence(
    "The model draws random numbers in Python (random or numpy): another run may take another path.",
    "このモデルは Python 側（random・numpy）で乱数を引くため、実行ごとに経路が変わる可能性があります。",
)
SHAPE_OF_DATA = Sentence(
    "Sizes written ? depend on the values of the data.",
    "「?」の大きさはデータの値によって決まります。",
)
TRAINING_MODE = Sentence("The model was in training mode.", "モデルは学習モードでした。")
EVALUATION_MODE = Sentence("The model was in evaluation mode.", "モデルは評価モードでした。")


def failed(way: str, error: Exception) -> Sentence:
    """Say in one sentence why a way of capturing did not work."""
    reason = " ".join(str(error).split("\n\n")[0].split())
    reason = f"{type(error).__name__}: {reason[:157]}{'…' if len(reason) > 157 else ''}" if reason else type(error).__name__
    reason = reason.rstrip(".")
    return Sentence(f"{way} could not capture it ({reason}).", f"{way} では取得できませんでした（{reason}）。")


def batch_found(size: int, *, is_everywhere: bool) -> Sentence:
    """Say what N is, and whether the picture knows it."""
    if is_everywhere:
        return Sentence(f"N is the batch, {size} in the example.", f"N はバッチの大きさです（例では {size}）。")
    return Sentence(
        f"The graph changes with the size of the batch, so sizes are those of the example (batch {size}).",
        f"グラフがバッチの大きさで変わるため、大きさは例のもの（バッチ {size}）です。",
    )


def unused(names: list[str], count: int) -> Sentence:
    """Say which parameters the example did not use."""
    listed = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return Sentence(
        f"{len(names)} parameters ({count:,} elements) were not used by this call: {listed}.",
        f"{len(names)} 個のパラメータ（{count:,} 要素）はこの呼び出しでは使われませんでした: {listed}。",
    )


def dead_ends(count: int) -> Sentence:
    """Say that some operations lead to no output."""
    return Sentence(
        "1 operation leads to no output." if count == 1 else f"{count} operations lead to no output.", f"どの出力にもつながらない演算が {count} 個あります。"
    )


SUMMARY = Sentence(
    "{way}: {parameters} parameters, {operations} operations in {blocks} blocks{folded}",
    "{way}: パラメータ {parameters}、演算 {operations}、ブロック {blocks}{folded}",
)
FOLDED = Sentence("; folded: {repeats}", "、折りたたみ: {repeats}")
TITLE = Sentence("Data-flow graph of {name}", "{name} のデータフローグラフ")
SAME_WEIGHTS = Sentence("the same weights", "同じ重み")
PARAMETERS = Sentence("parameters", "パラメータ")
USED = Sentence("used × {times}", "{times} 回使用")
UNFOLD = Sentence("drawn one by one with fold=False (--no-fold)", "fold=False（--no-fold）で一つずつ描画します")
