"""Sharded parameters (FSDP2, tensor parallelism): the part that this rank holds, and whose gathered copy a leaf is."""

import sys
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from .names import living

FSDP = "torch.distributed.fsdp._fully_shard._fsdp_param"
FSDP1 = "FSDP1 (FullyShardedDataParallel) keeps parameters in flat pieces: numbers of single layers are not seen; fully_shard (FSDP2) shows them."

_owners: WeakTensorKeyDictionary = WeakTensorKeyDictionary()


def is_sharded(tensor: Tensor) -> bool:
    """Return whether a tensor is a DTensor, of which this rank holds a part."""
    return type(tensor) not in (Tensor, nn.Parameter) and hasattr(tensor, "to_local") and hasattr(tensor, "placements")


def part_of(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that this rank holds: all of an ordinary one."""
    return tensor.to_local() if is_sharded(tensor) else tensor  # type: ignore[attr-defined]


def owner_of(leaf: Tensor) -> Tensor:
    """Return the parameter that the optimizer moves: the sharded one for its gathered copy, which the forward pass uses; any other tensor itself."""
    return owners_of([leaf])[0]


def owners_of(leaves: Sequence[Tensor]) -> list[Tensor]:
    """Return `owner_of` each; the objects of the process are searched once for all that are new."""
    if FSDP not in sys.modules or not _is_job():
        return list(leaves)
    new = [leaf for leaf in leaves if not is_sharded(leaf) and leaf not in _owners]
    if new:
        _learn()
    for leaf in new:
        _owners.setdefault(leaf, None)
    known = (None if is_sharded(leaf) else _owners[leaf] for leaf in leaves)
    return [leaf if owner is None else owner for leaf, owner in zip(leaves, known, strict=True)]


def _is_job() -> bool:
    """Return whether there is a group of processes, without which nothing is sharded: only then is it worth a search through all objects."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _learn() -> None:
    kind = sys.modules[FSDP].FSDPParam
    for thing in living(kind):
        gathered, own = getattr(thing, "_unsharded_param", None), getattr(thing, "sharded_param", None)
        if isinstance(gathered, Tensor) and isinstance(own, Tensor):
            _owners[gathered] = own


def is_released(tensor: Tensor) -> bool:
    """Return whether a tensor's memory was given back, as FSDP2 does with gathered weights between forward and backward: it must not be read."""
    return FSDP in sys.modules and not is_sharded(tensor) and tensor.numel() > 0 and tensor.untyped_storage().size() == 0


def flat_pieces(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether an optimizer's parameters are the flat pieces of FSDP1."""
    fsdp = sys.modules.get("torch.distributed.fsdp._flat_param")
    if fsdp is None or not _is_job():
        return False
    first = next((p for group in optimizer.param_groups for p in group["params"]), None)
    return first is not None and (isinstance(first, fsdp.FlatParameter) or _is_view_of_flat(first, fsdp))


def _is_view_of_flat(parameter: Tensor, fsdp: Any) -> bool:
    handles = (thing for thing in living(fsdp.FlatParameter) if type(thing) is fsdp.FlatParameter)
    return any(parameter is one for flat in handles for one in (getattr(flat, "_params", None) or ()))
