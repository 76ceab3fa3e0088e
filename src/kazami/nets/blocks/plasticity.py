r"""How a synapse learns from what it sees alone: Hebb's rule, and Oja's, which keeps it finite.

Both take a linear neuron's weights *w* and a batch of inputs and return the weights after one step; no loss, no gradient. On centred inputs with
covariance *C* Hebb's rule is :math:`w \mapsto (I + \eta C)w`, a linear map that grows as :math:`(1 + \eta\lambda_1)^t` along the first principal
component; Oja's subtracts :math:`\eta y^2 w`, and its only attractors are plus and minus that component, at length 1.
"""

import torch
from torch import Tensor

from ...errors import UsageError


def hebb(weights: Tensor, pre: Tensor, post: Tensor | None = None, *, rate: float = 0.01) -> Tensor:
    r"""Return the weights after one step of Hebb's rule: :math:`\Delta w_{ij} = \eta\,\langle y_i x_j\rangle`: what fires together wires together.

    Args:
        weights: *w*, shape (n_in,) for one neuron, or (n_out, n_in).
        pre: Activity before the synapses, *x*, shape (n_in,) or (batch, n_in); the mean over the batch is taken.
        post: Activity behind them, *y*, shape (batch, n_out); by default that of linear neurons, :math:`x w^\top`.
        rate: η.

    Returns:
        New weights; those that were given stay as they are.

    Raises:
        UsageError: The shapes do not fit.

    Limits:
        Nothing bounds it: weights grow exponentially along the first principal component of the inputs.

    References:
        Hebb 1949, The Organization of Behavior.

    Example:
        >>> hebb(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0]), rate=0.5)
        tensor([1.5000, 0.5000])
    """
    w, x, y = _prepared(weights, pre, post)
    return (w + rate * y.T @ x / len(x)).reshape(weights.shape)


def oja(weights: Tensor, pre: Tensor, post: Tensor | None = None, *, rate: float = 0.01) -> Tensor:
    r"""Return the weights after one step of Oja's rule: :math:`\Delta w = \eta\,\langle y x - y^2 w\rangle`.

    One neuron finds the first principal component of centred inputs, at length 1. Several find, with
    :math:`\Delta W = \eta\,\langle y x^\top - y y^\top W\rangle`, an orthonormal basis of the space of the first ones, in no
    particular order (Oja's subspace rule).

    Args:
        weights: Shape (n_in,) or (n_out, n_in).
        pre: Shape (n_in,) or (batch, n_in).
        post: Shape (batch, n_out); by default that of linear neurons.
        rate: η; stable well below :math:`1/\lambda_1`.

    Returns:
        New weights.

    Raises:
        UsageError: The shapes do not fit.

    References:
        Oja 1982, J. Math. Biology 15:267; Oja 1989, Int. J. Neural Systems 1:61.

    Example:
        >>> x = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # more variance along the first axis
        >>> w = torch.tensor([0.1, 0.1])
        >>> for _ in range(200):
        ...     w = oja(w, x, rate=0.1)
        >>> bool((w - torch.tensor([1.0, 0.0])).abs().max() < 1e-5)
        True
    """
    w, x, y = _prepared(weights, pre, post)
    return (w + rate * (y.T @ x - y.T @ y @ w) / len(x)).reshape(weights.shape)


def _prepared(weights: Tensor, pre: Tensor, post: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    w = torch.atleast_2d(weights.detach())
    x = torch.atleast_2d(pre.detach())
    if w.shape[1] != x.shape[1]:
        raise UsageError(f"Weights of the shape {list(weights.shape)} take {w.shape[1]} inputs, and the inputs have the shape {list(pre.shape)}.")
    y = x @ w.T if post is None else post.detach().reshape(len(x), -1)
    if y.shape[1] != len(w):
        raise UsageError(f"Weights of the shape {list(weights.shape)} are those of {len(w)} neurons, and the activity behind them is that of {y.shape[1]}.")
    return w, x, y
