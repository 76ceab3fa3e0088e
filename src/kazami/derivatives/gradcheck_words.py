"""What a gradient check says, in both languages."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..records import Sentence
from ..reports.numerals import short
from .gradcheck_result import ParameterRow

if TYPE_CHECKING:
    from .checking import Checking
    from .locating import Probe


def all_agree(rows: Sequence[ParameterRow], *, second: bool) -> Sentence:
    """Return the verdict where nothing is wrong."""
    what_en, what_ja = ("Second derivatives", "二階微分") if second else ("Backprop", "誤差逆伝播")
    judged = [row.relative_difference for row in rows if row.status == "right" and not math.isnan(row.relative_difference)]
    worst = short(max(judged)) if judged else "0"
    counts = {status: sum(row.status == status for row in rows) for status in ("kink", "unresolved", "unused")}
    extra_en = "".join(
        text.format(n=counts[status])
        for status, text in (
            ("kink", " On a kink, agreeing near by: {n}."),
            ("unresolved", " Hidden by rounding: {n}."),
            ("unused", " Without gradient, and the loss does not depend on them: {n}."),
        )
        if counts[status]
    )
    extra_ja = "".join(
        text.format(n=counts[status])
        for status, text in (
            ("kink", "{n} 個は折れ点上にあり、近傍では一致します。"),
            ("unresolved", "{n} 個は丸め誤差に埋もれて判定できません。"),
            ("unused", "{n} 個には勾配がなく、損失も依存しません。"),
        )
        if counts[status]
    )
    number = "the one tensor" if len(rows) == 1 else f"all {len(rows)} tensors"
    verb = "agree" if second else "agrees"
    return Sentence(
        f"{what_en} {verb} with numerical differentiation for {number} checked (largest relative difference {worst}).{extra_en}",
        f"{what_ja}は、調べた {len(rows)} 個のテンソルすべてで数値微分と一致します（最大の相対差 {worst}）。{extra_ja}",
    )


def fault(row: ParameterRow, faults: Sequence[ParameterRow], *, n_rows: int, second: bool) -> Sentence:
    """Return the verdict where ``row`` is the first of the ``faults`` on the way back from the loss."""
    order_en, order_ja = ("second derivative", "二階微分") if second else ("gradient", "勾配")
    place = "" if not row.worst_index else f"[{', '.join(map(str, row.worst_index))}]"
    analytic, numeric = _apart(row.worst_analytic, row.worst_numeric)
    others = len(faults) - 1
    more_en = f" {others} of {n_rows} tensors have a fault besides; this is the first on the way back from the loss." if others else ""
    more_ja = f"ほかに {n_rows} 個中 {others} 個にも誤りがあり、これは損失から逆向きにたどって最初のものです。" if others else ""
    if row.status == "not_finite":
        return Sentence(
            f'The {order_en} of "{row.name}" is not finite at {place or "its only entry"} although the loss is.{more_en}',
            f"「{row.name}」の{order_ja}が {place or '唯一の成分'} で有限でありません（損失は有限です）。{more_ja}",
        )
    if row.worst_index is None:
        searched_en, searched_ja = ("; no single entry could be blamed", "（個々の成分は特定できませんでした）") if row.n_probed else ("", "")
        analytic, numeric = _apart(row.analytic, row.numeric)
        return Sentence(
            f'The {order_en} of "{row.name}" is wrong: along a random direction backprop says {analytic}, numerical differentiation '
            f"{numeric}{searched_en}.{more_en}",
            f"「{row.name}」の{order_ja}が誤っています。ランダムな方向で誤差逆伝播は {analytic}、数値微分は {numeric} です{searched_ja}。{more_ja}",
        )
    if row.status == "missing":
        return Sentence(
            f'Backprop gives no {order_en} for "{row.name}", yet the loss does depend on it: at {place or "its only entry"} '
            f"the numeric derivative is {numeric}.{more_en}",
            f"誤差逆伝播は「{row.name}」に{order_ja}を与えませんが、損失はこれに依存します。{place or '唯一の成分'} の数値微分は {numeric} です。{more_ja}",
        )
    return Sentence(
        f'The {order_en} of "{row.name}" is wrong: at {place or "its only entry"} backprop says {analytic}, numerical differentiation {numeric}.{more_en}',
        f"「{row.name}」の{order_ja}が誤っています。{place or '唯一の成分'} で誤差逆伝播は {analytic}、数値微分は {numeric} です。{more_ja}",
    )


def _apart(analytic: float, numeric: float) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to see that they differ."""
    if short(analytic) != short(numeric) or not math.isfinite(analytic - numeric):
        return short(analytic), short(numeric)
    for digits in range(4, 17):
        texts = f"{analytic:.{digits}g}", f"{numeric:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(analytic), repr(numeric)


