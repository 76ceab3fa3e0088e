"""The program of a loss: the recorded calls that lead from the weights to it, which can be made again at other weights and on other batches."""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..derivatives.copies import RandomStates

MUTES_FIRST_ARGUMENT = {Tensor.__setitem__}


@dataclass(frozen=True, slots=True)
class Made:
    """Stands for the ``position``-th tensor that the call number ``call`` made; -1 for its first argument, which it changed."""

    call: int
    position: int


@dataclass(frozen=True, slots=True)
class Weight:
    """Stands for a leaf that requires a gradient."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """Stands for a tensor that no weight reaches: a batch, a target, a mask.

    Attributes:
        index: Its place among the constants.
        learns: The script differentiates by it (a gradient penalty).
        changes: The call that takes it changes it in place.
    """

    index: int
    learns: bool = False
    changes: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Stands for a module of the recorded model, in the place of a function."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call; tensors in its arguments are replaced by what stands for them."""

    function: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The calls between the weights and the loss, in their order.

    Attributes:
        calls: What is called.
        roots: The tensors that backward began from; the loss is the sum of their sums. Empty: the result is that of the last call.
        constants: The tensors that no weight reaches.
        drawn: The random generators before the first of the calls that drew a number; ``None`` where none did.
    """

    calls: list[Call]
    roots: list[Any]
    constants: list[Tensor]
    drawn: RandomStates | None = None

    def run(self, parts: Mapping[str, nn.Module], weights: Mapping[str, Tensor], constants: Sequence[Tensor], given: Mapping[int, Any] | None = None) -> Any:
        """Return the loss at other weights, on other constants.

        Args:
            parts: The modules, by name.
            weights: The bare weights, by name.
            constants: In the place of :attr:`constants`.
            given: Results of calls that are not to be made again.
        """
        made: dict[tuple[int, int], Tensor] = {}
        learning: dict[int, Tensor] = {}
        result: Any = None

        def value(leaf: Any) -> Any:
            if isinstance(leaf, Made):
                return made[leaf.call, leaf.position]
            if isinstance(leaf, Constant):
                constant = constants[leaf.index]
                if leaf.learns:
                    return learning.setdefault(leaf.index, constant.detach().requires_grad_())
                return constant.clone() if leaf.changes else constant
            return weights[leaf.name] if isinstance(leaf, Weight) else leaf

        for number, call in enumerate(self.calls):
            if given is not None and number in given:
                result = given[number]
            else:
                arguments = replaced(call.arguments, value)
                function = parts[call.function.name] if isinstance(call.function, Part) else call.function
                result = function(*arguments, **replaced(call.keywords, value))
                if call.function in MUTES_FIRST_ARGUMENT:
                    made[number, -1] = arguments[0]
            made.update({(number, position): tensor for position, tensor in enumerate(leaves(result))})
        return _total([value(root) for root in self.roots]) if self.roots else result

    def __deepcopy__(self, memo: dict[int, Any]) -> "Program":
        """Copy the modules in the program, and nothing else: some functions of torch refuse to be copied, and nobody changes the constants."""

        def copied(leaf: Any) -> Any:
            return copy.deepcopy(leaf, memo) if isinstance(leaf, nn.Module) else leaf

        return self._changed(copied)

    def renamed(self, names: Mapping[str, str]) -> "Program":
        """Return the program with other names for its modules and bare weights."""

        def other(leaf: Any) -> Any:
            return type(leaf)(names[leaf.name]) if isinstance(leaf, Part | Weight) else leaf

        return self._changed(other)

    def _changed(self, change: Callable[[Any], Any]) -> "Program":
        calls = [Call(*(replaced(part, change) for part in (call.function, call.arguments, call.keywords))) for call in self.calls]
        return Program(calls, self.roots, self.constants, self.drawn)

    def names(self) -> set[str]:
        """Return the names of all modules and bare weights in it."""
        found = all_leaves([(call.function, call.arguments, call.keywords) for call in self.calls])
        return {leaf.name for leaf in found if isinstance(leaf, Part | Weight)}

    def has_the_form_of(self, other: "Program") -> bool:
        """Return whether the two programs differ in nothing but the values of their constants."""
        return len(self.constants) == len(other.constants) and _same(self.calls, other.calls) and self.roots == other.roots


def up_to_last_part(program: Program) -> Program | None:
    """Return the program that ends with the last call of a module with weights, and gives what that call gives; ``None`` where there is no such call."""
    last = max((number for number, call in enumerate(program.calls) if isinstance(call.function, Part)), default=None)
    if last is None:
        return None
    needed = sorted(calls_before([last], lambda number: (program.calls[number].arguments, program.calls[number].keywords)))
    numbers = {old: new for new, old in enumerate(needed)}
    constants: dict[int, int] = {}

    def moved(leaf: Any) -> Any:
        if isinstance(leaf, Made):
            return Made(numbers[leaf.call], leaf.position)
        return Constant(constants.setdefault(leaf.index, len(constants)), leaf.learns, leaf.changes) if isinstance(leaf, Constant) else leaf

    kept = [program.calls[number] for number in needed]
    calls = [Call(call.function, replaced(call.arguments, moved), replaced(call.keywords, moved)) for call in kept]
    return Program(calls, [], [program.constants[index] for index in constants])


def calls_before(last: Sequence[int], inputs_of: Callable[[int], Any]) -> set[int]:
    """Return the numbers of the calls that lead to the calls ``last``, these included."""
    needed: set[int] = set()
    waiting = list(last)
    while waiting:
        number = waiting.pop()
        if number not in needed:
            needed.add(number)
            waiting += [leaf.call for leaf in all_leaves(inputs_of(number)) if isinstance(leaf, Made)]
    return needed


def merged(programs: Sequence[Program]) -> Program:
    """Return one program whose loss is the sum of the losses of ``programs``: what an optimizer sees that steps after several backward passes."""
    calls: list[Call] = []
    roots: list[Any] = []
    constants: list[Tensor] = []
    for program in programs:

        def moved(leaf: Any, n_calls: int = len(calls), n_constants: int = len(constants)) -> Any:
            if isinstance(leaf, Made):
                return Made(leaf.call + n_calls, leaf.position)
            return Constant(leaf.index + n_constants, leaf.learns, leaf.changes) if isinstance(leaf, Constant) else leaf

        calls += [Call(call.function, replaced(call.arguments, moved), replaced(call.keywords, moved)) for call in program.calls]
        roots += [moved(root) for root in program.roots]
        constants += program.constants
    return Program(calls, roots, constants, next((program.drawn for program in programs if program.drawn is not None), None))


def _total(roots: list[Tensor]) -> Tensor:
    total = roots[0].sum() if roots[0].dim() else roots[0]
    for root in roots[1:]:
        total = total + root.sum()
    return total


def has_learnable_weights(module: nn.Module) -> bool:
    """Return whether any parameter of the module requires a gradient."""
    return any(weight.requires_grad for weight in module.parameters())


def replaced(tree: Any, value: Callable[[Any], Any]) -> Any:
    """Return ``tree`` with each leaf replaced by ``value(leaf)``; lists, tuples, dicts, slices and dataclasses are branches."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(replaced(branch, value) for branch in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(replaced(branch, value) for branch in tree)
    if isinstance(tree, dict):
        branches = {key: replaced(branch, value) for key, branch in tree.items()}
        return branches if type(tree) is dict else _like(tree, branches)
    if isinstance(tree, slice):
        return slice(*(replaced(branch, value) for branch in (tree.start, tree.stop, tree.step)))
    if _is_record(tree):
        return dataclasses.replace(tree, **{part.name: replaced(getattr(tree, part.name), value) for part in dataclasses.fields(tree) if part.init})
    return value(tree)


