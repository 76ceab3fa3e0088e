"""Parameters that take part in the model but never move."""

from typing import Any, ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both
from ._progress import SLOW_EXPLAINED, falls_short, is_slow
from ._still import flat_share, unmoved, wiped_steps

LARGE_SHARE = 0.2
SEVERAL = 2  # matrices, one behind the other: a single layer of random features may be meant


class FrozenParameters(AbstractRule):
    """Fires for parameters that backward reaches but no optimizer holds, that an optimizer holds but no gradient ever reaches, or that are frozen while
    progress is poor.

    Where something has cleared the gradients between backward and every step, backward begins at a tensor without history, or an operation without slope
    (``round``) stands in every way to the loss, that is told. The first is
    exact and needs no poor progress, since such gradients are computed for nothing. A missing gradient (a ``detach()``, a ``no_grad`` block, an unused
    branch) counts when progress is poor or when it concerns more than a fifth of the parameters. ``requires_grad=False`` is usually meant and counts only
    when progress is poor; where two matrices or more stand as an initialisation has drawn them, and hold more than a fifth of the parameters, slow progress
    is enough, for what was learned elsewhere does not look so.
    """

    id: ClassVar = "KZ305"
    name: ClassVar = "frozen_parameters"
    title: ClassVar = both("parameters that never move", "動かないパラメータ")
    family: ClassVar = "structure"
    rank: ClassVar = 11
    wind: ClassVar = -1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if parameters stand still that should move."""
        outside = list(trace.facts.get("not_in_optimizer", ()))
        if outside:
            return self._found(
                outside,
                0.93 if trace.progress_is_poor else 0.8,
                "are in no optimizer, though backward computes their gradients",
                "に勾配が計算されていますが、どのオプティマイザにも入っていません",
            )
        if (steps := wiped_steps(trace)) > 0:
            return self._wiped(steps)
        ungiven, share = list(trace.facts.get("never_given_a_gradient", ())), float(trace.facts.get("never_given_share", 0.0))
        if ungiven and trace.facts.get("is_loss_bare") and share == 1.0:
            return self._bare(ungiven)
        if (flat := flat_share(trace)) == 1.0 or (flat > LARGE_SHARE and trace.progress_is_poor):
            return self._flat(trace.facts["without_slope"])
        if ungiven and (trace.progress_is_poor or share > LARGE_SHARE):
            return self._found(
                ungiven,
                0.9 if trace.progress_is_poor else 0.7,
                "are in the optimizer but never get a gradient (cut off by detach(), no_grad, or not used)",
                "はオプティマイザにありますが、勾配が一度も届いていません（detach()、no_grad、または未使用）",
            )
        still = unmoved(trace)
        if still and is_slow(trace.progress):
            return self._found(
                still,
                0.88,
                "get gradients but are never changed by the optimizer (a learning rate of zero?)",
                "は勾配が届いているのに、一度も更新されていません（学習率が0？）",
            )
        return self._stopped(trace)

    def _stopped(self, trace: Trace) -> Finding | None:
        frozen = sorted({*trace.facts.get("frozen", {}), *trace.facts.get("requires_no_gradient", ())})
        fresh = list(trace.facts.get("never_trained", ()))
        is_a_trunk = int(trace.facts.get("frozen_matrices", 0)) >= SEVERAL and float(trace.facts.get("frozen_share", 0.0)) > LARGE_SHARE
        if fresh and is_a_trunk and falls_short(trace.progress, 0.8, 0.25):
            return self._found(
                fresh,
                0.85,
                "have requires_grad=False and stand as an initialisation has drawn them: nothing was ever learned there",
                "は requires_grad=False のまま初期値の分布を保っており、一度も学習されていません",
            )
        progress = trace.progress
        if progress is None or progress.is_diverging:
            return None  # what stands still throws no loss up
        if frozen and progress.is_poor and not progress.explained > SLOW_EXPLAINED:
            return self._found(frozen, 0.75, "have requires_grad=False", "は requires_grad=False です")
        return None

    def _bare(self, names: list[str]) -> Finding:
        return self.finding(
            confidence=0.95,
            severity="error",
            place="the loss",
            place_ja="損失",
            evidence=[_count_of(names)],
            sentence=both(
                "backward() begins at a tensor without history, so no parameter gets a gradient: the loss is a copy (torch.tensor(loss), .item(), "
                ".detach(), numpy) or comes from an operation without a derivative (argmax, round, a comparison).",
                "backward() が履歴を持たないテンソルから始まるため、どのパラメータにも勾配が届きません。損失が複製（torch.tensor(loss)、.item()、"
                ".detach()、numpy）か、微分できない演算（argmax、round、比較）の結果です。",
            ),
        )

    def _flat(self, fact: dict[str, Any]) -> Finding:
        operation = f"{fact['operation']}()"
        return self.finding(
            confidence=0.95,
            severity="error",
            step=int(fact.get("step", 1)),
            place="the loss",
            place_ja="損失",
            evidence=[
                Evidence("share of the parameters whose gradient is exactly zero", float(fact["share"]), 0.0, "", "exact", "勾配が厳密に 0 の割合", "厳密")
            ],
            sentence=both(
                f"Every way from {fact['parameters']} parameters to the loss leads through {operation}, whose derivative is zero everywhere: "
                "their gradients are exactly zero and nothing moves them.",
                f"{fact['parameters']} 個のパラメータから損失への経路がすべて {operation} を通ります。その微分はどこでも 0 なので、"
                "勾配は厳密に 0 で、何も更新されません。",
            ),
        )

    def _wiped(self, steps: int) -> Finding:
        return self.finding(
            confidence=0.97,
            severity="error",
            place="the order of zero_grad(), backward() and step()",
            place_ja="zero_grad()、backward()、step() の順序",
            evidence=[Evidence("looked-at steps whose gradients were gone", float(steps), 0.0, "", "exact", "勾配が失われていたステップ数", "厳密")],
            sentence=both(
                "The optimizer steps without gradients: backward() makes them, and zero_grad() throws them away before step() can use them. "
                "The order should be zero_grad(), backward(), step().",
                "オプティマイザは勾配なしで更新しています。backward() で求めた勾配が、step() で使われる前に zero_grad() で消されています。"
                "正しい順序は zero_grad()、backward()、step() です。",
            ),
        )

    def _found(self, names: list[str], confidence: float, en: str, ja: str) -> Finding:
        where = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
        return self.finding(
            confidence=confidence,
            place=names[0],
            evidence=[_count_of(names)],
            sentence=both(f"{len(names)} parameters {en}: {where}.", f"{len(names)} 個のパラメータ{ja}: {where}"),
        )


def _count_of(names: list[str]) -> Evidence:
    source, source_ja = "set difference of graph and optimizers", "計算グラフとオプティマイザの差集合"
    return Evidence("parameters that never move", float(len(names)), 0.0, "", source, "動かないパラメータの数", source_ja)
