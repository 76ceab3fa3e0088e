"""A loss on the bench: a float64 copy of a model whose loss can be evaluated at moved weights, again and again, always under the same conditions."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError
from .copies import RandomStates, StateKeeper, loss_copy, model_copy, moved_to, seed_all
from .looking import Looking

Direction = Mapping[int, Tensor]  # index into ``LossBench.tensors`` -> what is added per unit of t, shaped like that tensor
Loss = Callable[[Any, Any], Tensor]

DTYPE_CLUES = ("dtype", "scalar type", "found double", "found float", "same type")  # words of torch when float32 and float64 meet


class BackpropFails(Exception):  # an outcome, told to the user as an answer
    """The backward pass itself raised; the message is torch's."""


class LossBench:
    r"""The function :math:`\theta \mapsto C(\theta)` of a model and one batch, in float64, on a copy.

    Random numbers (dropout) are the same at each evaluation, and buffers and other state that a forward pass changes are put back after it, so that
    :math:`C` is a function of :math:`\theta` alone wherever the model allows it. Work inside :func:`.copies.undisturbed` with ``torch.float64``.

    Args:
        model: Stays as it is; a copy is used.
        loss: ``loss(output, target) -> 0-d tensor``. An ``nn.Module`` is copied and converted too.
        batch: ``(inputs, target)``; a tuple as inputs is spread over the arguments of ``forward`` where it has that many, a dict over its keywords.
        keywords: Further keyword arguments of ``forward``.
        seed: Seeds what the forward pass draws.
        with_inputs: Differentiate by the floating inputs too.

    Attributes:
        names: Names of ``tensors``.
        tensors: What can be differentiated by: trainable parameters, then inputs.
        skipped: Name -> why not (frozen, complex, empty, integer).
        base: Values of ``tensors`` where derivatives are taken.
        why_not_double: Why float64 was not possible, else empty; then everything is in the model's own dtype.
        shapes: Name -> shape, of what is skipped too.
        loss: :math:`C` at the model's own weights.
        start: The function's value at ``base``.
        draws_random: Whether the forward pass draws random numbers.
        changes_state: Whether it changes buffers or attributes.
        changed_weights: Names of the weights that it changes in place.
        is_repeatable: Whether two evaluations give the same number, bit for bit.
        looked: Casts to fewer digits and rounding operations in it.
        n_evaluations: Forward passes so far.
        n_backward: Backward passes so far.
        arrived: Indices of ``tensors`` in the order in which the backward pass reached them.

    Raises:
        UsageError: The model cannot be copied or called, or the loss is no 0-d tensor.

    Limits:
        State outside the module (globals, files) cannot be put back.
    """

    def __init__(
        self, model: nn.Module, loss: Loss, batch: Sequence[Any], *, keywords: Mapping[str, Any] | None = None, seed: int = 0, with_inputs: bool = False
    ) -> None:
        if not isinstance(model, nn.Module):
            raise UsageError(f"The model should be an nn.Module, and is {type(model).__name__}.")
        if not isinstance(batch, Sequence) or len(batch) != 2:
            raise UsageError("The batch should be (inputs, target); the inputs may be a tuple.")
        self.seed, self.n_evaluations, self.n_backward, self.why_not_double = seed, 0, 0, ""
        self.arrived: list[int] = []
        self._across: list[Tensor] | None = None
        self._sources = (model, loss, batch, dict(keywords or {}), with_inputs)
        for attempt in (self._as_it_is, self._with_loss_copied):
            try:
                attempt()
                return
            except RuntimeError as error:
                if not any(clue in str(error).lower() for clue in DTYPE_CLUES):
                    raise _cannot_call(error) from error
                self.why_not_double = self.why_not_double or _first_line(error)[:160]
        self._set_up(None)

    def _as_it_is(self) -> None:
        self._set_up(torch.float64)

    def _with_loss_copied(self) -> None:
        """Try once more with the loss's own constants in float64, which nobody else may see."""
        model, loss, *rest = self._sources
        kept, self._sources = self._sources, (model, loss_copy(loss, torch.float64), *rest)
        try:
            self._set_up(torch.float64)
            self.why_not_double = ""
        except RuntimeError:
            self._sources = kept
            raise

    def _set_up(self, dtype: torch.dtype | None) -> None:
        model, loss, batch, keywords, with_inputs = self._sources
        if dtype is None:
            torch.set_default_dtype(_own_dtype(model))
        self.model = model_copy(model, dtype)
        self.dtype = dtype or _own_dtype(model)
        self._loss: Loss = model_copy(loss, dtype) if isinstance(loss, nn.Module) else loss
        self._inputs, self._target, self._keywords = (moved_to(part, dtype) for part in (batch[0], batch[1], keywords))
        self.names: list[str] = []
        self.tensors: list[Tensor] = []
        self.skipped: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        for name, parameter in self.model.named_parameters():
            parameter.grad = None
            self._offer(name, parameter, why="" if parameter.requires_grad else "frozen")
        self.n_parameters = len(self.tensors)
        if with_inputs:
            self._offer_inputs()
        self.base = [tensor.detach().clone() for tensor in self.tensors]
        self._state = StateKeeper(self.model)
        self._get_to_know()
        self.loss = self.start

    def _offer(self, name: str, tensor: Tensor, why: str = "") -> None:
        self.shapes[name] = tuple(tensor.shape)
        if not why and not tensor.is_floating_point():
            why = "complex" if tensor.is_complex() else "integer"
        why = why or ("empty" if tensor.numel() == 0 else "")
        if why:
            self.skipped[name] = why
        else:
            self.names.append(name)
            self.tensors.append(tensor)

    def _offer_inputs(self) -> None:
        named = {"input": self._inputs, **{f"input[{key!r}]": value for key, value in self._keywords.items()}}
        if isinstance(self._inputs, (tuple, list)):
            named = {**{f"input[{index}]": value for index, value in enumerate(self._inputs)}, **named}
        if isinstance(self._inputs, dict):
            named = {**{f"input[{key!r}]": value for key, value in self._inputs.items()}, **named}
        for name, value in named.items():
            if isinstance(value, Tensor):
                self._offer(name, value.requires_grad_(value.is_floating_point()))

    def _get_to_know(self) -> None:
        """Evaluate a few times and find out what must be taken care of: random numbers, state, a graph inside the forward pass."""
        self.draws_random, self.changes_state, self._with_graph = True, True, True
        self.looked = Looking()
        seed_all(self.seed)
        states = RandomStates()
        try:
            with self.looked:
                self.value()
            seed_all(self.seed)
            self.start = float(self._scalar().detach())  # once more without looking: some models choose other kernels under a dispatch mode
        except (RuntimeError, UsageError):
            raise
        except Exception as error:
            raise _cannot_call(error) from error
        self.changed_weights = tuple(name for name, now, was in zip(self.names, self.tensors, self.base, strict=True) if not torch.equal(now, was))
        self.draws_random = states.have_moved()
        self.changes_state = self._state.has_changed()
        self._state.put_back()
        again = self.value()
        self.is_repeatable = again == self.start or self.start != self.start
        self._with_graph = False
        without_graph = float("nan")
        with suppress(Exception):  # a forward pass that differentiates inside itself cannot do without its graph
            without_graph = self.value()
        self._with_graph = without_graph != self.start

    @property
    def sources(self) -> tuple[nn.Module, Loss, Sequence[Any], dict[str, Any], bool]:
        """The model, loss, batch, keywords and ``with_inputs`` that it was made of."""
        return self._sources

    @property
    def batch_size(self) -> int | None:
        """Length of the first dimension of the first tensor among inputs and target."""
        parts = self._inputs if isinstance(self._inputs, (tuple, list)) else [self._inputs]
        return next((len(part) for part in (*parts, self._target) if isinstance(part, Tensor) and part.dim() > 0), None)

    def value(self) -> float:
        """Return :math:`C` at the weights as they stand: one forward pass."""
        if self.draws_random:
            seed_all(self.seed)
        with torch.set_grad_enabled(self._with_graph):
            result = float(self._scalar().detach())
        if self.changes_state:
            self._state.put_back()
        return result

    def value_at(self, direction: Direction, t: float) -> float:
        r"""Return :math:`C(\theta + t\,d)`."""
        try:
            with torch.no_grad():
                for index, part in direction.items():
                    self.tensors[index].copy_(self.base[index]).add_(part, alpha=t)
            return self.value()
        finally:
            with torch.no_grad():
                for index in direction:
                    self.tensors[index].copy_(self.base[index])

    def move_to(self, base: Sequence[Tensor]) -> None:
        """Take derivatives elsewhere from now on: set ``base`` and the tensors to these values."""
        with torch.no_grad():
            for tensor, value, kept in zip(self.tensors, base, self.base, strict=True):
                tensor.copy_(value)
                kept.copy_(value)
        self.start = self.value()

    def settle(self, n: int) -> None:
        """Run ``n`` forward passes and keep the state they leave: power iterations (spectral norm) and running averages come to rest."""
        puts_back, self.changes_state = self.changes_state, False
        try:
            for _ in range(n):
                self.value()
        finally:
            self.changes_state = puts_back
        self._state = StateKeeper(self.model)
        self.start = self.value()

    def gradient_after_another(self, base: Sequence[Tensor]) -> tuple[list[Tensor | None], float, float]:
        """Return backprop's gradient at ``base`` right after one elsewhere, as in a training: whatever the first one left behind stays.

        Moves to ``base``.

        Returns:
            The gradient, the value that came with it, and the value with the state put back; they differ where the loss itself depends on what was before.
        """
        puts_back, self.changes_state = self.changes_state, False
        try:
            self.gradient()
            self.move_to(base)
            found = self.gradient()
            value = self.value()
        finally:
            self.changes_state = puts_back
            self._state.put_back()
        self.start = self.value()
        return found, value, self.start

    def take_second(self, across: Sequence[Tensor] | None) -> None:
        r"""Let the function be :math:`\langle \nabla C(\theta), v \rangle` from now on (its gradient is a Hessian-vector product); ``None``: :math:`C`."""
        self._across = None if across is None else list(across)
        self._with_graph = self._with_graph or across is not None
        try:
            self.start = self.value()
        except RuntimeError as error:
            raise BackpropFails(_first_line(error)) from error

    def gradient(self) -> list[Tensor | None]:
        """Return what backprop says, one entry per tensor, ``None`` where it gives nothing: one forward and one backward pass.

        Raises:
            BackpropFails: The backward pass raised.
        """
        if self.draws_random:
            seed_all(self.seed)
        self.arrived = []
        for tensor in self.tensors:
            tensor.grad = None
        hooks = [tensor.register_hook(lambda gradient, index=index: self.arrived.append(index)) for index, tensor in enumerate(self.tensors)]
        try:
            with torch.enable_grad():
                loss = self._scalar()
                if loss.requires_grad:
                    loss.register_hook(self._count_backward)
                    loss.backward()
        except RuntimeError as error:
            raise BackpropFails(_first_line(error)) from error
        finally:
            for hook in hooks:
                hook.remove()
            if self.changes_state:
                self._state.put_back()
        found = [None if tensor.grad is None else tensor.grad.detach().to_dense().clone() for tensor in self.tensors]
        for tensor in self.tensors:
            tensor.grad = None
        return found

    def _count_backward(self, gradient: Tensor) -> None:
        del gradient
        self.n_backward += 1

    def _scalar(self) -> Tensor:
        self.n_evaluations += 1
        # Clones, because a forward pass may change its input in place.
        inputs, keywords, target = (_clones(part) for part in (self._inputs, self._keywords, self._target))
        loss = self._loss(called(self.model, inputs, keywords), target)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            found = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
            raise UsageError(f"The loss should return a 0-d tensor, and returned {found}.")
        loss = loss.reshape(())
        if self._across is None:
            return loss
        first = torch.autograd.grad(loss, self.tensors, create_graph=True, allow_unused=True)
        return torch.stack([(part * across).sum() for part, across in zip(first, self._across, strict=True) if part is not None] or [loss * 0.0]).sum()


