"""Parameters that an optimizer lacks, or has without moving them: registered, thawed, added."""

import dataclasses
from collections.abc import Iterable, Mapping

import torch
from torch import nn

from ..maps import Training
from ..maps.training import TrainingRun
from ._fresh import fresh, goes
from ._surgery import with_model


def with_all_parameters(training: Training, unfreeze: Iterable[str] = ()) -> Training | None:
    """Return the training whose optimizer has every parameter that requires a gradient, at a rate above zero; those missing join its first group.

    Parameters that are no longer in the model and get no gradient (a head that was replaced after the optimizer was made) leave it.

    Args:
        unfreeze: Parameters that are to require a gradient first.

    Returns:
        ``None`` where nothing is frozen, missing or held at a rate of zero.
    """
    names, make = set(unfreeze), training.optimizer

    def thawed(model: nn.Module) -> None:
        for name, parameter in model.named_parameters():
            if name in names:
                parameter.requires_grad_(True)

    before = fresh(training)
    thawing = with_model(training, thawed) if names else training
    strangers = _strangers(thawing)

    def complete(model: nn.Module) -> torch.optim.Optimizer:
        optimizer = make(model)
        _raise_from_zero(optimizer)
        _leave_out(optimizer, strangers)
        _add_missing(model, optimizer)
        return optimizer

    changed = dataclasses.replace(thawing, optimizer=complete)
    frozen = any(name in names and not parameter.requires_grad for name, parameter in before.model.named_parameters())
    held = any(group.get("lr") == 0 for group in before.optimizer.param_groups)
    return changed if frozen or held or strangers or _n_held(fresh(changed)) > _n_held(before) else None


def _n_held(state: TrainingRun) -> int:
    return sum(len(group["params"]) for group in state.optimizer.param_groups)


def _strangers(training: Training) -> set[tuple[int, int]]:
    """Return group and position of the parameters of an optimizer that are not in the model, and that the first backward does not reach."""
    found: set[tuple[int, int]] = set()
    make, loss = training.optimizer, training.loss
    kept: list[torch.optim.Optimizer] = []

    def keep(model: nn.Module) -> torch.optim.Optimizer:
        kept.append(make(model))
        return kept[-1]

    def look(model: nn.Module) -> bool:
        own = {id(parameter) for parameter in model.parameters()}
        groups = enumerate(group["params"] for group in kept[-1].param_groups)
        found.update((n, i) for n, group in groups for i, parameter in enumerate(group) if id(parameter) not in own and parameter.grad is None)
        return True

    if training.train_step is None:  # a step of the user's own may clear its gradients at its end
        goes(training.replaced(optimizer=keep, loss=lambda output, target: loss(output, target).backward()), look)
    return found


def _raise_from_zero(optimizer: torch.optim.Optimizer) -> None:
    highest = max(group.get("lr", 0.0) for group in optimizer.param_groups)
    for group in optimizer.param_groups:
        group.update({"lr": highest} if group.get("lr") == 0 else {})


def _leave_out(optimizer: torch.optim.Optimizer, strangers: set[tuple[int, int]]) -> None:
    for n, group in enumerate(optimizer.param_groups):
        group["params"] = [parameter for i, parameter in enumerate(group["params"]) if (n, i) not in strangers]


def _add_missing(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    there = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    missing = [parameter for parameter in model.parameters() if parameter.requires_grad and id(parameter) not in there]
    if missing:
        settings = {key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
        optimizer.add_param_group({**settings, "params": missing})


def with_registered(training: Training, containers: Mapping[str, str]) -> Training | None:
    """Return the training whose model holds these containers as registered ones.

    Args:
        containers: By the path of an attribute (``"layers"``, ``"decoder.blocks"``) the class of ``torch.nn`` that registers it.

    Returns:
        ``None`` where the model has none of them.
    """

    def change(model: nn.Module) -> None:
        for path, kind in containers.items():
            owner_path, _, name = path.rpartition(".")
            owner = model.get_submodule(owner_path)
            held = getattr(owner, name)
            delattr(owner, name)
            setattr(owner, name, getattr(nn, kind)(dict(held) if isinstance(held, dict) else list(held)))

    before = fresh(training).model
    if isinstance(before, torch.jit.ScriptModule):
        return None
    try:
        there = [hasattr(before.get_submodule(path.rpartition(".")[0]), path.rpartition(".")[2]) for path in containers]
    except AttributeError:
        return None
    return with_model(training, change) if there and all(there) else None
