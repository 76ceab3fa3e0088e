"""What must be true of every map, as named functions."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from kazami.curvature import optimizer_threshold
from kazami.maps import AbstractMap, Training, TrainingMap

MakeOptimizer = Callable[[nn.Module], torch.optim.Optimizer]


def classification(optimizer: MakeOptimizer, **changes) -> Training:
    """Return a small training in float64 with two parameters per layer."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(30, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(3, (30,), generator=generator)

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()

    return Training(model=model, optimizer=optimizer, loss=nn.functional.cross_entropy, batches=lambda: [(inputs, labels)], steps=50).replaced(**changes)


def quadratic(curvatures: list[float], optimizer: MakeOptimizer, start: float = 1.0) -> Training:
    """Return the training of one weight per curvature on the loss that is half the sum of curvature times weight squared."""
    diagonal = torch.tensor(curvatures, dtype=torch.float64)

    def model() -> nn.Module:
        made = nn.Linear(len(curvatures), 1, bias=False).double()
        nn.init.constant_(made.weight, start)
        return made

    def loss(output: Tensor, target: Tensor) -> Tensor:
        del target
        return 0.5 * (output**2).sum()

    return Training(model=model, optimizer=optimizer, loss=loss, batches=lambda: [(torch.diag(diagonal.sqrt()), None)], steps=50)


def parameters_after(training: Training, steps: int) -> Tensor:
    """Return the parameters after torch's own training, flat."""
    return torch.cat([parameter.detach().reshape(-1) for parameter in training.run(steps=steps).model.parameters()])


def assert_equals_torch(training: Training, tolerance: float = 1e-12) -> None:
    """The map's orbit is torch's training, for 50 steps."""
    m = TrainingMap(training)
    m.step(50)
    assert float((parameters_after(training, 50) - m.current_state()[: m.n_parameters]).abs().max()) < tolerance


def assert_tangents_are_differences(m: AbstractMap, tolerance: float = 1e-6) -> None:
    """The derivative along three directions is the central difference of the step; state entries that must stay positive are moved in proportion."""
    state, time = m.current_state(), m.time
    generator = torch.Generator().manual_seed(3)
    directions = torch.randn(m.dimension, 3, generator=generator, dtype=torch.float64) * (0.1 * state.abs()[:, None] + 1e-12)
    _, exact = m.advance_tangents(state, directions, time)

    def slope(step: float) -> Tensor:
        rows = [(m.advance(state + step * vector, time) - m.advance(state - step * vector, time)) / (2 * step) for vector in directions.T]
        return torch.stack(rows, dim=1)

    measured = (4.0 * slope(1e-4) - slope(2e-4)) / 3.0  # Richardson: the error is of the fourth order
    assert float((exact - measured).norm()) < tolerance * float(measured.norm())
    assert float(measured.norm()) > 0.0


def assert_round_trips(m: AbstractMap) -> None:
    """A state taken out and put back leads to the same orbit, bit for bit; reinit goes back to the start."""
    begin = m.current_state()
    m.step(3)
    middle, time = m.current_state(), m.time
    m.step(4)
    end = m.current_state()
    m.set_state(middle, time=time)
    m.step(4)
    assert torch.equal(m.current_state(), end)
    m.reinit()
    assert torch.equal(m.current_state(), begin)
    assert m.time == 0


def assert_stacks(m: AbstractMap) -> None:
    """Members advanced together go where each goes alone."""
    states = torch.stack([m.current_state(), m.current_state() * 1.001])
    alone = torch.stack([m.advance(state, m.time) for state in states])
    torch.testing.assert_close(m.advance_many(states, m.time), alone, rtol=1e-9, atol=1e-9)


def assert_conforms(optimizer: MakeOptimizer, **changes) -> None:
    """Everything that must be true of a supported optimizer's map."""
    tolerance = float(changes.pop("tolerance", 1e-12))
    training = classification(optimizer, **changes)
    assert_equals_torch(training, tolerance)
    m = TrainingMap(training, tangents="exact")
    assert m.is_deterministic()
    assert_round_trips(m)
    m.step(10)
    assert_tangents_are_differences(m)
    assert_stacks(m)


def assert_turns_unstable_at_its_threshold(optimizer: MakeOptimizer, steps: int) -> None:
    """The spectral radius of the step on a quadratic is below 1 just under the threshold that theory gives, and above 1 just over it.

    Only for rules whose preconditioner is 1 (plain gradients): adaptive ones are tested on their frozen scaling elsewhere.
    """
    made = optimizer(nn.Linear(1, 1, bias=False))
    threshold = optimizer_threshold(made)
    assert threshold is not None
    radii = []
    for share in (0.99, 1.01):
        m = TrainingMap(quadratic([share * threshold.value], optimizer), tangents="exact")
        m.step(steps)
        _, matrix = m.advance_tangents(m.current_state(), torch.eye(m.dimension, dtype=torch.float64), m.time)
        radii.append(float(np.abs(np.linalg.eigvals(matrix.numpy())).max()))
    assert radii[0] < 1.0 < radii[1]


def assert_toy_conforms(m: AbstractMap) -> None:
    """Everything that must be true of a toy map."""
    assert m.is_deterministic()
    assert_round_trips(m)
    m.reinit()
    m.step(5)
    assert_tangents_are_differences(m)
    assert_stacks(m)
    for name, value in m.current_parameters().items():
        before = m.advance(m.current_state(), 0)
        m.set_parameter(name, value * 1.1 + 0.01)
        assert not torch.equal(m.advance(m.current_state(), 0), before)
        m.set_parameter(name, value)
        assert torch.equal(m.advance(m.current_state(), 0), before)


def assert_adaptive_threshold(optimizer: MakeOptimizer) -> None:
    """With the second moment held constant, the step's spectral radius passes 1 where theory says.

    The scaling is the one after some steps; in the Jacobian the rows and columns of the second moment are left out, which is what holding it still means.
    """
    radii = []
    for share in (0.97, 1.03):
        m = TrainingMap(quadratic([1.0], optimizer), tangents="exact")
        threshold = optimizer_threshold(optimizer(nn.Linear(1, 1, bias=False)))
        assert threshold is not None
        state, time = m.current_state(), 10_000  # the corrections for the start are over
        square = next(place for block in m.layout.blocks for slot, place in zip(block.slots, block.memory, strict=True) if "sq" in slot)
        root_of_square = 1.0 / (share * threshold.value)  # so that the preconditioned curvature is share times the threshold
        state[0], state[square] = 1e-9, root_of_square**2
        _, matrix = m.advance_tangents(state, torch.eye(m.dimension, dtype=torch.float64), time)
        kept = [place for place in range(m.dimension) if place != square.start]
        radii.append(float(np.abs(np.linalg.eigvals(matrix.numpy()[np.ix_(kept, kept)])).max()))
    assert radii[0] < 1.0 < radii[1]
