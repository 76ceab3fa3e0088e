"""A session: a network on its way, and what there is to see of it at a moment."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..nets import linear_collapse
from .building import network
from .loop import batches, make_optimizer, take_step
from .parts import Residual, ZeroPad
from .refusals import Refused
from .sights import FIRST, LAST, NEURONS, ActivationSight, Frame, LayerSight
from .specs import LIMITS, Spec
from .tables import Table
from .tasks import TASKS, Task
from .trail import Trail

GRID = 41  # points along each side of the picture
BINS = 24
REACH = 1.15  # of the picture, beyond the data
CALM = -20.0  # the wind of a gradient of exactly zero


class Session:
    """One network on its way.

    Args:
        spec: What is built and trained.
        table: The data of the task ``"table"``.

    Raises:
        UsageError: A shortcut does not fit; the task is a table, and there is none.
    """

    def __init__(self, spec: Spec, table: Table | None = None) -> None:
        if spec.task == "table" and table is None:
            raise Refused("The task is a table of your own, but no table was given.", "課題が自分の表になっていますが、表がまだ選ばれていません。")
        self.spec = spec
        self.task: Task = TASKS[spec.task] if table is None or spec.task != "table" else table.task()
        self.reset()

    def reset(self) -> None:
        """Go back to the first step: the same seed gives the same numbers again."""
        spec = self.spec
        rng = np.random.default_rng(spec.seed)
        self.inputs, self.targets = self._tensors(self.task.make(spec.samples, spec.noise, rng))
        self.held_out = self._tensors(self.task.make(spec.samples, spec.noise, rng))
        self.model = network(spec, self.task)
        self._optimizer = make_optimizer(self.model, spec.optimizer, spec.learning_rate)
        self._batches: Iterator[Tensor] = batches(len(self.inputs), spec.batch_size, spec.seed)
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(spec.seed)
            self._randomness = torch.get_rng_state()
        self.step = 0
        self.trail = Trail(self.model)
        self._new: list[float] = []
        self.is_finite = True

    @property
    def is_over(self) -> bool:
        """Whether it cannot go on."""
        return not self.is_finite or self.step >= LIMITS.steps

    def train(self, steps: int) -> None:
        """Take ``steps`` steps, fewer where the session is over."""
        self.model.train()
        with torch.random.fork_rng(devices=()):
            torch.set_rng_state(self._randomness)
            for _ in range(steps):
                if self.is_over:
                    break
                chosen = next(self._batches)
                self._new.append(float(take_step(self.model, self._optimizer, self.inputs[chosen], self.targets[chosen], self.spec.clip)))
                self.step += 1
                self.trail.note(self.model, self.step)
                self.is_finite = math.isfinite(self._new[-1])
            self._randomness = torch.get_rng_state()

    def frame(self) -> Frame:
        """Return what there is to see; the training does not notice."""
        losses, self._new = self._new, []
        self.model.eval()
        with torch.no_grad():
            held_out, activations = self._held_out()
        return Frame(
            step=self.step,
            losses=tuple(_finite(loss) for loss in losses),
            held_out_loss=held_out[0],
            accuracy=held_out[1],
            guess=self.guess,
            layers=tuple(self._layers()),
            activations=tuple(activations),
            picture=self._picture(),
            matrix=self._matrix(),
            is_over=self.is_over,
        )

    @property
    def guess(self) -> float:
        """Loss of the best constant answer on the training examples."""
        if self.task.kind == "numbers":
            return float(self.targets.var(unbiased=False))
        shares = torch.bincount(self.targets).double() / len(self.targets)
        return float(-(shares[shares > 0] * shares[shares > 0].log()).sum())

    def _tensors(self, pair: Any) -> tuple[Tensor, Tensor]:
        targets = torch.tensor(pair[1])
        return torch.tensor(pair[0]), targets if self.task.kind == "classes" else targets.double()

    def _layers(self) -> Iterator[LayerSight]:
        layers = [(name, layer) for name, layer in self.model.named_modules() if isinstance(layer, nn.Linear)]
        trunk = [name for name, _ in layers if name.rpartition(".")[2] != "shortcut"]
        drawn = {*trunk[:FIRST], *trunk[-LAST:]}
        for name, layer in layers:
            weight = layer.weight
            norm = float(torch.linalg.vector_norm(weight.detach()))
            gradient = math.nan if weight.grad is None else float(torch.linalg.vector_norm(weight.grad))
            elasticity = gradient * norm / max(self.guess, 1e-12)
            wind = None if not math.isfinite(elasticity) else max(math.log10(elasticity), CALM) if elasticity > 0 else CALM
            strokes = _strokes(weight) if name in drawn else ()
            yield LayerSight(name, wind, _finite(gradient), _finite(norm), layer.in_features, layer.out_features, strokes)

    def _held_out(self) -> tuple[tuple[float | None, float | None], list[ActivationSight]]:
        seen: list[ActivationSight] = []
        watched = [(name, part) for name, part in self.model.named_modules() if not list(part.children()) and not list(part.parameters())]
        hooks = [part.register_forward_hook(_watching(name, seen)) for name, part in watched if not isinstance(part, nn.Dropout)]
        try:
            inputs, targets = self.held_out
            output = self.model(inputs)
        finally:
            for hook in hooks:
                hook.remove()
        if self.task.kind == "numbers":
            return (_finite(float(nn.functional.mse_loss(output, targets))), None), seen
        right = float((output.argmax(dim=1) == targets).double().mean())
        return (_finite(float(nn.functional.cross_entropy(output, targets))), right if bool(torch.isfinite(output).all()) else None), seen

    def _picture(self) -> tuple[tuple[float | None, ...], ...]:
        if self.task.n_inputs > 2:
            return ()
        line = torch.linspace(-REACH, REACH, GRID if self.task.n_inputs == 2 else 4 * GRID, dtype=torch.float64)
        with torch.no_grad():
            if self.task.n_inputs == 1:
                output = self.model(line[:, None])
                return tuple(tuple(_finite(value) for value in column) for column in output.T.tolist())
            y, x = torch.meshgrid(line, line, indexing="ij")
            output = self.model(torch.stack([x.reshape(-1), y.reshape(-1)], dim=1))
        value = output.softmax(dim=1)[:, 1] if self.task.kind == "classes" else output[:, 0]
        return tuple(tuple(_finite(one) for one in row) for row in value.reshape(GRID, GRID).tolist())

    def _matrix(self) -> tuple[tuple[float, ...], ...] | None:
        if not self.is_finite or not all(_is_straight(part) for part in self.model.modules()):
            return None
        found = linear_collapse(self.model, self.inputs[:4])
        if found is None:
            return None
        matrix, bias = found
        return tuple((*row, float(last)) for row, last in zip(matrix.T.tolist(), bias.tolist(), strict=True))


def _is_straight(part: nn.Module) -> bool:
    """Return whether a part is linear by itself, so that a network that is merely flat is not called linear."""
    return isinstance(part, nn.Sequential | Residual | nn.Linear | nn.Identity | nn.BatchNorm1d | nn.Dropout | ZeroPad)


def _watching(name: str, seen: list[ActivationSight]) -> Any:
    def look(module: nn.Module, inputs: Any, output: Tensor) -> None:
        del module, inputs
        finite = output[torch.isfinite(output)]
        if not finite.numel():
            return
        low, high = float(finite.min()), float(finite.max())
        counts = torch.histc(finite, bins=BINS, min=low, max=high if high > low else low + 1.0)
        dead = float((output.max(dim=0).values == output.min(dim=0).values).double().mean())
        seen.append(ActivationSight(name, low, high, tuple(int(count) for count in counts), dead))

    return look


def _strokes(weight: Tensor) -> tuple[tuple[float | None, ...], ...]:
    return tuple(tuple(_finite(float(f"{value:.3g}")) for value in row) for row in weight.detach()[:NEURONS, :NEURONS].tolist())


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
