"""The loss tape: the calls that lead from a model's output to its loss, so that the loss can be evaluated again at other weights.

On the tape are the torch functions called outside of modules, and as one call each the outermost calls of modules. Only what depends on a weight is kept.
"""

import functools
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode, _pop_mode_temporarily

from ..derivatives.copies import RandomStates
from .program import MUTES_FIRST_ARGUMENT, Call, Constant, Made, Part, Program, Weight, all_leaves, calls_before, has_learnable_weights, leaves, replaced

MOST_CALLS = 200_000  # a script that never calls backward must not fill the memory


class Recorder(TorchFunctionMode):
    """Records calls while it is active; see :func:`recording`.

    Args:
        module_called: Told of every outermost call of a module with weights, before it is made: (module, arguments, keywords).
        module_lent: Told of it instead where the module is called with other weights than its own (``torch.func.functional_call``).
    """

    def __init__(self, module_called: Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None], module_lent: Callable[[nn.Module, Any, Any], None]) -> None:
        super().__init__()
        self.module_called, self.module_lent = module_called, module_lent
        self.forget()

    def forget(self) -> None:
        """Forget all calls."""
        self._calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        self._places: dict[int, Made] = {}
        self._constants: dict[tuple[int, int], int] = {}
        self._values: list[Tensor] = []
        self._alive: list[Any] = []  # identities stay unique while what bears them lives
        self._results: list[tuple[Any, list[Tensor]]] = []  # of each call its first argument and what it made
        self._drawn: dict[int, RandomStates] = {}  # by the number of a call that drew, the generators before it

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
            if lent := {name: weight for name, weight in module.named_parameters() if not isinstance(weight, nn.Parameter)}:
                self.module_lent(module, arguments, keywords)
                given = (module, lent, arguments, keywords)
                is_wanted = self._is_wanted(functional_call, given, {})
                return self._record(functional_call, given, {}, call) if is_wanted else call()
            learns = has_learnable_weights(module)
            if learns:
                self.module_called(module, arguments, keywords)
            is_open = torch.is_grad_enabled() and len(self._calls) <= MOST_CALLS
            if is_open and (learns or self._is_wanted(module, arguments, keywords)):
                return self._record(module, arguments, keywords, call)
            return call()

    def _is_wanted(self, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
        if torch._C._functorch.peek_interpreter_stack() is not None:
            return False
        if not torch.is_grad_enabled() or len(self._calls) > MOST_CALLS or getattr(function, "__name__", "") in ("backward", "requires_grad_"):
            return False
        return any(tensor.requires_grad or id(tensor) in self._places for tensor in leaves((arguments, keywords)))

    def _record(self, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], call: Callable[[], Any]) -> Any:
        stored = replaced(arguments, self._standing_for), replaced(keywords, self._standing_for)
        states = RandomStates()
        result = call()
        made = list(leaves(result))
        has_drawn = states.have_moved()
        is_sample = has_drawn and not any(tensor.requires_grad for tensor in made)  # an action, a noise: data, whatever it was drawn from
        if is_sample or (not made and function not in MUTES_FIRST_ARGUMENT):
            return result
        if any(tensor is arguments[0] for tensor in made[:1] if arguments) and isinstance(stored[0][0], Constant):
            stored = (replace(stored[0][0], changes=True), *stored[0][1:]), stored[1]
        number = len(self._calls)
        if has_drawn:
            self._drawn[number] = states
        self._calls.append((function, *stored))
        self._alive.append((arguments, keywords))
        self._results.append((arguments[0] if arguments else None, made))
        self._places.update({id(tensor): Made(number, position) for position, tensor in enumerate(made)})
        if function in MUTES_FIRST_ARGUMENT:
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

    def places(self, roots: Sequence[Tensor]) -> list[Made] | None:
        """Return where on the tape ``roots`` were made, ``None`` where any of them was not."""
        places = [self._places.get(id(root)) for root in roots]
        return [place for place in places if place is not None] if roots and None not in places else None

    def program(self, roots: Sequence[Made], name_of: Callable[[Any], str], trained: Set[int]) -> Program:
        """Return what leads to ``roots``.

        What carries no gradient and depends on no trained weight (the target of a target network, a generator's picture for the discriminator) is a constant.

        Args:
            roots: What backward begins from, as :meth:`places` gave it.
            name_of: Gives the name of a module or a bare weight.
            trained: Identities of the tensors that the optimizer moves.
        """
        is_fixed = self._fixed(trained)

        def is_cut(leaf: Any) -> bool:
            return isinstance(leaf, Made) and is_fixed[leaf.call]

        needed = sorted(calls_before([root.call for root in roots], lambda number: [leaf for leaf in all_leaves(self._calls[number][1:]) if not is_cut(leaf)]))
        numbers = {old: new for new, old in enumerate(needed)}
        constants: dict[Any, int] = {}
        values: list[Tensor] = []

        def constant(key: Any, value: Tensor, *, learns: bool = False) -> Constant:
            if key not in constants:
                constants[key] = len(values)
                values.append(value.detach())
            return Constant(constants[key], learns)

        def final(leaf: Any) -> Any:
            if isinstance(leaf, Made):
                return constant(leaf, self._result(leaf).clone()) if is_cut(leaf) else Made(numbers[leaf.call], leaf.position)
            if isinstance(leaf, Constant):
                return replace(constant(leaf.index, self._values[leaf.index]), changes=leaf.changes)
            if not isinstance(leaf, Tensor):
                return leaf
            is_input = id(leaf) not in trained and not isinstance(leaf, nn.Parameter)
            return constant(id(leaf), leaf.clone(), learns=True) if is_input else Weight(name_of(leaf))

        calls = []
        for old in needed:
            function, arguments, keywords = self._calls[old]
            named = Part(name_of(function)) if isinstance(function, nn.Module) and has_learnable_weights(function) else function
            calls.append(Call(named, replaced(arguments, final), replaced(keywords, final)))
        return Program(calls, [final(root) for root in roots], values, next((self._drawn[number] for number in needed if number in self._drawn), None))

    def _fixed(self, trained: Set[int]) -> list[bool]:
        """Return of each call whether what it made carries no gradient and depends on no trained weight."""
        depends: list[bool] = []
        is_fixed: list[bool] = []
        for (function, *given), (_, made) in zip(self._calls, self._results, strict=True):
            weights = list(function.parameters()) if isinstance(function, nn.Module) else []
            own = [*weights, *(leaf for leaf in all_leaves(given) if isinstance(leaf, Tensor))]
            before = (leaf.call for leaf in all_leaves(given) if isinstance(leaf, Made))
            depends.append(any(id(weight) in trained for weight in own) or any(depends[number] for number in before))
            is_fixed.append(not depends[-1] and not any(tensor.requires_grad for tensor in made) and function not in MUTES_FIRST_ARGUMENT)
        return is_fixed

    def _result(self, place: Made) -> Tensor:
        first, made = self._results[place.call]
        result: Tensor = first if place.position < 0 else made[place.position]
        return result


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
