"""Ways to train the same ensemble: kazami's engines, the plain loop, torch.vmap, torch.compile of it, JAX. All begin alike and return the same losses."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from kazami.engines import Job, engine_named
from kazami.lab.bench_trainings import iris_training
from kazami.lab.engine_bench import WINDOW, BenchCase, Carried, job_of

SHAPES = ((10, 4), (10,), (3, 10), (3,))  # of Iris' weights, as PyTorch lays them out


@dataclass(frozen=True)
class Setup:
    """An ensemble before its first step.

    Attributes:
        case: Precision, number of members, with a tangent or not.
        job: The same for kazami's engines.
        start: Weights, shape ``(members, 83)``.
        rates: Learning rates, shape ``(members,)``.
        x, y: Inputs and classes.
        vector: First deviation vector, the same for all members, shape ``(83,)``.
        steps: That one call of a peer takes; whole windows where there is a tangent.
    """

    case: BenchCase
    job: Job
    start: np.ndarray
    rates: np.ndarray
    x: np.ndarray
    y: np.ndarray
    vector: np.ndarray
    steps: int


def setup(members: int, dtype: str, n_tangents: int) -> Setup:
    """Return the ensemble; its first weights are those that the plain loop's modules are made with."""
    case = BenchCase("iris", dtype, n_tangents, members)
    training = iris_training()
    job = job_of(training, case)
    begun: dict[int | None, np.ndarray] = {}
    for member in job.members:
        if member.seed not in begun:
            model = training.training.replaced(seed=member.seed).start().model
            begun[member.seed] = torch.cat([p.detach().reshape(-1) for p in model.parameters()]).numpy().astype(dtype)
    x, y = next(iter(training.training.batches()))
    drawn = np.random.default_rng(0).normal(size=(sum(math.prod(shape) for shape in SHAPES), 1))
    steps = min(200, max(2, 8000 // members))
    return Setup(
        case,
        job,
        np.stack([begun[member.seed] for member in job.members]),
        np.array([member.settings["learning_rate"] for member in job.members], dtype),
        x.numpy().astype(dtype),
        y.numpy(),
        np.linalg.qr(drawn)[0][:, 0].astype(dtype),
        WINDOW * -(-steps // WINDOW) if n_tangents else steps,
    )


def parts(flat, reshaped):
    """Cut the last axis of ``flat`` into the four tensors."""
    found, begin = [], 0
    for shape in SHAPES:
        size = math.prod(shape)
        found.append(reshaped(flat[..., begin : begin + size], (*flat.shape[:-1], *shape)))
        begin += size
    return tuple(found)


class Arm(ABC):
    """One way.

    Attributes:
        name: For figures.
        steps: Taken at a time.
    """

    name: str
    steps: int

    @abstractmethod
    def go(self, times: int = 1) -> tuple[np.ndarray, np.ndarray | None]:
        """Take the setup's steps ``times`` times; return the last losses before each, and with a tangent the logarithms of growth by window, members last."""


class Kazami(Arm):
    """An engine of kazami's."""

    def __init__(self, given: Setup, engine: str, n_tangents: int) -> None:
        """Open it; ``n_tangents`` is what the others of the round carry."""
        self.name, self.steps = engine if given.case.n_tangents == n_tangents else f"{engine} without tangent", given.steps
        self._carried = Carried(engine_named(engine).open(given.job), given.case)

    def go(self, times=1):
        """Advance."""
        losses, logs = self._carried.go(self.steps * times)
        return losses.numpy(), None if logs is None else logs[:, :, 0].numpy()


class Naive(Arm):
    """What people write: a module, an optimizer, a loop; one member after another."""

    name = "naive loop"

    def __init__(self, given: Setup, indices: tuple[int, ...] = (0,), steps: int | None = None) -> None:
        """Make modules and optimizers."""
        self.steps = given.steps if steps is None else steps
        self._x, self._y = torch.tensor(given.x), torch.tensor(given.y)
        self._members = []
        for index in indices:
            model = nn.Sequential(nn.Linear(4, 10), nn.Tanh(), nn.Linear(10, 3)).to(self._x.dtype)
            nn.utils.vector_to_parameters(torch.tensor(given.start[index]), model.parameters())
            self._members.append((model, torch.optim.SGD(model.parameters(), float(given.rates[index]))))

    def go(self, times=1):
        """Train."""
        criterion = nn.CrossEntropyLoss()
        losses = []
        for model, optimizer in self._members:
            own = []
            for _ in range(self.steps * times):
                optimizer.zero_grad()
                loss = criterion(model(self._x), self._y)
                loss.backward()
                optimizer.step()
                own.append(loss.detach())
            losses.append(torch.stack(own))
        return torch.stack(losses, dim=1).numpy(), None


class Vmap(Arm):
    """torch.func: the gradient of one member's loss, vmapped; compiled if asked for."""

    def __init__(self, given: Setup, *, is_compiled: bool = False) -> None:
        """Write the step."""
        self.name, self.steps, self._k = "torch.compile of vmap" if is_compiled else "vmap, eager", given.steps, given.case.n_tangents
        x, y = torch.tensor(given.x), torch.tensor(given.y)
        self._weights = parts(torch.tensor(given.start), torch.reshape)
        rates = torch.tensor(given.rates)

        def loss(weights):
            a, b, c, d = weights
            return nn.functional.cross_entropy(torch.tanh(x @ a.T + b) @ c.T + d, y)

        def descent(weights, rate):
            slopes, value = torch.func.grad_and_value(loss)(weights)
            return tuple(w - rate * slope for w, slope in zip(weights, slopes, strict=True)), value

        def step(weights):
            return torch.vmap(descent)(weights, rates)

        def carry(weights, vectors):
            def one(weights, vector, rate):
                return torch.func.jvp(lambda inner: descent(inner, rate), (weights,), (vector,))

            (new, values), (moved, _) = torch.vmap(one)(weights, vectors, rates)
            return new, moved, values

        self._step = torch.compile(step, dynamic=False) if is_compiled else step
        self._carry = carry
        vector = torch.tensor(given.vector).expand(given.case.members, -1)
        self._vectors = parts(vector, torch.reshape)

    def go(self, times=1):
        """Advance."""
        losses, logs = [], []
        with torch.no_grad():
            for number in range(self.steps * times):
                if self._k:
                    self._weights, self._vectors, values = self._carry(self._weights, self._vectors)
                else:
                    self._weights, values = self._step(self._weights)
                losses.append(values)
                if self._k and number % WINDOW == WINDOW - 1:
                    logs.append(self._shortened())
        return torch.stack(losses).numpy(), torch.stack(logs).numpy() if logs else None

    def _shortened(self):
        """Make the vectors of length one again and return the logarithms of what they were."""
        length = sum(part.flatten(1).square().sum(1) for part in self._vectors).sqrt()
        self._vectors = tuple(part / length.reshape(-1, *([1] * (part.dim() - 1))) for part in self._vectors)
        return length.log()


class Jax(Arm):
    """JAX: one compiled scan over the steps of a vmapped step; with a tangent a scan of scans, the vector made of length one after each window inside."""

    name = "JAX, jit(vmap) in scan"

    def __init__(self, given: Setup) -> None:
        """Write and compile the run."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self._jax, self._k, self.steps = jax, given.case.n_tangents, given.steps
        x, y, rates = jnp.asarray(given.x), jnp.asarray(given.y), jnp.asarray(given.rates)

        def loss(weights):
            a, b, c, d = weights
            logs = jax.nn.log_softmax(jnp.tanh(x @ a.T + b) @ c.T + d)
            return -jnp.mean(jnp.take_along_axis(logs, y[:, None], axis=1))

        def descent(weights, rate):
            value, slopes = jax.value_and_grad(loss)(weights)
            return tuple(w - rate * slope for w, slope in zip(weights, slopes, strict=True)), value

        def carry(weights, vector, rate):
            (new, value), (moved, _) = jax.jvp(lambda inner: descent(inner, rate), (weights,), (vector,))
            return new, moved, value

        def plain(state, _):
            return jax.vmap(descent)(state, rates)

        def window(state, _):
            def one(inner, _):
                new, moved, value = jax.vmap(carry)(*inner, rates)
                return (new, moved), value

            (weights, vectors), values = jax.lax.scan(one, state, None, length=WINDOW)
            length = jnp.sqrt(sum(jnp.sum(part.reshape(part.shape[0], -1) ** 2, axis=1) for part in vectors))
            vectors = tuple(part / length.reshape(-1, *([1] * (part.ndim - 1))) for part in vectors)
            return (weights, vectors), (values, jnp.log(length))

        body, rounds = (window, given.steps // WINDOW) if self._k else (plain, given.steps)
        self._run = jax.jit(lambda state: jax.lax.scan(body, state, None, length=rounds))
        weights = parts(jnp.asarray(given.start), jnp.reshape)
        vectors = parts(jnp.broadcast_to(jnp.asarray(given.vector), given.start.shape), jnp.reshape)
        self._state = (weights, vectors) if self._k else weights

    def go(self, times=1):
        """Advance; what compiles is the first call."""
        for _ in range(times):
            self._state, found = self._jax.block_until_ready(self._run(self._state))
        if not self._k:
            return np.asarray(found), None
        values, logs = found
        return np.asarray(values).reshape(-1, values.shape[-1]), np.asarray(logs)
