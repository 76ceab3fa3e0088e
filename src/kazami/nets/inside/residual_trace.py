"""Residual blocks found in what a network does, not in what its classes are called: additions of a tensor to something made of that tensor."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from .nested_tensors import tensors_in
from .private_copy import hookable

_ATEN = torch.ops.aten
ADDITIONS = {_ATEN.add.Tensor, _ATEN.add_.Tensor, _ATEN.sub.Tensor, _ATEN.sub_.Tensor}
# These give the same numbers again, scaled, dropped or padded: a shortcut that takes them is a shortcut still. Views share their memory and need no name here.
CARRIES = {
    _ATEN.clone.default,
    _ATEN._to_copy.default,
    _ATEN.native_dropout.default,
    _ATEN.constant_pad_nd.default,
    _ATEN.neg.default,
    _ATEN._reshape_copy.default,
}
SCALES = {_ATEN.mul.Tensor, _ATEN.mul_.Tensor, _ATEN.div.Tensor, _ATEN.div_.Tensor, _ATEN.mul.Scalar, _ATEN.div.Scalar}
MAX_NODES = 20_000  # each remembers all before it, in one bit each


@dataclass(slots=True)
class ResidualRatio:
    r"""One residual block :math:`y = x + f(x)` in a forward pass.

    Attributes:
        name: The module in whose ``forward`` the addition happens; ``"forward"`` for the model's own, with a number where one module adds more than once.
        branch: The module that made :math:`f(x)`, empty where no module did.
        ratio: :math:`\lVert f(x) \rVert / \lVert x \rVert` over the whole batch: 0 where the block does nothing.
        cosine: Of the angle between :math:`f(x)` and :math:`x`: negative where the block takes away.
        growth: :math:`\lVert x + f(x) \rVert / \lVert x \rVert`.
        n_operations: Operations between :math:`x` and :math:`f(x)`.
        shape: Of :math:`x`.
    """

    name: str
    branch: str
    ratio: float
    cosine: float
    growth: float
    n_operations: int
    shape: tuple[int, ...]


@dataclass(slots=True)
class _Node:
    """One tensor's memory at one time, or a part of it; ``before`` has a bit for itself and everything it was made of.

    A part (a slice, one of several chunks) knows what it is a part of, ``base``, but has no bit for it: it was not made of the rest.
    """

    index: int
    before: int
    root: int
    reads_weights: bool
    module: str
    of_input: bool
    keeps: Any = None
    base: int = -1
    place: tuple[int, int] = (0, 0)
    parts: dict[tuple[int, int], "_Node"] = field(default_factory=dict)


@dataclass(slots=True)
class _Block:
    """What is known of one block; the tensors are kept because further branches may join."""

    shortcut: Tensor
    branch: Tensor
    root: int
    node: int
    name: str
    made_in: str
    n_operations: int


@dataclass(slots=True)
class Lineage:
    """Who was made of whom in a forward pass."""

    nodes: list[_Node] = field(default_factory=list)
    by_memory: dict[int, _Node] = field(default_factory=dict)
    weights: set[int] = field(default_factory=set)
    blocks: list[_Block] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)

    def of(self, tensor: Tensor) -> _Node | None:
        """Return what is known of the tensor's memory, or of the part of it that the tensor is."""
        whole = self.by_memory.get(_memory(tensor))
        place = _place(tensor)
        if whole is None or place == whole.place or place[1] >= whole.place[1]:
            return whole
        if place not in whole.parts:
            index = len(self.nodes)
            before = (1 << index) | (whole.before & ~(1 << whole.index))
            part = _Node(index, before, index, whole.reads_weights, whole.module, whole.of_input, whole.keeps, whole.index, place)
            self.nodes.append(part)
            whole.parts[place] = part
        return whole.parts[place]

    def descends(self, node: _Node, root: int) -> bool:
        """Tell whether ``node`` was made of the tensor ``root``, or of a part of it, or ``root`` is a part of what it was made of."""
        ancestor = self.nodes[root]
        of_whole = ancestor.base >= 0 and bool(node.before >> ancestor.base & 1)
        return bool(node.before >> root & 1) or of_whole or any(node.before >> part.index & 1 for part in ancestor.parts.values())

    def add(self, tensor: Tensor, sources: list[_Node], *, root: int | None = None, reads_weights: bool = False, of_input: bool = False) -> _Node:
        """Remember a tensor that was made of ``sources``."""
        index = len(self.nodes)
        before = 1 << index
        for source in sources:
            before |= source.before
        of_input = of_input or any(source.of_input for source in sources)
        node = _Node(
            index,
            before,
            index if root is None else root,
            reads_weights,
            self.stack[-1] if self.stack else "",
            of_input,
            tensor.untyped_storage(),
            place=_place(tensor),
        )
        self.nodes.append(node)
        self.by_memory[_memory(tensor)] = node
        return node