def called(model: nn.Module, inputs: Any, keywords: Mapping[str, Any]) -> Any:
    """Return the model's output: a tuple as inputs is spread over the arguments of ``forward`` where it takes that many, a dict over its keywords."""
    try:
        signature = inspect.signature(model.forward)
    except ValueError:  # compiled to TorchScript: it says nothing of its arguments
        signature = inspect.Signature(
            [inspect.Parameter("inputs", inspect.Parameter.VAR_POSITIONAL), inspect.Parameter("keywords", inspect.Parameter.VAR_KEYWORD)]
        )
    if isinstance(inputs, tuple) and _binds(signature, inputs, keywords):
        return model(*inputs, **keywords)
    if isinstance(inputs, Mapping) and _binds(signature, (), {**inputs, **keywords}):
        return model(**inputs, **keywords)
    return model(inputs, **keywords)


def _binds(signature: inspect.Signature, positional: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    try:
        signature.bind(*positional, **keywords)
    except TypeError:
        return False
    return True


def _clones(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if type(value) is dict:
        return {key: _clones(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_clones(item) for item in value)
    return value


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _own_dtype(model: nn.Module) -> torch.dtype:
    return next((parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()), torch.get_default_dtype())


def _cannot_call(error: Exception) -> UsageError:
    return UsageError(
        f"The forward pass or the loss fails on this batch ({type(error).__name__}: {str(error).strip()[:300]}). The batch should be (inputs, target), "
        "and loss(model(inputs), target) a 0-d tensor."
    )
