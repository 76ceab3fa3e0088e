"""A look at a training before it is changed: made anew, run for one batch, and thrown away; the caller's random streams stay as they are."""

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ..maps.training import Batch, TrainingRun, untouched_randomness


def fresh(training: Training) -> TrainingRun:
    """Return model and optimizer as they are before the first step."""
    with untouched_randomness():
        return training.start()


def first_batch(training: Training) -> Batch:
    """Return the first batch."""
    with untouched_randomness():
        return next(iter(training.endless_batches()))


def goes(training: Training, look: Callable[[nn.Module], bool] | None = None) -> bool:
    """Return whether the first batch goes through model and loss without an exception, and through ``look`` at the model afterwards.

    A step of the user's own is taken as a whole, on a model that is thrown away.
    """
    try:
        with untouched_randomness():
            state = training.start()
            batch = next(iter(training.endless_batches()))
            if training.train_step is not None:
                training.step(state.model, state.optimizer, batch)
            else:
                training.loss(state.model(batch[0]), batch[1])
            return look is None or look(state.model)
    except Exception:  # whatever a stranger's model does with a change
        return False


def if_it_goes(training: Training) -> Training | None:
    """Return a changed training if its first batch goes through, else ``None``."""
    return training if goes(training) else None


class _Noting(TorchFunctionMode):
    """Notes which functions are called."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[Any] = set()

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Note the call, and make it."""
        del types
        self.seen.add(function)
        return function(*arguments, **(keywords or {}))


def functions_called(training: Training) -> set[Any]:
    """Return the functions that the first step calls in the model's forward and the loss; empty where it fails.

    Limits:
        Calls inside of another function of ``torch.nn.functional`` are not seen. A model that branches on its data may call others on other batches.
    """
    with _Noting() as noting:
        return noting.seen if goes(training) else set()
