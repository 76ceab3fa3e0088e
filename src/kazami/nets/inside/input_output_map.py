"""From a model and an example to one function of flat rows."""

from typing import Any

import torch
from torch import nn

from ...errors import UsageError
from ...records import Sentence
from .flat_network import InputOutputMap
from .nested_tensors import tensors_in, with_tensors
from .private_copy import Mode, private_copy
from .row_search import find_shapes


def unvaried(model: nn.Module, example: Any, keywords: dict[str, Any] | None = None, *, mode: Mode = "eval") -> InputOutputMap:
    """Return ``model`` with its arguments, to be run as it is: nothing is known of rows, and nothing needs to be varied.

    Args:
        model: Any module; it stays as it is.
        example: One batch: a tensor, or a tuple of positional arguments.
        keywords: Keyword arguments.
        mode: Of the copy.
    """
    positional = example if isinstance(example, tuple) and not getattr(example, "_fields", None) else (example,)
    arguments = _detached((positional, dict(keywords or {})))
    return InputOutputMap(model=private_copy(model, mode=mode), arguments=arguments, dtype=_own_dtype(model, arguments))


def input_output_map(
    model: nn.Module,
    example: Any,
    keywords: dict[str, Any] | None = None,
    *,
    mode: Mode = "eval",
    double: bool = True,
) -> InputOutputMap:
    """Return ``model`` as a flat function around ``example``.

    Args:
        model: Any module; it stays as it is.
        example: One batch: a tensor, or a tuple of positional arguments.
        keywords: Keyword arguments.
        mode: Evaluate the copy in evaluation or training mode, or as the model is.
        double: Try float64 first.

    Raises:
        UsageError: The model does not run on the example, or has no floating input and no embedding, or no floating output.
    """
    positional = example if isinstance(example, tuple) and not getattr(example, "_fields", None) else (example,)
    arguments = _detached((positional, dict(keywords or {})))
    own = _own_dtype(model, arguments)
    problem: Exception | None = None
    for dtype in dict.fromkeys([torch.float64, own] if double else [own]):
        made = InputOutputMap(model=private_copy(model, mode=mode, dtype=dtype), arguments=_cast(arguments, dtype), dtype=dtype)
        try:
            find_shapes(made)
        except UsageError:
            raise
        except Exception as error:  # the forward is the user's, and may fail in any way
            problem = problem or error
            continue
        if problem is not None:
            made.notes.append(
                Sentence(
                    f"The model does not run in float64 ({_first_line(problem)}), so all numbers are only as exact as {str(dtype).removeprefix('torch.')}.",
                    f"モデルは float64 では動かない（{_first_line(problem)}）ため、数値の精度は {str(dtype).removeprefix('torch.')} 相当です。",
                )
            )
        if mode == "eval" and model.training and _depends_on_mode(model):
            made.notes.append(
                Sentence(
                    "The model is in training mode and was examined in evaluation mode (running statistics, no dropout).",
                    "モデルは学習モードですが、評価モード（移動平均の統計量、ドロップアウトなし）で調べました。",
                )
            )
        return made
    raise UsageError(f"The model should run on the example, and {type(model).__name__}.forward raised {type(problem).__name__}: {problem}.") from None


def _own_dtype(model: nn.Module, arguments: Any) -> torch.dtype:
    tensors = [*(tensor for _, tensor in tensors_in(arguments)), *model.parameters()]
    return next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), torch.get_default_dtype())


def _detached(arguments: Any) -> Any:
    return with_tensors(arguments, (tensor.detach() for _, tensor in tensors_in(arguments)))


def _cast(arguments: Any, dtype: torch.dtype) -> Any:
    return with_tensors(arguments, (tensor.to(dtype) if tensor.is_floating_point() else tensor for _, tensor in tensors_in(arguments)))


def _depends_on_mode(model: nn.Module) -> bool:
    """Tell whether some module usually does something else in training: one that has a rate, or running statistics."""
    return any(isinstance(m, nn.modules.batchnorm._NormBase | nn.modules.dropout._DropoutNd) or "dropout" in vars(m) for m in model.modules())


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
