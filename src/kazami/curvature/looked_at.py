"""A model with its batches made ready for second derivatives: copied, converted, frozen, and what the optimizer says about it."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..maps import Training, TrainingRun
from ..maps._frozen import LARGEST_CACHE, converted
from ..maps.training import untouched_randomness
from ..records.estimate import Remark
from .batch_losses import Batch, BatchLosses, Call, as_batches, fitting_call, plain_call
from .preconditioners import coupled_decay, preconditioner, scheduled_unit
from .products import CurvatureBlind, common_type
from .thresholds import drift_rate, fastest_group, optimizer_threshold

MOST_BATCHES = 1000  # of an iterable that may never end; more only where the training itself takes more steps


@dataclass(slots=True)
class LookedAt:
    """What :func:`looked_at` and :func:`of_training` give.

    Attributes:
        losses: The copy with its batches.
        parameters: What moves.
        names: Their names.
        threshold: The largest stable eigenvalue of what ``preconditioner`` and ``penalties`` make of the Hessian; NaN where not known.
        preconditioner: One tensor per parameter, or ``None``.
        penalties: Coupled weight decay that must be added to the Hessian; zeros where the threshold accounts for it.
        drift: How far a step goes in the long run per unit of gradient, see :func:`~kazami.curvature.thresholds.drift_rate`.
        steps: Of the training, ``None`` where it is not known.
        optimizer: The optimizer's name, empty without one.
        conditions: What was frozen, in which mode and precision.
        warnings: What may be wrong with a comparison against the threshold.
    """

    losses: BatchLosses
    parameters: tuple[Tensor, ...]
    names: tuple[str, ...]
    threshold: float
    preconditioner: list[Tensor] | None
    penalties: list[float]
    drift: float
    steps: int | None
    optimizer: str
    conditions: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


def looked_at(
    model: nn.Module,
    loss: Callable[[Any, Any], Tensor],
    batches: Any,
    *,
    optimizer: torch.optim.Optimizer | None,
    mode: str | None,
    dtype: torch.dtype,
    seed: int,
    call: Call = fitting_call,
    stepped: Sequence[Tensor] | None = None,
    is_own: bool = False,
) -> LookedAt:
    """Make ``model`` ready; see :class:`~kazami.curvature.training_curvature.TrainingCurvature`.

    Args:
        model: The module.
        loss: ``loss(output, target)``.
        batches: The batches.
        optimizer: Its optimizer.
        mode: ``"train"``, ``"eval"`` or ``None``.
        dtype: Precision asked for.
        seed: Of what is drawn.
        call: How the model is given its inputs.
        stepped: The preconditioner, where the optimizer itself has not made a step.
        is_own: Whether the model may be changed where it cannot be copied.
    """
    if not isinstance(model, nn.Module):
        raise UsageError(f"Curvature needs an nn.Module, but it was given a {type(model).__name__}.")
    chosen = _chosen(model, loss, optimizer)
    found, scales, unit_says = _stability(optimizer, [original for _, original in chosen], stepped)
    twin, twin_loss = _copies(model, loss, is_own=is_own)
    if mode is not None:
        twin.train(mode == "train")
    kept = as_batches(batches)
    losses, said = _in_precision(twin, twin_loss, kept, dtype, call=call, seed=seed)
    by_name = _named(twin, twin_loss)
    parameters = _plain([by_name[name] for name, _ in chosen])
    return LookedAt(
        losses=losses,
        parameters=parameters,
        names=tuple(name for name, _ in chosen),
        threshold=found[0],
        preconditioner=None if scales is None else [scale.to(like) for scale, like in zip(scales, parameters, strict=True)],
        penalties=found[1],
        drift=found[2],
        steps=None,
        optimizer="" if optimizer is None else type(optimizer).__name__,
        conditions=(*said, *_conditions(losses)),
        warnings=tuple(unit_says),
    )


def _plain(parameters: list[Tensor]) -> tuple[Tensor, ...]:
    """Return the parameters if they can be differentiated by together."""
    try:
        common_type(parameters)
    except CurvatureBlind as reason:
        raise UsageError(f"Curvature needs plain parameters. {reason}") from None
    return tuple(parameters)


def of_training(training: Training, *, after: int, mode: str | None, dtype: torch.dtype) -> LookedAt:
    """Start ``training``, take ``after`` steps of it, and make it ready.

    Raises:
        UsageError: There is no batch; ``after`` is negative.
    """
    if after < 0:
        raise UsageError(f"after should be a number of optimizer steps, 0 or more, but it is {after}.")
    with untouched_randomness():
        run, stepped = _walked(training, after)
        most = max(training.steps, MOST_BATCHES)
        batches, is_cut = _one_pass(training, most)
    found = looked_at(
        run.model,
        training.loss,
        batches,
        optimizer=run.optimizer,
        mode=mode,
        dtype=dtype,
        seed=training.seed,
        call=plain_call,
        stepped=stepped,
        is_own=True,
    )
    found.steps = training.steps
    said = [Remark(f"Taken after {after} steps.", f"{after}ステップ後の値。")] if after else [Remark("Taken at the initial weights.", "初期重みでの値。")]
    if is_cut:
        said.append(Remark(f"Only the first {len(batches)} batches were looked at.", f"最初の{len(batches)}バッチだけを調べた。"))
    found.conditions = (*said, *found.conditions)
    found.warnings = (*found.warnings, *_about_the_loop(training, is_early=stepped is not None))
    return found


def _walked(training: Training, after: int) -> tuple[TrainingRun, list[Tensor] | None]:
    """Return the training after so many steps, and the preconditioner of a first step taken on the side where it has made none."""
    run = _advanced(training, after)
    threshold = optimizer_threshold(run.optimizer)
    if after or threshold is None or not threshold.is_preconditioned:
        return run, None
    side = _advanced(training, 1)
    return run, preconditioner(side.optimizer, _in_order(side, training), fastest_group(side.optimizer))


def _in_order(run: TrainingRun, training: Training) -> list[Tensor]:
    return [original for _, original in _chosen(run.model, training.loss, run.optimizer)]


def _advanced(training: Training, steps: int) -> TrainingRun:
    run = training.start()
    if any(isinstance(part, nn.parameter.UninitializedParameter) for part in run.model.parameters()):
        with torch.no_grad():
            run.model(next(iter(training.endless_batches()))[0])
    scheduler = training.scheduler(run.optimizer) if training.scheduler else None
    for batch in islice(training.endless_batches(), steps):
        training.step(run.model, run.optimizer, batch)
        if scheduler is not None:
            scheduler.step()
    return run


def _one_pass(training: Training, most: int) -> tuple[list[Batch], bool]:
    """Return the batches of one pass, and whether there were more than fit."""
    kept: list[Batch] = []
    n_bytes = 0
    for batch in training.batches():
        if len(kept) == most or n_bytes > LARGEST_CACHE:
            return kept, True
        kept.append(batch)
        n_bytes += sum(part.numel() * part.element_size() for part in batch if isinstance(part, Tensor))
    return kept, False


def _named(model: nn.Module, loss: Any) -> dict[str, Tensor]:
    """Return the parameters of the model, and of a loss that has some, by name."""
    own: dict[str, Tensor] = dict(model.named_parameters())
    if isinstance(loss, nn.Module):
        own.update({f"loss.{name}": part for name, part in loss.named_parameters()})
    return own


def _chosen(model: nn.Module, loss: Any, optimizer: torch.optim.Optimizer | None) -> list[tuple[str, Tensor]]:
    """Return name and tensor of each parameter that moves."""
    moved = None if optimizer is None else {id(part) for group in optimizer.param_groups for part in group["params"]}
    found = [(name, part) for name, part in _named(model, loss).items() if part.requires_grad and (moved is None or id(part) in moved)]
    if not found:
        mover = "the optimizer moves" if optimizer is not None else "requires a gradient"
        raise UsageError(f"Curvature needs a parameter that {mover}, but {type(model).__name__} has none. Is everything frozen?")
    return found


def _copies(model: nn.Module, loss: Any, *, is_own: bool) -> tuple[nn.Module, Any]:
    """Return copies of the model and of a loss that is a module; also of a training's own, whose factory may give the same module each time."""
    twin_loss = copy.deepcopy(loss) if isinstance(loss, nn.Module) else loss
    try:
        return copy.deepcopy(model), twin_loss
    except (RuntimeError, TypeError) as reason:
        if is_own:
            return model, twin_loss
        raise UsageError(
            f"Curvature is taken on a copy of {type(model).__name__}, but it cannot be copied ({str(reason).splitlines()[0]}). Give a kazami.Training, "
            "whose model factory makes a fresh one."
        ) from None


