"""The live autograd graph of a loss, read before the user's own backward runs.

Everything kazami knows of the forward pass comes from here: the operations, the weights they use, and the tensors that autograd saved for them.
No module hook is needed, so functional activations, bare tensors and hand-written losses are seen like any module.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .sharded import is_released, owners_of

Node = Any  # torch.autograd.graph.Node: its saved tensors are dynamic attributes

MATRIX = frozenset({"Addmm", "Mm", "Bmm", "Baddbmm", "Addbmm", "Convolution", "MkldnnConvolution", "Mv", "Addmv", "Dot", "ConvolutionOverrideable", "Linear"})
RECURRENT = frozenset({"MkldnnRnnLayer", "CudnnRnn", "ThnnFusedLstmCell", "ThnnFusedGruCell", "MiopenRnn"})
NORM = frozenset({"NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm", "NativeLayerNorm", "NativeGroupNorm", "RmsNorm", "FusedRmsNorm", "BatchNormImpl"})
BATCH_NORM = frozenset({"NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm", "BatchNormImpl"})
ADD = frozenset({"Add", "Sub", "Rsub"})
# Operations that move or average numbers and are linear in their one differentiable input.
PASS = frozenset(
    [
        "View",
        "UnsafeView",
        "ReshapeAlias",
        "T",
        "Transpose",
        "Permute",
        "Expand",
        "Squeeze",
        "Unsqueeze",
        "Slice",
        "Select",
        "Index",
        "Split",
        "UnsafeSplit",
        "SplitWithSizes",
        "Unbind",
        "Stack",
        "Cat",
        "Clone",
        "ToCopy",
        "Alias",
        "Neg",
        "Mean",
        "Sum",
        "AvgPool1D",
        "AvgPool2D",
        "AvgPool3D",
        "AdaptiveAvgPool2D",
        "MkldnnAdaptiveAvgPool2D",
        "ConstantPadNd",
        "AsStrided",
        "Flip",
        "Roll",
        "Repeat",
        "NativeDropout",
        "FusedDropout",
        "Gather",
        "IndexSelect",
        "CopySlices",
        "UpsampleNearest2D",
        "UpsampleBilinear2D",
        "Diagonal",
        "Movedim",
        "Unfold",
        "Im2Col",
        "Col2Im",
        "ReflectionPad2D",
        "ReplicationPad2D",
        "PixelShuffle",
        "Mv",
        "UnsafeViewCopy",
        "Detach",
        "Copy",
        "Cumsum",
        "Tril",
        "Triu",
        "Swapaxes",
    ]
)
# Differentiable-function nodes that are activations, with the tensor autograd saves for them.
ACTIVATIONS = {
    "Relu": "relu",
    "LeakyRelu": "leaky_relu",
    "Elu": "elu",
    "Celu": "celu",
    "Gelu": "gelu",
    "Silu": "silu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Hardtanh": "hardtanh",
    "Hardsigmoid": "hardsigmoid",
    "Hardswish": "hardswish",
    "Mish": "mish",
    "PreluKernel": "prelu",
    "LogSigmoid": "log_sigmoid",
    "LogSigmoidForward": "log_sigmoid",
    "Threshold": "relu",
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Clamp": "clamp",
    "ClampMin": "clamp",
    "ClampMax": "clamp",
    "Sin": "sin",
    "Cos": "cos",
    "Abs": "abs",
    "Glu": "glu",
    "Exp": "exp",
    "Log": "log",
    "Log1P": "log1p",
    "Sqrt": "sqrt",
    "Rsqrt": "rsqrt",
    "Pow": "pow",
    "Sign": "sign",
    "RreluWithNoise": "rrelu",
    "SoftmaxBackwardData": "softmax",
}
LOSSES = {
    "NllLoss": "cross_entropy",
    "NllLoss2D": "cross_entropy",
    "NllLossNd": "cross_entropy",
    "MseLoss": "mse",
    "BinaryCrossEntropy": "bce",
    "BinaryCrossEntropyWithLogits": "bce_with_logits",
    "SmoothL1Loss": "smooth_l1",
    "HuberLoss": "huber",
    "KlDiv": "kl_div",
    "CtcLoss": "ctc",
    "SoftMarginLoss": "soft_margin",
    "MultiMarginLoss": "multi_margin",
    "CrossEntropyLoss": "cross_entropy",
}
COMPILED = "CompiledFunction"  # so begin the names of the nodes that stand for a compiled piece of the forward pass
_SUFFIX = re.compile(r"Backward\d*$")


def kind(node: Node) -> str:
    """Return the operation's name without autograd's decorations: ``"AddmmBackward0"`` becomes ``"Addmm"``."""
    return _undecorated(node.name())


@functools.cache
def _undecorated(name: str) -> str:
    return _SUFFIX.sub("", name.rsplit("::", 1)[-1])


def saved(node: Node, *names: str) -> Tensor | None:
    """Return the first of the tensors ``_saved_<name>`` that autograd still holds, detached; ``None`` where there is none or it was freed or overwritten."""
    for name in names:
        try:
            value = getattr(node, f"_saved_{name}")
        except (AttributeError, RuntimeError):
            continue
        if isinstance(value, Tensor) and not is_released(value):
            return value.detach()
    return None


def option(node: Node, name: str, default: Any = None) -> Any:
    """Return what autograd remembers of an operation's arguments as ``_saved_<name>``, ``default`` where there is none or its tensors were freed."""
    try:
        return getattr(node, f"_saved_{name}", default)
    except RuntimeError:
        return default


