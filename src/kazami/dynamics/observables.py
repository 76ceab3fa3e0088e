"""What a bifurcation diagram shows of a state: the loss, a weight, a norm, the sharpness, or a function of the user's own."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import UsageError, unknown_name
from ..maps import AbstractMap, TrainingMap

Observe = str | int | Callable[[Tensor], float]

NAMES = ("loss", "norm", "sharpness")
ITERATIONS = 16  # Lanczos steps for a sharpness
SHIFT = 1e-5  # of the parameters, for products by differences of gradients


class Observable:
    """Reads one number from each state of an ensemble.

    Args:
        m: The map whose states they are.
        observe: ``"loss"``, ``"norm"`` (of the parameters), ``"sharpness"`` (the Hessian's largest eigenvalue on the step's batch), the number of a coordinate,
            a parameter's name with or without a number (``"0.weight[3]"``), or a function of a state.

    Raises:
        UsageError: The map is no training and has no loss; the sharpness of this training cannot be had.
        UnknownName: There is no such parameter.
    """

    def __init__(self, m: AbstractMap, observe: Observe) -> None:
        """Find out what is meant."""
        self._map = m
        self.observe: Observe = _coordinate(m, observe) if isinstance(observe, str) and observe not in NAMES else observe
        self.name = observe if isinstance(observe, str) else f"coordinate {observe}" if isinstance(observe, int) else "observable"
        if isinstance(self.observe, int) and not -m.dimension <= self.observe < m.dimension:
            raise UsageError(f"A coordinate of this map should be below {m.dimension}, but {self.observe} was asked for.")
        if self.observe in ("loss", "sharpness") and not isinstance(m, TrainingMap):
            raise UsageError(f"A map that is no training has no {self.observe}. Observe a coordinate by its number, or a function of the state.")

    @property
    def is_loss(self) -> bool:
        """Whether it is the loss, which a step tells anyway."""
        return self.observe == "loss"

    def of(self, states: Tensor, time: int) -> Tensor:
        """Return the observable of each row of ``states`` before step number ``time``, in float64."""
        m = self._map
        if isinstance(self.observe, int):
            entries: Tensor = states[:, self.observe].double()
            return entries
        if self.observe == "norm":
            count = m.n_parameters if isinstance(m, TrainingMap) else m.dimension
            norms: Tensor = torch.linalg.vector_norm(states[:, :count].double(), dim=1)
            return norms
        if isinstance(m, TrainingMap) and self.observe == "sharpness":
            return stacked_sharpness(m, states, time)
        if isinstance(m, TrainingMap) and self.is_loss:
            return torch.tensor([m.loss(state, time) for state in states], dtype=torch.float64)
        function = self.observe
        if not callable(function):
            raise UsageError(f"An observable should be one of {', '.join(NAMES)}, a number or a function, but is {function!r}.")
        return torch.tensor([float(function(state)) for state in states], dtype=torch.float64)


def stacked_sharpness(m: TrainingMap, states: Tensor, time: int, *, iterations: int = ITERATIONS) -> Tensor:
    r"""Return the largest eigenvalue of the Hessian at every row of ``states``, on the batch of step number ``time``.

    Lanczos in all rows at once, with products :math:`Hv \approx (\nabla L(\theta + hv) - \nabla L(\theta - hv)) / 2h`.

    Limits:
        Good to about three digits, as a diagram shows them; :func:`kazami.sharpness` has an error bound. Only where vmap takes the step.
    """
    if not m.can_stack(states[:1], time):
        raise UsageError("The sharpness of this training cannot be had for many members at once: vmap does not take its step. Observe the loss or the norm.")
    n, count = len(states), m.n_parameters
    rows = torch.where(torch.isfinite(states), states, 0.0)
    size = SHIFT * (1.0 + torch.linalg.vector_norm(rows[:, :count], dim=1, keepdim=True))
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(n, count, generator=generator, dtype=torch.float64).to(states)
    basis = [vector / torch.linalg.vector_norm(vector, dim=1, keepdim=True)]
    projected = torch.zeros(n, min(iterations, count), min(iterations, count), dtype=torch.float64)

    def product(v: Tensor) -> Tensor:
        moved = torch.zeros_like(rows)
        moved[:, :count] = size * v
        turned: Tensor = (m.gradients(rows + moved, time)[0] - m.gradients(rows - moved, time)[0]) / (2.0 * size)
        return turned

    for number in range(projected.shape[1]):
        new = product(basis[number])
        for _ in range(2):
            for place, old in enumerate(basis):
                share = (new * old).sum(1, keepdim=True)
                projected[:, place, number] += share[:, 0].double()
                new = new - share * old
        length = torch.linalg.vector_norm(new, dim=1, keepdim=True)
        basis.append(torch.where(length > 0.0, new / length, 0.0))
    found = torch.linalg.eigvalsh(torch.nan_to_num(projected), UPLO="U")[:, -1]  # only the upper half is filled
    return torch.where(torch.isfinite(states).all(1), found, torch.nan)


def _coordinate(m: AbstractMap, name: str) -> int:
    """Return the number of the coordinate that a parameter's name with an index means."""
    if not isinstance(m, TrainingMap):
        raise unknown_name("observable", name, ("a coordinate by its number",))
    word, bracket, rest = name.partition("[")
    begin = 0
    for known, part in zip(m.layout.names, m.layout.split(m.current_state()), strict=True):
        if known == word:
            return begin + _place(rest, tuple(part.shape), name) if bracket else begin
        begin += part.numel()
    raise unknown_name("observable", word, (*NAMES, *m.layout.names))


def _place(text: str, shape: tuple[int, ...], name: str) -> int:
    try:
        indices = [int(part) for part in text.rstrip("]").split(",")]
    except ValueError:
        indices = []
    if len(indices) == 1:
        size = 1
        for length in shape:
            size *= length
        shape = (size,)
    if len(indices) != len(shape) or any(not 0 <= index < length for index, length in zip(indices, shape, strict=True)):
        raise UsageError(f"{name} should name one entry of a tensor of shape {shape}, as name[0,1] or name[3].")
    place = 0
    for index, length in zip(indices, shape, strict=True):
        place = place * length + index
    return place
