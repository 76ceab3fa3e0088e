"""The live autograd graph of a loss, read before the user's own backward runs.

Everything kazami knows of the forward pass comes from here: the operations, the weights they use, and the tensors that autograd saved for them.
No module hook is needed, so functional activations, bare tensors and hand-written losses are seen like any module.
"""

import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

Node = Any  # torch.autograd.graph.Node: its saved tensors are dynamic attributes

MATRIX = frozenset({"Addmm", "Mm", "Bmm", "Baddbmm", "Addbmm", "Convolution", "MkldnnConvolution", "Mv", "Addmv", "Dot", "ConvolutionOverrideable", "Linear"})
RECURRENT = frozenset({"MkldnnRnnLayer", "CudnnRnn", "ThnnFusedLstmCell", "ThnnFusedGruCell", "MiopenRnn"})
NORM = frozenset({"NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm", "NativeLayerNorm", "NativeGroupNorm", "RmsNorm", "FusedRmsNorm", "BatchNormImpl"})
BATCH_NORM = frozenset({"NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm", "BatchNormImpl"})
ADD = frozenset({"Add", "Sub", "Rsub"})
# Operations that move or average numbers and are linear in their one differentiable input.
PASS = frozenset(
    ["View", "UnsafeView", "ReshapeAlias", "T", "Transpose", "Permute", "Expand", "Squeeze", "Unsqueeze", "Slice", "Select", "Index", "Split", "UnsafeSplit", "SplitWithSizes", "Unbind", "Stack", "Cat", "Clone", "ToCopy", "Alias", "Neg", "Mean", "Sum", "AvgPool1D", "AvgPool2D", "AvgPool3D", "AdaptiveAvgPool2D", "MkldnnAdaptiveAvgPool2D", "ConstantPadNd", "AsStrided", "Flip", "Roll", "Repeat", "NativeDropout", "FusedDropout", "Gather", "IndexSelect", "CopySlices", "UpsampleNearest2D", "UpsampleBilinear2D", "Diagonal", "Movedim", "Unfold", "Im2Col", "Col2Im", "ReflectionPad2D", "ReplicationPad2D", "PixelShuffle", "Mv", "UnsafeViewCopy", "Detach", "Copy", "Cumsum", "Tril", "Triu", "Swapaxes"]
)
# Differentiable-function nodes that are activations, with the tensor autograd saves for them.
ACTIVATIONS = {
    "Relu": "relu", "LeakyRelu": "leaky_relu", "Elu": "elu", "Celu": "celu", "Gelu": "gelu", "Silu": "silu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus",
    "Hardtanh": "hardtanh", "Hardsigmoid": "hardsigmoid", "Hardswish": "hardswish", "Mish": "mish", "PreluKernel": "prelu", "LogSigmoid": "log_sigmoid",
    "LogSigmoidForward": "log_sigmoid", "Threshold": "relu", "Softmax": "softmax", "LogSoftmax": "log_softmax", "Clamp": "clamp", "ClampMin": "clamp", "ClampMax": "clamp", "Sin": "sin", "Cos": "cos",
    "Abs": "abs", "Glu": "glu", "Exp": "exp", "Log": "log", "Log1P": "log1p", "Sqrt": "sqrt", "Rsqrt": "rsqrt", "Pow": "pow", "Sign": "sign", "RreluWithNoise": "rrelu", "SoftmaxBackwardData": "softmax",
}  # fmt: skip
LOSSES = {
    "NllLoss": "cross_entropy", "NllLoss2D": "cross_entropy", "NllLossNd": "cross_entropy", "MseLoss": "mse", "BinaryCrossEntropy": "bce",
    "BinaryCrossEntropyWithLogits": "bce_with_logits", "SmoothL1Loss": "smooth_l1", "HuberLoss": "huber", "KlDiv": "kl_div", "CtcLoss": "ctc",
    "SoftMarginLoss": "soft_margin", "MultiMarginLoss": "multi_margin", "CrossEntropyLoss": "cross_entropy",
}  # fmt: skip
_SUFFIX = re.compile(r"Backward\d*$")


def kind(node: Node) -> str:
    """Return the operation's name without autograd's decorations: ``"AddmmBackward0"`` becomes ``"Addmm"``."""
    return _SUFFIX.sub("", node.name().rsplit("::", 1)[-1])


def saved(node: Node, *names: str) -> Tensor | None:
    """Return the first of the tensors ``_saved_<name>`` that autograd still holds, detached; ``None`` where there is none or it was freed or overwritten."""
    for name in names:
        try:
            value = getattr(node, f"_saved_{name}")
        except (AttributeError, RuntimeError):
            continue
        if isinstance(value, Tensor):
            return value.detach()
    return None


def output_shape(node: Node) -> tuple[int, ...] | None:
    """Return the shape of the operation's (first) output, ``None`` where autograd does not keep it."""
    try:
        return tuple(int(n) for n in node._input_metadata[0].shape)
    except (AttributeError, IndexError, RuntimeError, TypeError):
        return None


def children(node: Node) -> list[Node]:
    """Return the nodes this one reads from, without the inputs that need no gradient."""
    return [child for child, _ in node.next_functions if child is not None]


class LiveGraph:
    """The nodes under one or more losses.

    Args:
        roots: The tensors on which backward is about to be called.

    Attributes:
        nodes: All operations in the order in which the forward pass made them; leaves (``AccumulateGrad``) excluded.
        kinds: Operation name of each node.
        consumers: For each node the nodes that read from it.
        leaves: The tensors in which gradients will accumulate, by ``id``.
    """

    def __init__(self, roots: Iterable[Tensor]) -> None:
        self.roots: list[Node] = [root.grad_fn for root in roots if root.grad_fn is not None]
        self.kinds: dict[Node, str] = {}
        self.consumers: dict[Node, list[Node]] = {}
        self.leaves: dict[int, Tensor] = {}
        self.leaf_of: dict[Node, Tensor] = {}
        self._visit()
        self.nodes: list[Node] = sorted((n for n in self.kinds if n not in self.leaf_of), key=lambda n: n._sequence_nr())
        self.names = frozenset(self.kinds.values())

    def _visit(self) -> None:
        stack = list(self.roots)
        for root in stack:
            self.kinds.setdefault(root, kind(root))
        while stack:
            node = stack.pop()
            for child in children(node):
                self.consumers.setdefault(child, []).append(node)
                if child not in self.kinds:
                    self._enter(child)
                    stack.append(child)

    def _enter(self, node: Node) -> None:
        name = kind(node)
        self.kinds[node] = name
        if name == "AccumulateGrad":
            self.leaf_of[node] = node.variable
            self.leaves[id(node.variable)] = node.variable

    def has_custom_functions(self) -> bool:
        """Return whether a user's ``autograd.Function`` (or a compiled graph) is part of the graph."""
        return any(isinstance(node, torch.autograd.function.BackwardCFunction) for node in self.nodes)

    def is_compiled(self) -> bool:
        """Return whether a part of the forward pass was compiled and cannot be looked into."""
        return any(name.startswith("CompiledFunction") for name in self.names)

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