def output_shape(node: Node) -> tuple[int, ...] | None:
    """Return the shape of the operation's (first) output, ``None`` where autograd does not keep it."""
    try:
        return tuple(int(n) for n in node._input_metadata[0].shape)
    except (AttributeError, IndexError, RuntimeError, TypeError):
        return None


def children(node: Node) -> list[Node]:
    """Return the nodes this one reads from, without the inputs that need no gradient."""
    return [child for child, _ in node.next_functions if child is not None]


@dataclass(slots=True, eq=False)
class Skeleton:
    """The shape of a graph without its tensors: most trainings build the same graph at every step, and what depends on the shape alone is then known.

    Attributes:
        n_roots: How many roots it has.
        n_nodes: How many nodes, leaves included.
        visits: For each node in the order of the walk: its place among the nodes, its full name, and the places of its inputs (-1: none).
        kinds: Operation name of each node.
        order: Places of the operations, leaves excluded, in the order of the forward pass.
        leaves: Places of the leaves.
    """

    n_roots: int
    n_nodes: int
    visits: list[tuple[int, str, tuple[int, ...]]]
    kinds: list[str]
    order: list[int]
    leaves: list[int]

    def nodes_of(self, roots: list[Node]) -> list[Node] | None:
        """Return the nodes under ``roots`` if their graph has this shape, else ``None``."""
        found = list(roots)
        if len(found) != self.n_roots:
            return None
        for place, name, edges in self.visits:
            node = found[place]
            below = node.next_functions
            if len(below) != len(edges) or node.name() != name:
                return None
            for (child, _), expected in zip(below, edges, strict=True):
                if expected == len(found) and child is not None:
                    found.append(child)
                elif (child is None) != (expected < 0) or (child is not None and (expected > len(found) or found[expected] is not child)):
                    return None
        return found if len(set(map(id, found))) == self.n_nodes else None


_SKELETONS: list[Skeleton] = []  # the last few shapes met, newest last; they hold no tensor and no node
MOST_SKELETONS = 6


def skeleton_of(roots: list[Node]) -> tuple[Skeleton, list[Node]]:
    """Return the shape of the graph under ``roots``, one object per shape, and its nodes."""
    for skeleton in reversed(_SKELETONS):
        found = skeleton.nodes_of(roots)
        if found is not None:
            return skeleton, found
    skeleton, found = _walked(roots)
    _SKELETONS.append(skeleton)
    del _SKELETONS[:-MOST_SKELETONS]
    return skeleton, found


