"""What a harvest says in words: what was taken from a script, and what not."""

from collections.abc import Iterable

from ..maps import Training
from ..records import Sentence
from .program import leaves

DIFFERENCES = {
    "optimizers": Sentence("moves the other weights with other optimizers", "残りの重みを別のオプティマイザで動かしている"),
    "gradients": Sentence("changes gradients between backward and the optimizer's step", "backward と更新の間で勾配を書き換えている"),
    "weights": Sentence("changes weights by other means than the optimizer", "オプティマイザ以外の方法で重みを変えている"),
    "hooks": Sentence("uses hooks on tensors", "テンソルのフックを使っている"),
    "groups": Sentence("changes on the way which parameters are trained", "学習するパラメータを途中で変えている"),
}


JOINED = Sentence(
    "The script joins several modules or bare tensors by itself; they are looked at as one model, up to the last module (else up to the loss).",
    "スクリプトは複数のモジュールやテンソルを自分でつないでいるため、最後のモジュール（なければ損失）までを一つのモデルとして扱います。",
)
MIXED = Sentence(
    "Mixed precision is left out; a loss counts as reproduced where it agrees within 5 %.",
    "混合精度は使わずに再現します。5 % 以内で一致した損失を「再現した」と数えています。",
)


def only_one_of(n: int) -> Sentence:
    """Return that of ``n`` optimizers one was taken."""
    return Sentence(
        f"The script steps {n} optimizers; only the first one was taken.",
        f"スクリプトはオプティマイザを {n} 個使っていますが、最初の 1 個だけを取り出しました。",
    )


def what_differs(count: int, reasons: Iterable[str]) -> Sentence:
    """Return from which step on, and why as far as it was seen, the training made of a script takes another way than the script."""
    known = [sentence for key, sentence in DIFFERENCES.items() if key in set(reasons)]
    en = f"the script {', '.join(sentence.en for sentence in known)}" if known else "why was not seen"
    ja = f"スクリプトが{'、'.join(sentence.ja for sentence in known)}ためです" if known else "原因は分かっていません"
    return Sentence(f"From step {count + 1} on its losses are not the script's: {en}.", f"{count + 1} ステップ目からは、損失がスクリプトと一致しません。{ja}。")


def what_was_taken(training: Training, n_steps: int, count: int, n_checked: int) -> Sentence:
    """Return what was taken, and how many of the losses it reproduces."""
    inputs = next(iter(training.batches()))[0]
    shapes = ", ".join("×".join(map(str, tensor.shape)) or "scalar" for tensor in list(leaves(inputs))[:4])
    en = f"Taken from the script: its model, {len(list(training.batches()))} batch(es) ({shapes}), loss and optimizer, from its first {n_steps} step(s)"
    ja = f"スクリプトから取り出したもの：モデル、バッチ {len(list(training.batches()))} 個（{shapes}）、損失、オプティマイザ（最初の {n_steps} ステップ）"
    return Sentence(f"{en}; {count} of {n_checked} losses checked are reproduced.", f"{ja}。確認した損失 {n_checked} 個のうち {count} 個を再現しました。")
