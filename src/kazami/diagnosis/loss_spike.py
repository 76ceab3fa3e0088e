"""A loss that leaps up at one batch in a run that otherwise learns, and costs it steps."""

from typing import ClassVar

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._spikes import WINDOW, Spike, Z, data_of, is_stable_before, place_of, spikes, what_moved, z_of

COST = 0.1  # of the steps of the run, while the loss is not on its way back
MOST = 0.3  # of the steps, where it came back
BEHIND_THE_STEPS = 43  # the rank of a leap that the update before it, or nothing that was seen, announced: rather the steps than the batch


class LossSpike(AbstractRule):
    r"""Fires when the loss leaps from one step to the next by more than six robust standard deviations of the steps before, which were calm, and it costs the
    run steps: three in ten above the level before, or one in ten and it is not on its way back, or progress is poor.

    The leap must be the batch's: its inputs or targets are unlike all before, or it comes back with the epoch; or else its gradient leaps as well while
    nothing says that the steps were too long.

    Where targets move with the network (bootstrapping: each renewal of the target network moves them at once), it is silent.

    It names the batch: its step, its place in the epoch where the leaps or the data loader give one away, and what moved first: the gradient of that batch,
    or the update before it.
    """

    id: ClassVar = "KZ204"
    name: ClassVar = "loss_spike"
    title: ClassVar = both("single batches that throw the loss up", "損失を跳ね上げる個々のバッチ")
    family: ClassVar = "data"
    rank: ClassVar = 25
    wind: ClassVar = 1.5

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding for the first leap that cost the run steps."""
        progress = trace.progress
        if progress is None or "adversarial" in trace.facts or "moving_targets" in trace.facts:
            return None  # losses tell of leaps only where they are measured by the same targets
        found = spikes(trace)
        lost = sum(spike.lost for spike in found) / max(len(trace["loss"]), 1)
        if not found or not (lost > MOST or (lost > COST and not found[-1].is_back) or (lost > 0 and trace.progress_is_poor)):
            return None
        first = next((spike for spike in found if spike.lost > 0), found[0])
        where, mover, data = place_of(found, trace), what_moved(trace, first), data_of(trace, first)
        gradient = z_of(trace, "total_gradient_norm", first.step)
        update = z_of(trace, "update_norm", first.step - 1)
        is_of_batch = not update > Z and (data is not None or where.is_periodic)
        if not is_of_batch and not (gradient > Z and is_stable_before(trace, first)):
            return None
        told = both("", "") if data is None else both(f"; its {data.en}", f"この{data.ja}。")
        return self.finding(
            confidence=(0.75 if is_of_batch else 0.55) + 0.08 * min(lost / COST - 1, 1.0) + (0.07 if gradient > Z and not update > Z else 0.0),
            step=first.step,
            rank=self.rank if is_of_batch else BEHIND_THE_STEPS,
            place=where.en,
            evidence=_evidence(first, lost, gradient, update),
            sentence=both(
                f"The loss leaps from {short(first.level)} to {short(first.value)} at {where.en}{told.en}; {_after_en(first)}{mover.en}.",
                f"{where.ja}で損失が {short(first.level)} から {short(first.value)} へ跳ね上がりました。{told.ja}{_after_ja(first)}{mover.ja}",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that no loss leapt."""
        if len(trace["loss"]) < 2 * WINDOW or spikes(trace):
            return None
        return both(f"a bad batch (no leap of the loss in {len(trace['loss'])} steps)", f"異常なバッチ（{len(trace['loss'])} ステップで損失の跳びなし）")


def _evidence(first: Spike, lost: float, gradient: float, update: float) -> list[Evidence]:
    return [
        Evidence(
            "leap of the loss in standard deviations",
            first.z,
            Z,
            "",
            "one normal value in 1e9",
            "損失の跳び（標準偏差単位）",
            "正規分布で 10 億回に 1 回の値",
        ),
        Evidence("share of the steps spent above the level before", lost, MOST, "", "KZ204", name_ja="跳ぶ前の水準より上で費やしたステップの割合"),
        Evidence("gradient norm of that batch in standard deviations", gradient, Z, "", "its logarithm", "そのバッチの勾配ノルム（標準偏差単位）", "その対数"),
        Evidence("update before it in standard deviations", update, Z, "", "its logarithm", "直前の更新量（標準偏差単位）", "その対数"),
    ]


def _after_en(spike: Spike) -> str:
    if not spike.is_back:
        return "it has not come back since"
    return f"it took {spike.lost} steps to come back"


def _after_ja(spike: Spike) -> str:
    return f"元の水準に戻るまで {spike.lost} ステップかかりました。" if spike.is_back else "その後も元の水準に戻っていません。"