def _like(tree: dict[Any, Any], branches: dict[Any, Any]) -> Any:
    try:
        return type(tree)(**branches)
    except TypeError:
        return branches


def leaves(tree: Any) -> Iterator[Tensor]:
    """Yield the tensors in ``tree``, always in the same order."""
    return (leaf for leaf in all_leaves(tree) if isinstance(leaf, Tensor))


def all_leaves(tree: Any) -> Iterator[Any]:
    """Yield all leaves of ``tree``, always in the same order."""
    if isinstance(tree, list | tuple):
        for branch in tree:
            yield from all_leaves(branch)
    elif isinstance(tree, dict):
        yield from all_leaves(list(tree.values()))
    elif isinstance(tree, slice):
        yield from all_leaves((tree.start, tree.stop, tree.step))
    elif _is_record(tree):
        yield from all_leaves([getattr(tree, part.name) for part in dataclasses.fields(tree)])
    else:
        yield tree


def _is_record(thing: Any) -> bool:
    return dataclasses.is_dataclass(thing) and not isinstance(thing, type | Made | Weight | Constant | Part)


def _same(one: Any, other: Any) -> bool:
    """Return whether two trees are equal; what cannot be compared counts as different unless it is the same thing."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Call):
        return _same((one.function, one.arguments, one.keywords), (other.function, other.arguments, other.keywords))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, nn.Module):  # a loss module is often made anew at every step
        settings = ({key: value for key, value in vars(module).items() if not key.startswith("_")} for module in (one, other))
        return one is other or (_same(*settings) and all(map(torch.equal, one.buffers(), other.buffers())))
    try:
        return one is other or bool(one == other)
    except Exception:  # a stranger's comparison may do anything
        return False
