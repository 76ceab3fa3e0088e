"""A shortcut around any module; its parameters keep their names."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Self, cast

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..explained.text_blocks import shape_text
from ..inside.nested_tensors import tensors_in, with_tensors
from .branch_shapes import shapes_at_the_ends
from .shortcuts import Ends, Kind, ResidualSum, checked_kind, ends, name_of, projection, refusal


class Residual(nn.Module):
    r"""Any module with a way around it: :math:`y = s(x) + \alpha f(x)`.

    The block's Jacobian is :math:`J_s + \alpha J_f`: with the identity as *s* a gradient always has a way back, whatever *f* does (He et al. 2016). The block
    takes what *f* takes; *x* is its first tensor. Where *f* gives several outputs, the first one gets the shortcut and the others are passed on.

    Parameters, buffers and children of ``module`` are reached under the names they had, in ``named_parameters`` and in ``state_dict``: weights saved without
    the block load into it, and back (with ``strict=False`` where the block has parameters of its own). Those are ``residual_sum.projection.weight`` and
    ``residual_sum.scale``. The module itself stays usable as *f* alone; it is ``residual_branch``.

    Args:
        module: *f*. It is wrapped, not copied.
        shortcut: ``"identity"``; ``"zero_pad"``: strided subsampling and zeros for the channels that *f* adds (option A of He et al. 2016);
            ``"projection"``: a learned linear map, for channels a 1×1 convolution with *f*'s stride.
        scale: α: a number; ``"rezero"``, a learned number that begins with 0, so that the block begins as its shortcut (Bachlechner et al. 2021);
            ``"1/sqrt(L)"``: L such blocks add a variance of 1 to the signal's (Hayou et al. 2021).
        depth: L, the number of blocks, for ``"1/sqrt(L)"``.
        example: An input of *f*, tensor or tuple, where its shapes cannot be told from its layers.

    Raises:
        UsageError: Such a shortcut cannot join the two ends of *f*: now, where the shapes can be known, else at the first call.

    Limits:
        A new child or parameter is to be set through its name (``block.weight = …``), as the containers that hold them are shared with the module.
        α = 0 times an infinite *f(x)* is NaN. In-place changes of *x* inside *f* would change the shortcut as well and are refused when the block is called.

    References:
        He, Zhang, Ren and Sun 2016, arXiv 1512.03385 and 1603.05027; Bachlechner et al. 2021, arXiv 2003.04887; Hayou et al. 2021, arXiv 2010.12859.

    Example:
        >>> f = nn.Linear(3, 3)
        >>> block = Residual(f)
        >>> x = torch.ones(1, 3)
        >>> torch.equal(block(x), x + f(x)), [name for name, _ in block.named_parameters()]
        (True, ['weight', 'bias'])
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        shortcut: Kind | str = "identity",
        scale: float | Literal["rezero", "1/sqrt(L)"] | str = 1.0,
        depth: int | None = None,
        example: Any = None,
    ) -> None:
        super().__init__()
        kind = checked_kind(shortcut)
        if not isinstance(module, nn.Module):
            raise UsageError(f"Residual should be given an nn.Module, and got {type(module).__name__}. Wrap a function in a module of its own.")
        factor = _factor(scale, depth)
        shapes = shapes_at_the_ends(module, example)
        found = None if shapes is None else ends(*shapes, module)
        if found is not None and refusal(kind, found):
            tried = f" (tried with an input of {shape_text(found.before[-found.n_places :])})" if found.n_places and example is None else ""
            raise UsageError(f"Residual around {name_of(module)}: {refusal(kind, found)}{tried}.")
        like = next((parameter for parameter in module.parameters() if not torch.nn.parameter.is_lazy(parameter)), None)
        learned = _projection(module, found, like) if kind == "projection" else None
        self._take_over(module, ResidualSum(kind, factor, is_learned=scale == "rezero", found=found, projection=learned, like=like))

    def _take_over(self, module: nn.Module, residual_sum: ResidualSum) -> None:
        """Hold what the module holds, under the same names, and the two parts of the block outside of what is named by the module."""
        for name in ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "_state_dict_hooks", "_state_dict_pre_hooks"):
            self.__dict__[name] = module.__dict__[name]
        taken = {part for name, _ in (*module.named_parameters(), *module.named_buffers(), *module.named_modules()) for part in [name.partition(".")[0]]}
        self.__dict__["_own_names"] = tuple(_free(name, taken) for name in ("residual_branch", "residual_sum"))
        for name, part in zip(self._own_names, (module, residual_sum), strict=True):
            self.__dict__[name] = part
        self.__dict__["_version"] = module._version
        self.training = module.training
        residual_sum.train(module.training)

    @property
    def _branch(self) -> nn.Module:
        return cast("nn.Module", self.__dict__[self._own_names[0]])

    @property
    def _sum(self) -> ResidualSum:
        return cast("ResidualSum", self.__dict__[self._own_names[1]])

    def forward(self, *inputs: Any, **keywords: Any) -> Any:
        """Return *f*'s output with the shortcut added to its first tensor.

        Raises:
            UsageError: The ends cannot be joined, or *f* changes its input in place.
        """
        x = _first_tensor((*inputs, *keywords.values()))
        if isinstance(x, torch.fx.Proxy):  # symbolic tracing knows no shapes
            return self._sum.unchecked(x, self._branch(*inputs, **keywords))
        version = None if torch.compiler.is_compiling() or x.is_inference() else x._version
        output = self._branch(*inputs, **keywords)
        if version is not None and x._version != version:
            raise UsageError(
                f"Residual around {name_of(self._branch)}: the module changes its input in place, and with it what the shortcut carries. "
                "Use inplace=False in its first layer."
            )
        if isinstance(output, Tensor):
            return self._sum(x, output, self._branch)
        if isinstance(output, tuple | list) and output and isinstance(output[0], Tensor):
            return with_tensors(output, iter([self._sum(x, output[0], self._branch), *(value for _, value in tensors_in(output)[1:])]))
        raise UsageError(
            f"Residual around {name_of(self._branch)}: the module should return a tensor, or several of which the first is one, not {type(output).__name__}."
        )

    def __getattr__(self, name: str) -> Any:
        """Return what the block does not have itself from the module it wraps."""
        own = self.__dict__.get("_own_names")
        if own is None:  # while it is being unpickled there is no module yet
            raise AttributeError(name)
        return getattr(self.__dict__[own[0]], name)

    def named_modules(self, memo: set[nn.Module] | None = None, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, nn.Module]]:
        """Yield the block, the parts of the wrapped module under their own names, the sum, and last the module itself as ``residual_branch``.

        With ``remove_duplicate=False`` the module is left out: it holds the very same parameters as the block, and who replaces all names of a parameter
        for a while (``torch.func.functional_call``) must replace each only once.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        branch, start = self._branch, f"{prefix}." if prefix else ""
        is_new = branch not in memo  # it may stand elsewhere in the model too
        yield from ((name, part) for name, part in branch.named_modules(memo, prefix, remove_duplicate) if part is not branch)
        yield from self._sum.named_modules(memo, start + self._own_names[1], remove_duplicate)
        if remove_duplicate and is_new:
            yield start + self._own_names[0], branch

    def apply(self, fn: Callable[[nn.Module], None]) -> Self:
        """Apply ``fn`` to every module once, as ``nn.Module.apply`` does: parts first, then the wrapped module, the sum and the block."""
        self._branch.apply(fn)
        self._sum.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch the block and all its parts to training (or evaluation)."""
        self.training = mode
        self._branch.train(mode)
        self._sum.train(mode)
        return self

    def extra_repr(self) -> str:
        """Return what is wrapped, if it has no parts that are shown, and how the sum is made."""
        own = "" if self._modules else f"{self._branch}, "
        return f"{own}{self._sum.extra_repr()}"

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        self._branch._apply(fn, recurse)  # not our own containers: a recurrent layer also renews its flat weights
        self._sum._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        self._branch._save_to_state_dict(destination, prefix, keep_vars)
        self._sum.state_dict(destination=destination, prefix=f"{prefix}{self._own_names[1]}.", keep_vars=keep_vars)

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Any],
        prefix: str,
        local_metadata: Mapping[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        start = f"{prefix}{self._own_names[1]}."
        of_branch = {key: value for key, value in state_dict.items() if not key.startswith(start)}
        self._branch._load_from_state_dict(of_branch, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        of_sum = {key: value for key, value in state_dict.items() if key.startswith(start)}
        for name, part in self._sum.named_modules():
            place = f"{start}{name}." if name else start
            part._load_from_state_dict(of_sum, place, dict(local_metadata), strict, missing_keys, unexpected_keys, error_msgs)


def _factor(scale: float | str, depth: int | None) -> float:
    if scale == "rezero":
        return 0.0
    if scale == "1/sqrt(L)":
        if depth is None or depth < 1:
            raise UsageError(f'scale="1/sqrt(L)" needs depth=L, the number of residual blocks, and depth is {depth}.')
        return 1 / math.sqrt(depth)
    try:
        factor = math.nan if isinstance(scale, str) else float(scale)
    except (TypeError, ValueError):
        factor = math.nan
    if not math.isfinite(factor):
        raise UsageError(f'scale should be a number, "rezero" or "1/sqrt(L)", and is {scale!r}.')
    return factor


def _projection(module: nn.Module, found: Ends | None, like: Tensor | None) -> nn.Module:
    if found is None:
        raise UsageError(
            f"Residual around {name_of(module)}: a projection's weights must be made now, before an optimizer is, and the shapes at the module's ends "
            "cannot be told from its layers. Pass example=, an input of the module."
        )
    return projection(found, like)


def _first_tensor(values: tuple[Any, ...]) -> Any:
    found = next((value for value in values if isinstance(value, Tensor | torch.fx.Proxy)), None)
    if found is None:
        nested = tensors_in(values)
        if not nested:
            raise UsageError("A Residual block should be called with a tensor, and got none.")
        return nested[0][1]
    return found


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with a number behind it where the wrapped module uses it already."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free