def _in_precision(model: nn.Module, loss: Any, batches: list[Batch], dtype: torch.dtype, *, call: Call, seed: int) -> tuple[BatchLosses, list[Remark]]:
    """Return the losses in ``dtype``, or in the model's own precision where it cannot be run in that one."""
    own = next((part.dtype for part in model.parameters() if part.is_floating_point()), dtype)
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        dtype = own  # a script was compiled for its own precision
    for embedding in model.modules():
        if isinstance(embedding, nn.Embedding | nn.EmbeddingBag):
            embedding.sparse = False  # a sparse gradient has no second derivative; the loss is the same
    try:
        losses = _losses(model, loss, batches, dtype, call, seed)
        if dtype != own:
            losses.loss_at(0)
        text = f"Computed in {dtype}".replace("torch.", "")
        return losses, [Remark(text + ".", f"{str(dtype).removeprefix('torch.')} で計算した。")]
    except (RuntimeError, TypeError) as reason:
        if dtype == own or own not in (torch.float32, torch.float64):
            raise
        losses = _losses(model, loss, batches, own, call, seed)
        text = f"Computed in {str(own).removeprefix('torch.')}: the model cannot be run in {str(dtype).removeprefix('torch.')} ({str(reason).splitlines()[0]})."
        return losses, [Remark(text, f"{str(own).removeprefix('torch.')} で計算した（{str(dtype).removeprefix('torch.')} では実行できない）。")]


