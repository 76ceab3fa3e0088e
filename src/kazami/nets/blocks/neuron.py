"""One neuron: its inputs are weighed and added, and it answers or fires."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...errors import UsageError
from .chosen_activation import Given, activation_module, name_of_activation
from .seeded import seeded

Numbers = Tensor | float | Sequence[float]


class Neuron(nn.Module):
    r"""An artificial neuron: :math:`y = \varphi(x \cdot w + b)`.

    With one input it is number · number, with *n* inputs vector · vector; the formula is the same.

    Args:
        n_inputs: How many numbers it takes.
        activation: φ: a name of the catalogue, a function, a module or its class.
        weights: The *n* weights; drawn from N(0, 1/n) by default, so that the vote of unit inputs has variance 1.
        bias: b.
        seed: For the weights; ``None`` draws from torch's generator.

    Raises:
        UsageError: Not one weight for each input.

    References:
        McCulloch and Pitts 1943; Rosenblatt 1958.

    Example:
        >>> neuron = Neuron(3, activation=torch.relu, weights=[1.0, -2.0, 0.5], bias=0.25)
        >>> neuron([1.0, 0.0, 2.0]).item()
        2.25
        >>> Neuron(1, activation=lambda x: x, weights=[2.0], bias=1.0)(3.0).item()
        7.0
    """

    def __init__(self, n_inputs: int, *, activation: Given = "sigmoid", weights: Numbers | None = None, bias: float = 0.0, seed: int | None = None) -> None:
        super().__init__()
        if n_inputs < 1:
            raise UsageError(f"A neuron should have 1 input or more, and is given {n_inputs}.")
        with seeded(seed):
            drawn = torch.randn(n_inputs) / n_inputs**0.5 if weights is None else torch.as_tensor(weights, dtype=torch.get_default_dtype()).reshape(-1)
        if len(drawn) != n_inputs:
            raise UsageError(f"A neuron with {n_inputs} inputs should have {n_inputs} weights, and is given {len(drawn)}.")
        self.weight = nn.Parameter(drawn.clone())
        self.bias = nn.Parameter(torch.tensor(float(bias)))
        self.activation = activation_module(activation)
        self._name = name_of_activation(activation)

    def vote(self, x: Numbers) -> Tensor:
        """Return x·w + b, the weighted vote of the inputs.

        Args:
            x: Shape (…, n_inputs); a number, or any shape, for a neuron with one input.

        Raises:
            UsageError: The last dimension is not the number of inputs.
        """
        given = _inputs(x, self.weight)
        return given @ self.weight + self.bias

    def forward(self, x: Numbers) -> Tensor:
        """Return φ(x·w + b), shape (…)."""
        answer: Tensor = self.activation(self.vote(x))
        return answer

    def extra_repr(self) -> str:
        """Return the formula."""
        return f"{self._name}(x·w + b), {len(self.weight)} inputs"


@dataclass(frozen=True, slots=True)
class Spikes:
    """What a spiking neuron did over time.

    Attributes:
        potential: Membrane potential at each step before it fires, shape (steps,), in units of the input.
        fired: Whether it fired, shape (steps,).
    """

    potential: Tensor
    fired: Tensor

    @property
    def rate(self) -> float:
        """Spikes per step."""
        return float(self.fired.double().mean())


class ThresholdNeuron(nn.Module):
    r"""A neuron that fires or does not: :math:`x \cdot w \ge \theta`.

    Over time it is a leaky integrate-and-fire neuron: :math:`v_t = \lambda v_{t-1} + x_t \cdot w`; when :math:`v_t \ge \theta` it fires and begins again at 0.

    Args:
        weights: One per synapse, or the number of synapses, each of weight 1.
        threshold: θ, in units of the vote.
        leak: λ, the share of the potential that is left after one step, from 0 (no memory) to 1 (nothing leaks).

    Raises:
        UsageError: The leak is no share.

    Limits:
        Whether it fires has no useful derivative, so it learns by its own rules (:mod:`.plasticity`) and not by backprop.

    References:
        McCulloch and Pitts 1943; Lapicque 1907 (integrate and fire).

    Example:
        >>> both = ThresholdNeuron([1.0, 1.0], threshold=2.0)  # fires only if both inputs do: a logical and
        >>> both([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).tolist()
        [False, False, True]
        >>> ThresholdNeuron([1.0], threshold=2.5, leak=1.0).over_time(torch.ones(6, 1)).fired.tolist()
        [False, False, True, False, False, True]
    """

    weight: Tensor
    threshold: Tensor

    def __init__(self, weights: Numbers | int, *, threshold: float = 1.0, leak: float = 0.9) -> None:
        super().__init__()
        if not 0 <= leak <= 1:
            raise UsageError(f"The leak should be the share of the potential that is left after a step, from 0 to 1, and is {leak}.")
        made = torch.ones(weights) if isinstance(weights, int) else torch.as_tensor(weights, dtype=torch.get_default_dtype()).reshape(-1)
        self.register_buffer("weight", made.clone())
        self.register_buffer("threshold", torch.tensor(float(threshold)))
        self.leak = leak

    def vote(self, x: Numbers) -> Tensor:
        """Return the weighted vote x·w, shape (…), of inputs of shape (…, synapses)."""
        return _inputs(x, self.weight) @ self.weight

    def forward(self, x: Numbers) -> Tensor:
        """Return whether the vote reaches the threshold, boolean, shape (…)."""
        return self.vote(x) >= self.threshold

    def over_time(self, x: Numbers) -> Spikes:
        """Let the inputs arrive one step after the other, from rest.

        Args:
            x: Shape (steps, synapses).
        """
        potential, potentials, fired = torch.zeros(()), [], []
        for vote in self.vote(x).reshape(-1):
            potential = self.leak * potential + vote
            potentials.append(potential)
            fired.append(potential >= self.threshold)
            potential = torch.where(fired[-1], torch.zeros(()), potential)
        return Spikes(potential=torch.stack(potentials), fired=torch.stack(fired))


def _inputs(x: Numbers, weight: Tensor) -> Tensor:
    given = torch.as_tensor(x)
    given = given if given.is_floating_point() and isinstance(x, Tensor) else given.to(weight.dtype)
    if len(weight) == 1 and (given.ndim == 0 or given.shape[-1] != 1):
        given = given.unsqueeze(-1)
    if given.ndim == 0 or given.shape[-1] != len(weight):
        raise UsageError(f"A neuron with {len(weight)} inputs should be given {len(weight)} numbers at a time, and was given the shape {list(given.shape)}.")
    return given
