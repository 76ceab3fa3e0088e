"""A layer of neurons: φ(XW + b)."""

from torch import Tensor, nn

from ...errors import UsageError
from .chosen_activation import Given, activation_module, inputs_per_output
from .seeded import seeded


class Dense(nn.Module):
    r"""A fully connected layer with its activation: :math:`Y = \varphi(XW + b)`.

    Inside is an ordinary ``nn.Linear``, which stores the transpose :math:`W^\top`, and after it the activation.

    Args:
        n_in: Length of a row of *X*.
        n_out: Number of neurons, the length of a row of *Y*.
        activation: φ: a name of the catalogue, a function, a module or its class. A gated one (GLU) gets twice as many sums as it gives.
        bias: Whether there is a *b*.
        seed: For the weights; ``None`` draws from torch's generator.

    Example:
        >>> import torch
        >>> layer = Dense(3, 4, activation=torch.tanh, seed=0)
        >>> x = torch.ones(2, 3)
        >>> layer.W.shape, bool((layer(x) - torch.tanh(x @ layer.W + layer.b)).abs().max() < 1e-6)
        (torch.Size([3, 4]), True)
    """

    def __init__(self, n_in: int, n_out: int, *, activation: Given = "relu", bias: bool = True, seed: int | None = None) -> None:
        super().__init__()
        if min(n_in, n_out) < 1:
            raise UsageError(f"A layer should have 1 input and 1 neuron or more, and is given {n_in} and {n_out}.")
        made = activation_module(activation)
        with seeded(seed):
            self.linear = nn.Linear(n_in, n_out * inputs_per_output(made), bias=bias)
        self.activation = made

    @property
    def W(self) -> Tensor:  # noqa: N802  # the formula's own letter
        """The weights in row form, shape (n_in, n_out): a view of what ``nn.Linear`` stores."""
        return self.linear.weight.T

    @property
    def b(self) -> Tensor:
        """The bias, shape (n_out,); zeros where there is none."""
        weight = self.linear.weight
        return weight.new_zeros(len(weight)) if self.linear.bias is None else self.linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return φ(XW + b), shape (…, n_out), of X of shape (…, n_in)."""
        y: Tensor = self.activation(self.linear(x))
        return y
