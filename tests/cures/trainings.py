"""Small trainings, with modules and with functions called by hand, and the property that every cure keeps when it is carried out on one."""

import copy
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kazami.cures import AbstractCure
from kazami.maps import Training

LAYERS = {"modules": ("0", "2", "4"), "functions": ("a", "b", "c")}
STYLES = tuple(LAYERS)
MODULES = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "identity": nn.Identity}
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "identity": lambda x: x}


class ByHand(nn.Module):
    """Three layers whose activations are functions."""

    def __init__(self, activation: str, outputs: int) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(3, 6), nn.Linear(6, 6), nn.Linear(6, outputs)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Call them."""
        phi = FUNCTIONS[self.activation]
        return self.c(phi(self.b(phi(self.a(x)))))


def network(style: str, activation: str = "sigmoid", outputs: int = 1) -> nn.Module:
    """Return three layers, 3-6-6-outputs, in one of the two styles."""
    if style == "functions":
        return ByHand(activation, outputs)
    phi = MODULES[activation]
    return nn.Sequential(nn.Linear(3, 6), phi(), nn.Linear(6, 6), phi(), nn.Linear(6, outputs))


def rows(n: int = 3, size: int = 8, *, classes: int = 0, offset: float = 0.0, scale: float = 1.0) -> list[tuple[Tensor, Tensor]]:
    """Return ``n`` batches of 3 features with targets of shape ``(size, 1)``, or classes."""
    generator = torch.Generator().manual_seed(1)
    batches = []
    for _ in range(n):
        x = torch.randn(size, 3, generator=generator)
        y = x.sum(1, keepdim=True) * scale + offset
        batches.append((x, torch.randint(classes, (size,), generator=generator) if classes else y))
    return batches


def training(model: Callable[[], nn.Module], loss: Any = F.mse_loss, data: Any = None, **changes: Any) -> Training:
    """Return a training of four steps by momentum over three batches."""
    given = rows() if data is None else data

    def optimizer(made: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(made.parameters(), lr=0.05, momentum=0.5, weight_decay=0.01)

    settings: dict[str, Any] = {"optimizer": optimizer, "steps": 4, "evaluate": _score, "seed": 3}
    return Training(model=model, loss=loss, batches=lambda: given, **{**settings, **changes})


def plain(style: str, activation: str = "sigmoid", **changes: Any) -> Training:
    """Return the training of :func:`network`."""
    return training(lambda: network(style, activation), **changes)


def own_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
    """Take a step of the user's own."""
    optimizer.zero_grad()
    loss = F.mse_loss(model(batch[0]), batch[1])
    loss.backward()
    optimizer.step()
    return loss


def _score(model: nn.Module) -> float:
    model.eval()
    with torch.no_grad():
        output = model(rows(1)[0][0])
    model.train()
    return float(output.sum()) if isinstance(output, Tensor) else 0.0


def first_output(training: Training) -> Tensor:
    """Return what a new model makes of the first batch in evaluation."""
    model = training.start().model.eval()
    with torch.no_grad():
        output: Tensor = model(next(iter(training.batches()))[0])
    return output


def fingerprint(training: Training) -> str:
    """Return everything that one run leaves behind, as text (NaN is as good as any number)."""
    run = training.run()
    return repr((run.losses, run.score, [(name, value.tolist()) for name, value in run.model.state_dict().items()]))


def random_states() -> tuple[Any, ...]:
    """Return the states of the global generators."""
    numbers = np.random.get_state()
    return random.getstate(), numbers[1].tobytes(), numbers[2], torch.get_rng_state().tolist()


def optimizer_steps(training: Training) -> int:
    """Return how many optimizer steps a run takes."""
    count: list[int] = []
    make = training.optimizer

    def counted(model: nn.Module) -> torch.optim.Optimizer:
        optimizer = make(model)
        optimizer.register_step_post_hook(lambda *_: count.append(1))
        return optimizer

    training.replaced(optimizer=counted).run()
    return len(count)


def carried_out(cure: AbstractCure, before: Training, **parameters: Any) -> Training:
    """Return the training with a cure, after making sure of everything that holds for every cure: see the asserts."""
    known = fingerprint(before)
    steps = optimizer_steps(before)
    weights = {name: parameter.shape for name, parameter in before.start().model.named_parameters()}
    state = random_states()
    after = cure.apply(before, parameters)
    assert random_states() == state, "the global random streams stay"
    assert after is not None
    assert fingerprint(before) == known, "the original stays"
    assert (after.steps, after.seed, after.evaluate) == (before.steps, before.seed, before.evaluate)
    assert optimizer_steps(after) == steps, "not one step more"
    assert fingerprint(after) == fingerprint(after) != known, "the same seed gives the same run, and another one than before"
    if cure.keeps_names:
        new = {name: parameter.shape for name, parameter in after.start().model.named_parameters()}
        assert weights.items() <= new.items(), "checkpoints load"
    _assert_copies_work(after)
    assert torch._C._len_torch_function_stack() == 0
    return after


def _assert_copies_work(after: Training) -> None:
    run = after.run()
    inputs = next(iter(after.batches()))[0]
    with torch.no_grad():
        for mode in (True, False):
            run.model.train(mode)
            twin = copy.deepcopy(run.model)
            torch.manual_seed(0)
            expected = run.model(inputs)
            torch.manual_seed(0)
            got = twin(inputs)
            torch.testing.assert_close(got, expected, equal_nan=True)