def hints(checking: "Checking", row: ParameterRow) -> tuple[Sentence, ...]:
    """Return what the pattern of the error looks like."""
    index = checking.bench.names.index(row.name)
    probing = checking.probings.get(index)
    if probing is None or row.status == "not_finite":
        return ()
    probes = list(probing.probes.values())
    found = [_growth_hint(row), _pattern(checking, index, probes)]
    if row.status == "missing":
        found = [Sentence(*MISSING)]
    drawn = [probe for probe in probes if probe.is_random]
    if drawn and row.status == "wrong" and len(probes) > 2:
        wrong = sum(probe.is_wrong for probe in probes)
        found.append(Sentence(f"{wrong} of {len(probes)} entries probed are wrong.", f"調べた {len(probes)} 成分のうち {wrong} 成分が誤りです。"))
    return tuple(hint for hint in found if hint is not None)


MISSING = (
    (
        "Look for detach(), .data, .item(), torch.no_grad() or a tensor made of numbers on the way from it to the loss, or for a backward that gives None. "
        "Where the gradient is cut on purpose (a target network), this is no fault."
    ),
    (
        "そこから損失に至る途中の detach()、.data、.item()、torch.no_grad()、数値から作り直したテンソル、None を返す backward を確認してください。"
        "意図して勾配を切った場合（ターゲットネットワークなど）は誤りではありません。"
    ),
)


def _growth_hint(row: ParameterRow) -> Sentence | None:
    if row.growth is None or row.growth.kind != "flat":
        return None
    return Sentence(
        "The error stays the same however small the step: this is neither truncation nor rounding.",
        "ステップ幅をいくら小さくしても誤差は変わりません。打ち切り誤差でも丸め誤差でもありません。",
    )


def _pattern(checking: "Checking", index: int, probes: "list[Probe]") -> Sentence | None:
    wrong = [probe for probe in probes if probe.is_wrong]
    if not wrong:
        return None
    largest = max(max(abs(probe.analytic), abs(probe.numeric)) for probe in wrong)
    if all(abs(probe.numeric) <= 1e-6 * largest + 8 * probe.uncertainty for probe in wrong):
        return _rounds(checking)
    clear = [probe for probe in wrong if abs(probe.numeric) > 1e-3 * largest and probe.uncertainty < 1e-3 * abs(probe.numeric)]
    ratios = [probe.analytic / probe.numeric for probe in clear]
    if len(ratios) >= min(2, checking.gradient[index].numel()) and ratios and max(ratios) - min(ratios) <= 1e-3 * max(map(abs, ratios)):
        return _factor(checking, sum(ratios) / len(ratios), len(ratios))
    return _transposed(checking, index, clear)


def _factor(checking: "Checking", ratio: float, n: int) -> Sentence | None:
    if abs(ratio - 1) < 1e-3:
        return None
    if abs(ratio) < 1e-3:
        return Sentence(
            f"Backprop gives 0 in all {n} wrong entries: a term or a branch is missing.",
            f"誤っている {n} 成分すべてで誤差逆伝播は 0 です。項または経路が欠けています。",
        )
    said_en, said_ja = f"{ratio:.4g} times the numeric derivative", f"数値微分の {ratio:.4g} 倍"
    rows = checking.bench.batch_size
    meaning_en, meaning_ja = ("", "")
    if abs(ratio + 1) < 1e-3:
        meaning_en, meaning_ja = ": its sign is wrong", "（符号が逆）"
    elif rows and rows > 1 and (abs(ratio / rows - 1) < 1e-3 or abs(ratio * rows - 1) < 1e-3):
        meaning_en, meaning_ja = f", and the batch has {rows} examples: sum and mean may be confused", f"（バッチは {rows} 例。和と平均の取り違えの可能性）"
    return Sentence(
        f"In all {n} wrong entries probed backprop is {said_en}{meaning_en}.", f"調べた {n} 個の誤成分すべてで、誤差逆伝播は{said_ja}です{meaning_ja}。"
    )


def _rounds(checking: "Checking") -> Sentence:
    names = ", ".join(sorted(checking.bench.looked.rounding))
    seen_en, seen_ja = (f" (it contains {names})", f"（{names} を含みます）") if names else ("", "")
    return Sentence(
        f"The numeric derivative is zero: the forward pass is constant in small steps{seen_en}. "
        "A straight-through estimator looks like this, and is meant to differ.",
        f"数値微分は 0 です。順伝播は小さな変化に対して一定です{seen_ja}。straight-through 推定器ならこの差は意図したものです。",
    )