def _walked(roots: list[Node]) -> tuple[Skeleton, list[Node]]:
    found = list(roots)
    places = {node: place for place, node in enumerate(found)}
    visits: list[tuple[int, str, tuple[int, ...]]] = []
    stack = list(range(len(found)))
    while stack:
        place = stack.pop()
        edges = []
        for child, _ in found[place].next_functions:
            if child is not None and child not in places:
                places[child] = len(found)
                stack.append(len(found))
                found.append(child)
            edges.append(-1 if child is None else places[child])
        visits.append((place, found[place].name(), tuple(edges)))
    kinds = [kind(node) for node in found]
    leaves = [place for place, name in enumerate(kinds) if name == "AccumulateGrad"]
    order = sorted((place for place, name in enumerate(kinds) if name != "AccumulateGrad"), key=lambda place: found[place]._sequence_nr())
    return Skeleton(len(roots), len(found), visits, kinds, order, leaves), found


class LiveGraph:
    """The nodes under one or more losses.

    Args:
        roots: The tensors on which backward is about to be called.

    Attributes:
        roots: Their nodes, each once.
        skeleton: The graph's shape; the same object as long as the shape stays the same.
        found: All nodes in the order of the skeleton.
        nodes: All operations in the order in which the forward pass made them; leaves (``AccumulateGrad``) excluded.
    """

    def __init__(self, roots: Iterable[Tensor]) -> None:
        self.roots: list[Node] = list(dict.fromkeys(root.grad_fn for root in roots if root.grad_fn is not None))
        self.skeleton, self.found = skeleton_of(self.roots)
        self.nodes: list[Node] = [self.found[place] for place in self.skeleton.order]

    @functools.cached_property
    def kinds(self) -> dict[Node, str]:
        """Operation name of each node."""
        return dict(zip(self.found, self.skeleton.kinds, strict=True))

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """All operation names."""
        return frozenset(self.skeleton.kinds)

    @functools.cached_property
    def leaf_of(self) -> dict[Node, Tensor]:
        """The tensor of each leaf."""
        nodes = [self.found[place] for place in self.skeleton.leaves]
        return dict(zip(nodes, owners_of([node.variable for node in nodes]), strict=True))

    @functools.cached_property
    def leaves(self) -> dict[int, Tensor]:
        """The tensors in which gradients will accumulate, by ``id``."""
        return {id(leaf): leaf for leaf in self.leaf_of.values()}

    @functools.cached_property
    def consumers(self) -> dict[Node, list[Node]]:
        """For each node the nodes that read from it."""
        found: dict[Node, list[Node]] = {}
        for place, _, edges in self.skeleton.visits:
            for below in edges:
                if below >= 0:
                    found.setdefault(self.found[below], []).append(self.found[place])
        return found

    def has_custom_functions(self) -> bool:
        """Return whether a user's ``autograd.Function`` (or a compiled graph) is part of the graph."""
        return any(isinstance(node, torch.autograd.function.BackwardCFunction) for node in self.nodes)

    def is_compiled(self) -> bool:
        """Return whether a part of the forward pass was compiled and cannot be looked into."""
        return any(name.startswith(COMPILED) for name in self.names)

    def below(self, node: Node | None, through: frozenset[str] = PASS) -> Node | None:
        """Return the first node under ``node``, itself included, that is not in ``through``; branches end the walk."""
        while node is not None and self.kinds[node] in through:
            below = children(node)
            if len(below) != 1:
                return node
            node = below[0]
        return node

    def leaf_under(self, node: Node | None, depth: int = 8) -> Tensor | None:
        """Return the one parameter that ``node`` is made of by reshaping, casting or re-scaling alone, else ``None``."""
        if node is None or depth == 0:
            return None
        if node in self.leaf_of:
            return self.leaf_of[node]
        name = self.kinds[node]
        if name not in PASS and name not in {"Mul", "Div", "WeightNormInterface", "Add", "Sub"}:
            return None
        found = [self.leaf_under(child, depth - 1) for child in children(node)]
        if not found or any(leaf is None for leaf in found):
            return None
        return max((leaf for leaf in found if leaf is not None), key=lambda leaf: leaf.numel())