class ResidualTape(TorchDispatchMode):
    """Watches the operations of a forward pass and notes every addition of a tensor to something made of it.

    Args:
        lineage: Where it is noted.
    """

    def __init__(self, lineage: Lineage) -> None:
        """Begin with what ``lineage`` knows already."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.lineage = lineage

    def _may_close(self, func: Any) -> bool:
        """Tell whether the operation may close a block: an addition inside a forward pass (a backward pass adds gradients)."""
        return func in ADDITIONS and bool(self.lineage.stack) and len(self.lineage.nodes) < MAX_NODES

    def __torch_dispatch__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and note it."""
        del types
        keywords = kwargs or {}
        found = _addition(self.lineage, func, args, keywords) if self._may_close(func) else None
        output = func(*args, **keywords)
        if len(self.lineage.nodes) >= MAX_NODES:
            return output
        given = [tensor for _, tensor in tensors_in((args, list(keywords.values())))]
        sources = [node for node in map(self.lineage.of, given) if node is not None]
        shared = {_memory(tensor) for tensor in given}
        in_place = getattr(func, "_schema", None) is not None and func._schema.is_mutable  # type: ignore[attr-defined]
        for _, made in tensors_in(output):
            if _memory(made) in shared and not in_place:
                continue  # a view is the tensor itself
            reads = any(_memory(tensor) in self.lineage.weights for tensor in given) or any(not node.of_input and node.reads_weights for node in sources)
            self.lineage.add(made, sources, root=_carried(func, args, sources, self.lineage), reads_weights=reads)
        if found is not None:
            found.node = self.lineage.by_memory[_memory(output)].index
        return output


def _carried(func: Any, args: Any, sources: list[_Node], lineage: Lineage) -> int | None:
    """Return the root of a tensor that only carries another one on."""
    of_input = [node for node in sources if node.of_input]
    if len(of_input) != 1:
        return None
    first = lineage.of(args[0]) if args and isinstance(args[0], Tensor) else None
    if func in CARRIES or func is _ATEN.cat.default or (func in SCALES and first is of_input[0]):
        return of_input[0].root
    return of_input[0].root if func in (_ATEN.mul.Tensor, _ATEN.mul_.Tensor) else None


def _addition(lineage: Lineage, func: Any, args: Any, keywords: dict[str, Any]) -> _Block | None:
    """Note the block that an addition closes, if it does."""
    if len(args) < 2 or not isinstance(args[0], Tensor) or not isinstance(args[1], Tensor) or not args[0].is_floating_point():
        return None
    nodes = lineage.of(args[0]), lineage.of(args[1])
    if nodes[0] is None or nodes[1] is None or not (nodes[0].of_input and nodes[1].of_input):
        return None
    factor = float(keywords.get("alpha", 1)) * (-1.0 if func in (_ATEN.sub.Tensor, _ATEN.sub_.Tensor) else 1.0)
    for shortcut, branch, sign in ((0, 1, factor), (1, 0, 1.0)):
        above, below = nodes[shortcut], nodes[branch]
        if above is None or below is None or args[shortcut].shape != torch.broadcast_shapes(args[0].shape, args[1].shape):
            continue
        value = sign * args[branch].detach()
        joined = next((block for block in lineage.blocks if block.node == above.root), None)
        if above.root != below.root and lineage.descends(below, above.root) and _is_learned(lineage, above.root, below):
            return _note(lineage, _Block(args[shortcut].detach().clone(), value.clone(), above.root, -1, "", below.module, 0), below)
        if joined is not None and lineage.descends(below, joined.root) and joined.root != below.root and _is_learned(lineage, joined.root, below):
            joined.branch = joined.branch + value  # x + f(x) + g(x): two branches beside each other
            return joined
    return None


