"""The loss tape: the calls that lead from a model's output to its loss, so that the loss can be evaluated again at other weights.

On the tape are the torch functions called outside of modules, and as one call each the outermost calls of modules. Only what depends on a weight is kept.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, _pop_mode_temporarily

MOST_CALLS = 200_000  # a script that never calls backward must not fill the memory
_MUTES_FIRST_ARGUMENT = {Tensor.__setitem__}


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
    """Stands for a tensor that no weight reaches: a batch, a target, a mask."""

    index: int


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
    """

    calls: list[Call]
    roots: list[Any]
    constants: list[Tensor]

    def run(self, parts: Mapping[str, nn.Module], weights: Mapping[str, Tensor], constants: Sequence[Tensor], given: Mapping[int, Any] | None = None) -> Any:
        """Return the loss at other weights, on other constants.

        Args:
            parts: The modules, by name.
            weights: The bare weights, by name.
            constants: In the place of :attr:`constants`.
            given: Results of calls that are not to be made again.
        """
        made: dict[tuple[int, int], Tensor] = {}
        result: Any = None

        def value(leaf: Any) -> Any:
            if isinstance(leaf, Made):
                return made[leaf.call, leaf.position]
            if isinstance(leaf, Constant):
                return constants[leaf.index]
            return weights[leaf.name] if isinstance(leaf, Weight) else leaf

        for number, call in enumerate(self.calls):
            if given is not None and number in given:
                result = given[number]
            else:
                arguments = replaced(call.arguments, value)
                function = parts[call.function.name] if isinstance(call.function, Part) else call.function
                result = function(*arguments, **replaced(call.keywords, value))
                if call.function in _MUTES_FIRST_ARGUMENT:
                    made[number, -1] = arguments[0]
            made.update({(number, position): tensor for position, tensor in enumerate(leaves(result))})
        return _total([value(root) for root in self.roots]) if self.roots else result

    def has_the_form_of(self, other: "Program") -> bool:
        """Return whether the two programs differ in nothing but the values of their constants."""
        return len(self.constants) == len(other.constants) and _same(self.calls, other.calls) and self.roots == other.roots


def up_to_last_part(program: Program) -> Program | None:
    """Return the program that ends with the last call of a module with weights, and gives what that call gives; ``None`` where there is no such call."""
    last = max((number for number, call in enumerate(program.calls) if isinstance(call.function, Part)), default=None)
    if last is None:
        return None
    needed = sorted(_calls_before([last], lambda number: (program.calls[number].arguments, program.calls[number].keywords)))
    numbers = {old: new for new, old in enumerate(needed)}
    constants: dict[int, int] = {}

    def moved(leaf: Any) -> Any:
        if isinstance(leaf, Made):
            return Made(numbers[leaf.call], leaf.position)
        return Constant(constants.setdefault(leaf.index, len(constants))) if isinstance(leaf, Constant) else leaf

    kept = [program.calls[number] for number in needed]
    calls = [Call(call.function, replaced(call.arguments, moved), replaced(call.keywords, moved)) for call in kept]
    return Program(calls, [], [program.constants[index] for index in constants])


def _calls_before(last: Sequence[int], inputs_of: Callable[[int], Any]) -> set[int]:
    """Return the numbers of the calls that lead to the calls ``last``, these included."""
    needed: set[int] = set()
    waiting = list(last)
    while waiting:
        number = waiting.pop()
        if number not in needed:
            needed.add(number)
            waiting += [leaf.call for leaf in _all_leaves(inputs_of(number)) if isinstance(leaf, Made)]
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
            return Constant(leaf.index + n_constants) if isinstance(leaf, Constant) else leaf

        calls += [Call(call.function, replaced(call.arguments, moved), replaced(call.keywords, moved)) for call in program.calls]
        roots += [moved(root) for root in program.roots]
        constants += program.constants
    return Program(calls, roots, constants)


def _total(roots: list[Tensor]) -> Tensor:
    total = roots[0].sum() if roots[0].dim() else roots[0]
    for root in roots[1:]:
        total = total + root.sum()
    return total


