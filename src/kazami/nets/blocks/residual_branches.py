"""The branches of a residual network, found in any model: where two ways from one place are added, the one with more layers on it."""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..inside.nested_tensors import tensors_in, with_tensors
from ..inside.private_copy import private_copy, undisturbed
from ..starts.listening import positional
from .residual import Residual

# What a weight passes through on its way into an operation without becoming another weight.
_ONLY_SHAPE = (
    "AccumulateGrad",
    "TBackward",
    "TransposeBackward",
    "ViewBackward",
    "ReshapeAlias",
    "PermuteBackward",
    "ExpandBackward",
    "SqueezeBackward",
    "Unsqueeze",
    "ToCopy",
    "SliceBackward",
    "SplitBackward",
)

_BOTH = 3  # reached by way 1 and by way 2

Node = Any  # torch.autograd.graph.Node, whose attributes are not declared


def last_parameters(model: nn.Module, example: Any, keywords: Mapping[str, Any]) -> list[nn.Parameter]:
    """Return the parameters of the last layer with weights on each residual branch: what has to be 0 for each block to begin as its shortcut.

    Args:
        model: Any module.
        example: Positional arguments of ``forward``; ``None`` with no keywords: only :class:`.Residual` and torch's own transformer layers are known.
        keywords: Keyword arguments.

    Returns:
        Each parameter once; none where no branch is found.
    """
    found = _by_example(model, example, keywords) if example is not None or keywords else []
    return list({id(parameter): parameter for parameter in found or _by_class(model)}.values())


def _by_class(model: nn.Module) -> Iterator[nn.Parameter]:
    for module in model.modules():
        last: list[nn.Module] = []
        if isinstance(module, Residual):
            parts = [part for part in module.residual_branch.modules() if not isinstance(part, Residual)]
            last = [part for part in parts if list(part.parameters(recurse=False))][-1:]
        elif isinstance(module, nn.TransformerEncoderLayer):
            last = [module.self_attn.out_proj, module.linear2]
        elif isinstance(module, nn.TransformerDecoderLayer):
            last = [module.self_attn.out_proj, module.multihead_attn.out_proj, module.linear2]
        yield from (parameter for part in last for parameter in part.parameters(recurse=False))


def _by_example(model: nn.Module, example: Any, keywords: Mapping[str, Any]) -> list[nn.Parameter]:
    copied = private_copy(model, mode="as_is").requires_grad_()
    parameters = {id(copy): parameter for copy, parameter in zip(copied.parameters(), model.parameters(), strict=True)}
    given = (positional(example), dict(keywords))
    inputs = [value.detach().clone() for _, value in tensors_in(given)]
    inputs = [value.requires_grad_() if value.is_floating_point() else value for value in inputs]
    arguments, named = with_tensors(given, iter(inputs))
    with undisturbed(copied), torch.enable_grad():
        outputs = [value.grad_fn for _, value in tensors_in(copied(*arguments, **named)) if value.grad_fn is not None]
    graph = _Graph(outputs, {id(value) for value in inputs})
    return [parameters[id(value)] for value in graph.last_weights() if id(value) in parameters]


class _Graph:
    """The operations of one forward pass, as autograd has written them down: from each node to those that its inputs came from."""

    def __init__(self, outputs: list[Node], inputs: set[int]) -> None:
        self.order = _from_inputs_on(outputs)
        self.place = {node: place for place, node in enumerate(self.order)}
        self.carries_data: dict[Node, bool] = {}
        for node in self.order:
            is_source = "Embedding" in node.name() or id(getattr(node, "variable", None)) in inputs
            self.carries_data[node] = is_source or any(self.carries_data[source] for source in _sources(node))

    def last_weights(self) -> Iterator[Tensor]:
        """Yield the weights of the last layers of all branches."""
        for node in self.order:
            ways = [source for source in _sources(node) if self.carries_data[source]]
            if node.name().startswith(("AddBackward", "SubBackward")) and len(ways) == 2:
                yield from self._of_branch(*ways)

    def _of_branch(self, first: Node, second: Node) -> Iterator[Tensor]:
        """Of the two ways that are added, take the one with more layers of its own, if they come from one place."""
        ways = {first: 1, second: 2} if first is not second else {}
        waiting = [(-self.place[node], node) for node in ways]
        own: dict[int, set[Node]] = {1: set(), 2: set()}
        heapq.heapify(waiting)
        while waiting and any(ways[node] != _BOTH for _, node in waiting):
            node = heapq.heappop(waiting)[1]  # the latest: all that comes from it has been seen
            own.get(ways[node], set()).add(node)
            for source in [source for source in _sources(node) if self.carries_data[source]]:
                if source not in ways:
                    heapq.heappush(waiting, (-self.place[source], source))
                ways[source] = ways.get(source, 0) | ways[node]
        n_layers = [sum(bool(self._weights(node)) for node in own[way]) for way in (1, 2)]
        if _BOTH in ways.values() and n_layers[0] != n_layers[1]:
            longer = int(n_layers[1] > n_layers[0])
            yield from self._last_on((first, second)[longer], own[longer + 1])

    def _last_on(self, end: Node, branch: set[Node]) -> Iterator[Tensor]:
        waiting, seen = deque([end]), {end}
        while waiting:
            node = waiting.popleft()
            if node not in branch:
                continue
            weights = self._weights(node)
            yield from weights
            if weights and not (node.name().startswith("Add") and all(weight.ndim < 2 for weight in weights) and "mm" not in node.name()):
                continue  # a bias that is added is not yet the layer
            new = [source for source in _sources(node) if self.carries_data[source] and source not in seen]
            seen.update(new)
            waiting.extend(new)

    def _weights(self, node: Node) -> list[Tensor]:
        """Return the parameters that go into an operation as they are, reshaped at most."""
        found, waiting = [], [source for source in _sources(node) if not self.carries_data[source]]
        while waiting:
            source = waiting.pop()
            if source.name().endswith("AccumulateGrad"):
                found.append(source.variable)
            elif any(kind in source.name() for kind in _ONLY_SHAPE):
                waiting.extend(_sources(source))
        return found


def _sources(node: Node) -> list[Node]:
    return [source for source, _ in node.next_functions if source is not None]


def _from_inputs_on(outputs: list[Node]) -> list[Node]:
    """Return all nodes, each after those that it comes from; without recursion, as networks are deep."""
    order: list[Node] = []
    done: set[Node] = set()
    waiting: list[tuple[Node, bool]] = [(node, False) for node in outputs]
    while waiting:
        node, is_ready = waiting.pop()
        if is_ready:
            order.append(node)
        elif node not in done:
            done.add(node)
            waiting.append((node, True))
            waiting.extend((source, False) for source in _sources(node) if source not in done)
    return order