def _note(lineage: Lineage, block: _Block, below: _Node) -> _Block:
    block.name = lineage.stack[-1] if lineage.stack else ""
    between = below.before & ~lineage.nodes[block.root].before
    block.n_operations = between.bit_count()
    while between and block.made_in == block.name:  # scaled or summed by the adding module itself: who made it before?
        node = lineage.nodes[between.bit_length() - 1]
        block.made_in = node.module
        between &= ~(1 << node.index)
    lineage.blocks.append(block)
    return block


def _is_learned(lineage: Lineage, root: int, below: _Node) -> bool:
    """Tell a branch from arithmetic such as the polynomial in a GELU: it reads weights, or another module made a part of it."""
    here = lineage.stack[-1] if lineage.stack else ""
    between = below.before & ~lineage.nodes[root].before
    while between:
        node = lineage.nodes[between.bit_length() - 1]
        if node.reads_weights or node.module != here:
            return True
        between &= ~(1 << node.index)
    return False


def _place(tensor: Tensor) -> tuple[int, int]:
    return int(tensor.storage_offset()), tensor.numel()


def _memory(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


@contextmanager
def residual_tape(model: nn.Module) -> Iterator[list[ResidualRatio]]:
    """Watch ``model``'s own forward passes inside the ``with`` block; the list holds one entry per residual block and pass when the block is left.

    The model computes what it would compute anyway, so this can stand around a training step. It keeps all intermediate results of the passes inside alive
    until it is left, as a training pass does.

    Args:
        model: Any module; it is not changed. Hooks are added, and taken off again.

    Example:
        >>> class Block(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.f = nn.Linear(4, 4, bias=False)
        ...     def forward(self, x):
        ...         return x + self.f(x)
        >>> block = Block()
        >>> _ = block.f.weight.data.copy_(0.5 * torch.eye(4))
        >>> with residual_tape(block) as ratios:
        ...     _ = block(torch.ones(2, 4))
        >>> ratios[0].name, ratios[0].branch, round(ratios[0].ratio, 6)
        ('forward', 'f', 0.5)
    """
    lineage, ratios = Lineage(), list[ResidualRatio]()
    lineage.weights = {_memory(parameter) for parameter in model.parameters()}
    names = {id(module): name for name, module in model.named_modules()}

    def enter(module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        if not lineage.stack:
            for _, tensor in tensors_in((args, kwargs)):
                lineage.add(tensor, [], of_input=True)
        lineage.stack.append(names[id(module)])

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        del module, args, output
        lineage.stack.pop()

    open_ones = hookable(model).values()
    handles = [h for m in open_ones for h in (m.register_forward_pre_hook(enter, with_kwargs=True), m.register_forward_hook(leave, always_call=True))]
    try:
        with ResidualTape(lineage):
            yield ratios
    finally:
        for handle in handles:
            handle.remove()
        ratios += _measured(lineage)
        lineage.by_memory.clear()
        lineage.nodes.clear()


def _measured(lineage: Lineage) -> list[ResidualRatio]:
    found, met = [], dict[str, int]()
    total = {name: sum(block.name == name for block in lineage.blocks) for name in {block.name for block in lineage.blocks}}
    for block in lineage.blocks:
        met[block.name] = met.get(block.name, 0) + 1
        shown = block.name or "forward"
        x, f = block.shortcut.double(), block.branch.double().expand_as(block.shortcut)
        size, size_f = float(torch.linalg.vector_norm(x)), float(torch.linalg.vector_norm(f))
        tiny = torch.finfo(torch.float64).tiny
        found.append(
            ResidualRatio(
                name=f"{shown} ({met[block.name]})" if total[block.name] > 1 else shown,
                branch=_branch_name(block),
                ratio=size_f / size if size else (0.0 if size_f == 0 else float("inf")),
                cosine=float((x * f).sum()) / max(size * size_f, tiny),
                growth=float(torch.linalg.vector_norm(x + f)) / size if size else (1.0 if size_f == 0 else float("inf")),
                n_operations=block.n_operations,
                shape=tuple(x.shape),
            )
        )
    return found


def _branch_name(block: _Block) -> str:
    """Return the child of the adding module that made the branch."""
    if block.made_in == block.name:
        return ""
    if block.name and not block.made_in.startswith(f"{block.name}."):
        return block.made_in
    inside = block.made_in.removeprefix(f"{block.name}.") if block.name else block.made_in
    return f"{block.name}.{inside.split('.')[0]}".removeprefix(".")
