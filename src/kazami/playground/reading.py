"""Reads a `Spec` from what a browser sent, and refuses everything else with one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, get_args

from . import specs
from .refusals import Refused, UnknownWord
from .specs import LIMITS, Block, Spec

_WORDS: dict[str, tuple[str, ...]] = {
    "task": get_args(specs.TaskName),
    "initialisation": get_args(specs.Initialisation),
    "optimizer": get_args(specs.OptimizerName),
    "kind": specs.KINDS,
    "shortcut": get_args(specs.Shortcut),
    "activation": get_args(specs.ActivationName),
    "norm": get_args(specs.NormName),
}
_RANGES: dict[str, tuple[float, float]] = {
    "samples": (8, LIMITS.samples),
    "noise": (0.0, 10.0),
    "gain": (0.0, 100.0),
    "learning_rate": (0.0, 1e4),
    "batch_size": (0, LIMITS.samples),
    "clip": (1e-9, 1e9),
    "seed": (0, 2**31 - 1),
    "width": (1, LIMITS.width),
    "rate": (0.0, 0.95),
}
_WHOLE = {"samples", "batch_size", "seed", "width"}


def read_spec(data: Any) -> Spec:
    """Return the session that plain data describe; what is not given has its default.

    Args:
        data: A JSON object, as `Spec.to_dict` returns it.

    Raises:
        UsageError: Something is of the wrong kind, out of its limits, or unknown; the sentence says where.

    Example:
        >>> read_spec({"task": "xor", "blocks": [{"kind": "linear", "width": 4}, {"kind": "activation", "name": "relu"}]}).blocks[1].name
        'relu'
    """
    given = _object(data, "", {one.name for one in fields(Spec)})
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name == "blocks":
            found[name] = _blocks(value, "blocks", 0)
        elif name == "clip" and value is None:
            found[name] = None
        elif name in ("is_linear", "has_shortcuts"):
            found[name] = _flag(name, value)
        else:
            found[name] = _word(name, value) if name in _WORDS else _number(name, value)
    spec = Spec(**found)
    count = _count(spec.blocks)
    if count > LIMITS.blocks:
        raise Refused(
            f"A network should have at most {LIMITS.blocks} blocks, but this one has {count}.",
            f"ネットワークのブロックは {LIMITS.blocks} 個までです（今は {count} 個）。",
        )
    return spec


def _blocks(value: Any, place: str, depth: int) -> tuple[Block, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > LIMITS.blocks:
        raise Refused(f"{place} should be a list of at most {LIMITS.blocks} blocks.", f"{place} は {LIMITS.blocks} 個までのブロックの並びにしてください。")
    return tuple(_block(one, f"{place}[{number}]", depth) for number, one in enumerate(value))


def _block(value: Any, place: str, depth: int) -> Block:
    given = _object(value, place, {one.name for one in fields(Block)})
    kind = _word("kind", given.get("kind"), place)
    if kind == "residual" and depth >= LIMITS.nesting:
        raise Refused(f"{place} should not lie deeper than {LIMITS.nesting} residual blocks.", f"{place}：残差ブロックの入れ子は {LIMITS.nesting} 段までです。")
    found: dict[str, Any] = {"kind": kind, "name": "layer" if kind == "norm" else "tanh"}
    for name in given.keys() - {"kind"}:
        if name == "name":
            found[name] = _word(kind, given[name], place) if kind in _WORDS else given[name] if isinstance(given[name], str) else ""
        elif name == "blocks":
            found[name] = _blocks(given[name], f"{place}.blocks", depth + 1)
        else:
            found[name] = _word(name, given[name], place) if name in _WORDS else _number(name, given[name], place)
    return Block(**found)


def _object(value: Any, place: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(
            f"{place or 'the session'} should be an object with named fields, but it is a {type(value).__name__}.",
            f"{place or 'セッション'} は名前付きの項目からなるオブジェクトにしてください（今は {type(value).__name__}）。",
        )
    for name in value:
        if name not in known:
            raise UnknownWord(f"field of {place or 'the session'}", f"{place or 'セッション'} の項目", str(name)[:40], known)
    return value


def _word(name: str, value: Any, place: str = "") -> str:
    if not isinstance(value, str) or value not in _WORDS[name]:
        raise UnknownWord(f"{name}{f' at {place}' if place else ''}", f"{f'{place} の ' if place else ''}{name} ", str(value)[:40], _WORDS[name])
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"{name} should be true or false, but it is {str(value)[:40]}.", f"{name} は true か false にしてください（今は {str(value)[:40]}）。")
    return value


def _number(name: str, value: Any, place: str = "") -> float | int:
    low, high = _RANGES[name]
    at, ja = f"{name}{f' at {place}' if place else ''}", f"{f'{place} の ' if place else ''}{name}"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise Refused(
            f"{at} should be a number from {low:g} to {high:g}, but it is {str(value)[:40]}.",
            f"{ja} は {low:g} ～ {high:g} の数にしてください（今は {str(value)[:40]}）。",
        )
    if name in _WHOLE:
        if value != int(value):
            raise Refused(f"{at} should be a whole number, but it is {value}.", f"{ja} は整数にしてください（今は {value}）。")
        return int(value)
    return float(value)


def _count(blocks: tuple[Block, ...]) -> int:
    return sum(1 + _count(one.blocks) for one in blocks)