def _losses(model: nn.Module, loss: Any, batches: list[Batch], dtype: torch.dtype, call: Call, seed: int) -> BatchLosses:
    model.to(dtype)
    if isinstance(loss, nn.Module):
        loss.to(dtype)
    return BatchLosses(model, loss, [converted(batch, dtype) for batch in batches], call=call, seed=seed)


def _stability(
    optimizer: torch.optim.Optimizer | None, parameters: list[Tensor], stepped: Sequence[Tensor] | None
) -> tuple[tuple[float, list[float], float], list[Tensor] | None, list[Remark]]:
    """Return threshold, penalties to add and drift rate; the preconditioner; and what is doubtful about them."""
    nothing = [0.0] * len(parameters)
    if optimizer is None:
        return (math.nan, nothing, math.nan), None, []
    index = fastest_group(optimizer)
    limit = optimizer_threshold(optimizer, index)
    if limit is None:
        text = f"No threshold is known for {type(optimizer).__name__}."
        return (math.nan, nothing, math.nan), None, [Remark(text, f"{type(optimizer).__name__} の安定限界は知られていない。")]
    scales = list(stepped) if stepped is not None else preconditioner(optimizer, parameters, index)
    drift = drift_rate(optimizer, index)
    if scales is None and limit.is_preconditioned:
        text = f"{type(optimizer).__name__} has not made a step, so its scaling is not known: the bare Hessian is shown, which its threshold does not speak of."
        remark = Remark(text, f"{type(optimizer).__name__} はまだ 1 ステップも進んでおらず、スケーリングが不明なため、前処理なしのヘッセ行列を示す。")
        return (math.nan, nothing, drift), None, [remark]
    rate = limit.learning_rate
    value = scheduled_unit(optimizer, index) / rate if rate > 0.0 else math.inf
    penalties = coupled_decay(optimizer, parameters)
    if scales is None and len(set(penalties)) == 1:  # the same for all: it shifts every eigenvalue alike
        return (value - penalties[0], nothing, drift), None, []
    return (value, penalties, drift), scales, []


def _conditions(losses: BatchLosses) -> list[Remark]:
    count = len(losses.batches)
    english = (
        f"Mean over {count} batches, weighted by their sizes ({losses.n_examples} examples)." if count > 1 else f"One batch of {losses.n_examples} examples."
    )
    said = [Remark(english, f"{count}バッチ（{losses.n_examples}例）の、大きさで重み付けした平均。" if count > 1 else f"1バッチ（{losses.n_examples}例）。")]
    norms = {norm.training or not norm.track_running_stats for norm in losses.model.modules() if isinstance(norm, nn.modules.batchnorm._NormBase)}
    if True in norms:
        said.append(Remark("BatchNorm uses the statistics of its batch (training mode).", "BatchNormはバッチの統計量を使う（学習モード）。"))
    if False in norms:
        said.append(Remark("BatchNorm uses its running statistics (evaluation mode).", "BatchNormは移動平均の統計量を使う（評価モード）。"))
    if losses.draws():
        said.append(
            Remark("Dropout masks and other randomness are drawn once for each batch and frozen.", "ドロップアウトなどの乱数はバッチごとに一度引いて固定した。")
        )
    return said


def _about_the_loop(training: Training, *, is_early: bool) -> list[Remark]:
    said = []
    if is_early:
        text = (
            "Before its first step an adaptive optimizer has no scale: that of its first step, one gradient's size, was taken. Such a sharpness is large and "
            "passes within some 1/(1-β) steps; ask again after some steps (after=…)."
        )
        said.append(
            Remark(
                text,
                "適応的最適化は最初のステップ前にはスケールを持たないため、最初の勾配の大きさを用いた。値は大きく出るが、やがて消える（after= を参照）。",
            )
        )
    if training.train_step is not None:
        text = "The training has a train_step of its own: the curvature is that of loss(model(inputs), target), without what the step may add."
        said.append(Remark(text, "train_stepが独自であるため、loss(model(inputs), target) の曲率を示す。"))
    if not training.zero_grad:
        text = "Gradients are never set to zero (zero_grad=False): the optimizer's threshold does not hold."
        said.append(Remark(text, "勾配が消去されない（zero_grad=False）ため、安定限界は成り立たない。"))
    if training.clip_grad_norm is not None:
        said.append(
            Remark("Clipping shortens the step: the training is stabler than its threshold says.", "勾配クリッピングにより、実際の学習は限界より安定である。")
        )
    return said
