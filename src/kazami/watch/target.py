"""What a command is asked to look at: a user's script, or ``module:function``; both become a model with an example and, where possible, a training."""

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..maps import Training
from ..records import Sentence

FACTORY_ADVICE = (
    "Name a function instead, as module:function, that returns a kazami.Training:\n"
    "    def training():\n"
    "        return kazami.Training(model=make_model, optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),\n"
    "                               loss=torch.nn.functional.mse_loss, batches=make_batches, steps=100)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A model and what it is fed with.

    Attributes:
        name: What the user named.
        model: A fresh copy of the model, as it was before its first training step.
        example: Positional arguments of its ``forward``, one batch; empty where none is known.
        keywords: Keyword arguments of its ``forward``.
        training: The training it belongs to, ``None`` where there is none (``why_no_training`` says why).
        why_no_training: One sentence.
        losses: The script's own first losses, one per optimizer step.
        trajectory: Flat weights along the script's own run, shape ``(recorded steps, parameters)``, in the order of
            ``training.model().parameters()``; ``None`` if not asked for.
        trajectory_steps: The optimizer step of each row, 0 before the first.
        said: What was taken from where.
    """

    name: str
    model: nn.Module
    example: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    training: Training | None = None
    why_no_training: str = ""
    losses: list[float] = field(default_factory=list)
    trajectory: Tensor | None = None
    trajectory_steps: list[int] = field(default_factory=list)
    said: list[Sentence] = field(default_factory=list)

    def needed_example(self) -> tuple[Any, ...]:
        """Return the example.

        Raises:
            UsageError: None is known.
        """
        if not self.example and not self.keywords:
            raise UsageError(
                f"{self.name} gives a model but no example of its input. Give the shape with --input, for example --input 1,3,32,32, "
                "or let the function return (model, example)."
            )
        return self.example

    def needed_training(self) -> Training:
        """Return the training.

        Raises:
            UsageError: There is none; the message says why and what to write instead.
        """
        if self.training is None:
            raise UsageError(f"{self.name} gives no training ({self.why_no_training}). {FACTORY_ADVICE}")
        return self.training


def load_target(
    name: str,
    arguments: Sequence[str] = (),
    *,
    as_module: bool = False,
    input_shape: Sequence[int] | None = None,
    steps: int = 1,
    record_trajectory: bool = False,
) -> Target:
    """Load what ``name`` names.

    Args:
        name: Path of a script; the name of a module with ``as_module``; or ``module:function``, where the function returns an ``nn.Module``,
            ``(model, example)``, ``(model, example, keywords)`` or a ``Training``.
        arguments: The script's own arguments.
        as_module: Run as ``python -m name``.
        input_shape: Shape of a random input, where the model's own is not known.
        steps: For how many optimizer steps a script is run at most; its first batches are kept.
        record_trajectory: Keep the weights along these steps.

    Raises:
        UsageError: Nothing of that name, or nothing in it that can be used.
    """
    if not as_module and ":" in name and not os.path.exists(name):
        return _from_factory(name, input_shape)
    from .harvest import harvest

    target = harvest(name, arguments, as_module=as_module, steps=steps, record_trajectory=record_trajectory)
    return target if target.example or target.keywords or input_shape is None else _with_input(target, input_shape)


def from_object(name: str, made: Any, input_shape: Sequence[int] | None = None) -> Target:
    """Return the target that an ``nn.Module``, ``(model, example)``, ``(model, example, keywords)`` or a ``Training`` is.

    Raises:
        UsageError: It is none of them.
    """
    if isinstance(made, Training):
        return _from_training(name, made)
    if isinstance(made, nn.Module):
        target = Target(name=name, model=made, why_no_training="the function returns a model only")
        return target if input_shape is None else _with_input(target, input_shape)
    if isinstance(made, tuple) and len(made) in (2, 3) and isinstance(made[0], nn.Module):
        model, example, keywords = (*made, {}) if len(made) == 2 else made
        if isinstance(example, dict) and not keywords:
            example, keywords = (), example
        if isinstance(keywords, dict):
            arguments = example if isinstance(example, tuple) else (example,)
            return Target(name=name, model=model, example=arguments, keywords=keywords, why_no_training="the function returns a model and an example")
    raise UsageError(
        f"{name} should return an nn.Module, (model, example), (model, example, keywords) or a kazami.Training, and returned {type(made).__name__}."
    )


def named_object(name: str) -> Any:
    """Return what ``module:function`` names; the module is looked for in the working directory too.

    Raises:
        UsageError: There is no such module, it fails when it is imported, or has nothing of that name.
    """
    module_name, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name.removesuffix(".py").replace(os.sep, "."))
    except ModuleNotFoundError as error:
        where = "it is looked for in the working directory and on the Python path"
        raise UsageError(f"There is no module {error.name!r} (asked for by {name!r}); {where}.") from None
    except Exception as error:  # the module is the user's, and may fail in any way
        raise UsageError(f"Importing {module_name} raised {type(error).__name__}: {error}.") from error
    found = getattr(module, attribute, None)
    if found is None:
        known = sorted(key for key, value in vars(module).items() if callable(value) and not key.startswith("_"))
        raise UsageError(f"The module {module_name} has no {attribute!r}. It has: {', '.join(known[:20]) or 'none'}.")
    return found


def called_factory(name: str, factory: Any) -> Any:
    """Return what a user's factory returns.

    Raises:
        UsageError: It raised.
    """
    try:
        return factory()
    except Exception as error:  # the factory is the user's, and may fail in any way
        raise UsageError(f"{name} was called without arguments, and raised {type(error).__name__}: {error}.") from error


def _from_training(name: str, training: Training) -> Target:
    model = training.start().model
    inputs, _ = next(iter(training.endless_batches()))
    return Target(name=name, model=model, example=(inputs,), training=training)  # a tuple as inputs is one argument


def _from_factory(name: str, input_shape: Sequence[int] | None) -> Target:
    found = named_object(name)
    return from_object(name, found if isinstance(found, nn.Module | Training) else called_factory(name, found), input_shape)


def _with_input(target: Target, shape: Sequence[int]) -> Target:
    import dataclasses

    generator = torch.Generator().manual_seed(0)
    embeds = next((module for module in target.model.modules() if isinstance(module, nn.Embedding | nn.Linear | nn.Conv1d | nn.Conv2d)), None)
    if isinstance(embeds, nn.Embedding):
        example: Tensor = torch.randint(embeds.num_embeddings, tuple(shape), generator=generator)
    else:
        example = torch.randn(*shape, generator=generator)
    return dataclasses.replace(target, example=(example,))