class Recorder(TorchFunctionMode):
    """Records calls while it is active; see :func:`recording`.

    Args:
        module_called: Told of every outermost call of a module with weights, before it is made: (module, arguments, keywords).
    """

    def __init__(self, module_called: Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]) -> None:
        super().__init__()
        self.module_called = module_called
        self.forget()

    def forget(self) -> None:
        """Forget all calls."""
        self._calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        self._places: dict[int, Made] = {}
        self._constants: dict[tuple[int, int], int] = {}
        self._values: list[Tensor] = []
        self._alive: list[Any] = []  # identities stay unique while what bears them lives

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call, and record it if a weight reaches one of its arguments."""
        del types
        keywords = keywords or {}
        if not self._is_wanted(function, arguments, keywords):
            return function(*arguments, **keywords)
        return self._record(function, arguments, keywords, lambda: function(*arguments, **keywords))

    def called(self, module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Make an outermost call of a module; what it calls inside is not recorded."""
        with _pop_mode_temporarily():
            learns = has_learnable_weights(module)
            if learns:
                self.module_called(module, arguments, keywords)
            is_open = torch.is_grad_enabled() and len(self._calls) <= MOST_CALLS
            if is_open and (learns or self._is_wanted(module, arguments, keywords)):
                return self._record(module, arguments, keywords, call)
            return call()

    def _is_wanted(self, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
        if not torch.is_grad_enabled() or len(self._calls) > MOST_CALLS or getattr(function, "__name__", "") in ("backward", "requires_grad_"):
            return False
        return any(tensor.requires_grad or id(tensor) in self._places for tensor in leaves((arguments, keywords)))

    def _record(self, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], call: Callable[[], Any]) -> Any:
        stored = replaced(arguments, self._standing_for), replaced(keywords, self._standing_for)
        result = call()
        made = list(leaves(result))
        if not made and function not in _MUTES_FIRST_ARGUMENT:
            return result
        number = len(self._calls)
        self._calls.append((function, *stored))
        self._alive.append((arguments, keywords, made))
        self._places.update({id(tensor): Made(number, position) for position, tensor in enumerate(made)})
        if function in _MUTES_FIRST_ARGUMENT:
            self._places[id(arguments[0])] = Made(number, -1)
        return result

    def _standing_for(self, leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        if leaf.requires_grad and leaf.is_leaf:
            return leaf  # a weight, whoever initialised it; it gets its name when the program is made
        if id(leaf) in self._places:
            return self._places[id(leaf)]
        key = (id(leaf), leaf._version)
        if key not in self._constants:
            self._constants[key] = len(self._values)
            self._values.append(leaf.detach().clone())  # the script may fill the same memory with its next batch
            self._alive.append(leaf)
        return Constant(self._constants[key])

    def program(self, roots: Sequence[Tensor], name_of: Callable[[Any], str]) -> Program | None:
        """Return what leads to ``roots``, or ``None`` where that is not on the tape.

        Args:
            roots: What backward begins from.
            name_of: Gives the name of a module or a bare weight.
        """
        places = [self._places.get(id(root)) for root in roots]
        if not roots or any(place is None for place in places):
            return None
        needed = sorted(_calls_before([place.call for place in places if place is not None], lambda number: self._calls[number][1:]))
        numbers = {old: new for new, old in enumerate(needed)}
        constants: dict[int, int] = {}

        def final(leaf: Any) -> Any:
            if isinstance(leaf, Made):
                return Made(numbers[leaf.call], leaf.position)
            if isinstance(leaf, Constant):
                return Constant(constants.setdefault(leaf.index, len(constants)))
            return Weight(name_of(leaf)) if isinstance(leaf, Tensor) else leaf

        calls = []
        for old in needed:
            function, arguments, keywords = self._calls[old]
            named = Part(name_of(function)) if isinstance(function, nn.Module) and has_learnable_weights(function) else function
            calls.append(Call(named, replaced(arguments, final), replaced(keywords, final)))
        return Program(calls, [final(place) for place in places], [self._values[index] for index in constants])


@dataclass(slots=True)
class recording:  # noqa: N801  # used as a context: with recording(...)
    """Record the calls of this thread while the context is open; ``recorder`` holds the tape."""

    recorder: Recorder
    _original: Any = field(default=None, init=False)

    def __enter__(self) -> Recorder:
        """Begin to record."""
        original, recorder, depth = nn.Module.__call__, self.recorder, [0]
        self._original = original

        @functools.wraps(original)
        def outermost(module: nn.Module, *arguments: Any, **keywords: Any) -> Any:
            if depth[0] or torch._C._len_torch_function_stack() == 0:
                return original(module, *arguments, **keywords)
            depth[0] += 1
            try:
                return recorder.called(module, arguments, keywords, lambda: original(module, *arguments, **keywords))
            finally:
                depth[0] -= 1

        nn.Module.__call__ = outermost  # type: ignore[method-assign]
        recorder.__enter__()  # type: ignore[no-untyped-call]
        return recorder

    def __exit__(self, *details: Any) -> None:
        """Stop recording."""
        nn.Module.__call__ = self._original  # type: ignore[method-assign]
        self.recorder.__exit__(None, None, None)  # type: ignore[no-untyped-call]


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
    return (leaf for leaf in _all_leaves(tree) if isinstance(leaf, Tensor))


def _all_leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, list | tuple):
        for branch in tree:
            yield from _all_leaves(branch)
    elif isinstance(tree, dict):
        yield from _all_leaves(list(tree.values()))
    elif isinstance(tree, slice):
        yield from _all_leaves((tree.start, tree.stop, tree.step))
    elif _is_record(tree):
        yield from _all_leaves([getattr(tree, part.name) for part in dataclasses.fields(tree)])
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