def _transposed(checking: "Checking", index: int, clear: "list[Probe]") -> Sentence | None:
    gradient = checking.gradient[index]
    if gradient.dim() != 2 or gradient.shape[0] != gradient.shape[1] or len(clear) < 2:
        return None
    columns = gradient.shape[1]
    across = [float(gradient[probe.position % columns, probe.position // columns]) for probe in clear]
    if all(math.isclose(value, probe.numeric, rel_tol=1e-4, abs_tol=8 * probe.uncertainty) for value, probe in zip(across, clear, strict=True)):
        return Sentence("Backprop gives the transpose of the numeric gradient.", "誤差逆伝播の勾配は、数値微分の転置になっています。")
    return None


def stale() -> Sentence:
    """Return the hint for gradients that are wrong only once the weights have moved."""
    return Sentence(
        "The first backward pass is right, and one after the weights have moved is not: something kept from an earlier forward pass is used again.",
        "最初の逆伝播は正しいのに、重みが動いた後の逆伝播が誤っています。以前の順伝播で保存した値が使い回されています。",
    )


def guilty(module: str) -> Sentence:
    """Return the hint that names the module at fault."""
    return Sentence(
        f'Checked by itself, the module "{module}" has a wrong backward; its fault reaches all that lies before it.',
        f"単独で調べるとモジュール「{module}」の逆伝播が誤っています。その誤りは手前のすべてに及びます。",
    )


def notes(checking: "Checking", rows: Sequence[ParameterRow]) -> tuple[Sentence, ...]:
    """Return what must be known to read the result."""
    bench = checking.bench
    together = max((row.together for row in rows), default=1)
    values = {
        "weights": ", ".join(bench.changed_weights),
        "dtype": _name(bench.dtype),
        "why": bench.why_not_double,
        "coarse": _name(bench.looked.coarse),
        "noise": short(checking.noise),
        "rounding": ", ".join(sorted(bench.looked.rounding)),
        "budget": short(checking.budget_s),
        "together": together,
    }
    cases = {
        "random": bench.draws_random,
        "state": bench.changes_state,
        "weights": bool(bench.changed_weights),
        "unrepeatable": not bench.is_repeatable,
        "not double": bool(bench.why_not_double),
        "coarse": bench.looked.coarse is not None,
        "rounding": bool(bench.looked.rounding),
        "together": together > 1,
    }
    return tuple(Sentence(*(text.format(**values) for text in NOTES[name])) for name, applies in cases.items() if applies)


NOTES = {
    "random": ("The forward pass draws random numbers (dropout, noise); they were frozen.", "順伝播は乱数（ドロップアウト、雑音）を使うため、固定しました。"),
    "state": (
        "The forward pass changes buffers or attributes (running statistics …); they were put back each time.",
        "順伝播はバッファや属性（移動統計など）を変えるため、毎回元に戻しました。",
    ),
    "weights": (
        "The forward pass itself changes weights in place (max_norm of an embedding …): {weights}. Backprop does not see that, numerical differentiation does.",
        "順伝播そのものが重みを書き換えます（埋め込みの max_norm など）：{weights}。誤差逆伝播にはこれが見えず、数値微分には見えます。",
    ),
    "unrepeatable": (
        "The same forward pass gave different numbers twice: differences below that scatter cannot be seen.",
        "同じ順伝播が 2 回で異なる値を返しました。そのばらつき以下の差は見えません。",
    ),
    "not double": (
        "float64 was refused ({why}); checked in {dtype}, so that small errors stay unseen.",
        "float64 では計算できないため（{why}）、{dtype} で調べました。小さな誤りは見えません。",
    ),
    "coarse": (
        "Part of the forward pass is computed in {coarse}: its rounding (about {noise} in the loss) limits what can be seen.",
        "順伝播の一部は {coarse} で計算されます。その丸め誤差（損失で約 {noise}）が検出の限界です。",
    ),
    "rounding": (
        "The forward pass rounds numbers ({rounding}): its true derivative is zero there.",
        "順伝播に丸め演算（{rounding}）があり、そこでは真の微分は 0 です。",
    ),
    "together": (
        "To stay within {budget} s, parameters were tested {together} at a time.",
        "{budget} 秒に収めるため、パラメータは {together} 個ずつまとめて調べました。",
    ),
}


def _name(dtype: object) -> str:
    return str(dtype).removeprefix("torch.")


def backward_fails(message: str) -> Sentence:
    """Return the verdict where the backward pass raised."""
    return Sentence(f"The backward pass itself fails: {message}", f"逆伝播そのものが失敗します: {message}")


def loss_not_finite(value: float) -> Sentence:
    """Return the verdict where the loss is NaN or infinite."""
    return Sentence(
        f"The loss on this batch is {short(value)}: there is nothing to differentiate.", f"このバッチの損失は {short(value)} であり、微分できません。"
    )


def nothing_to_check() -> Sentence:
    """Return the verdict where no tensor can be checked."""
    return Sentence("The model has no trainable real parameter: there is nothing to check.", "学習可能な実数パラメータがなく、調べるものがありません。")
