"""Small models of every kind with a batch, and their dense Hessian in float64 from differences of gradients and from autograd."""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from kazami import Training


class Recurrent(nn.Module):
    """Embedding, a recurrent layer, a reader."""

    def __init__(self, kind):
        super().__init__()
        self.words, self.memory, self.reader = nn.Embedding(7, 4), getattr(nn, kind)(4, 3, batch_first=True), nn.Linear(3, 2)

    def forward(self, inputs):
        return self.reader(self.memory(self.words(inputs))[0][:, -1])


class Attention(nn.Module):
    """One transformer layer between tied embeddings, with a parameter of size one."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(7, 4)
        self.layer = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True, activation="gelu")
        self.reader = nn.Linear(4, 7, bias=False)
        self.reader.weight = self.words.weight
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, inputs):
        return self.reader(self.layer(self.words(inputs)) * self.scale).flatten(0, 1)


class TiedAutoencoder(nn.Module):
    """Encoder and decoder share their weights; one layer is never used, and one is frozen."""

    def __init__(self):
        super().__init__()
        self.weights, self.unused, self.frozen = nn.Parameter(torch.randn(3, 5)), nn.Linear(2, 2), nn.Linear(5, 5)
        self.shift = nn.Parameter(torch.zeros(1))
        self.frozen.requires_grad_(False)

    def forward(self, inputs):
        return torch.tanh(self.frozen(inputs) @ self.weights.T) @ self.weights + self.shift


def mlp():
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


def convolution():
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(48, 3))


def numbers(*shape, seed=0):
    """Return normal random numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def classes(count, *shape, seed=1):
    """Return random classes."""
    return torch.randint(count, shape, generator=torch.Generator().manual_seed(seed))


CASES: dict[str, tuple[Callable[[], nn.Module], Callable, list]] = {
    "mlp": (mlp, F.cross_entropy, [(numbers(20, 4), classes(3, 20)), (numbers(7, 4, seed=2), classes(3, 7, seed=3))]),
    "convolution": (convolution, F.cross_entropy, [(numbers(8, 1, 6, 6), classes(3, 8))]),
    "lstm": (lambda: Recurrent("LSTM"), F.cross_entropy, [(classes(7, 12, 5), classes(2, 12))]),
    "gru": (lambda: Recurrent("GRU"), F.cross_entropy, [(classes(7, 12, 5), classes(2, 12))]),
    "attention": (Attention, F.cross_entropy, [(classes(7, 12, 5), classes(7, 60))]),
    "tied": (TiedAutoencoder, F.mse_loss, [(numbers(9, 5), numbers(9, 5, seed=2)), (numbers(4, 5, seed=3), numbers(4, 5, seed=4))]),
    "linear": (lambda: nn.Linear(5, 3), F.mse_loss, [(numbers(9, 5), numbers(9, 3, seed=2))]),
}


def training(make, loss, batches, *, optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.1), steps=100, **options):
    """Return a training of a case."""
    return Training(model=make, optimizer=optimizer, loss=loss, batches=lambda: batches, steps=steps, **options)


def double(batch):
    """Return a batch in float64."""
    return tuple(part.double() if part.is_floating_point() else part for part in batch)


def mean_loss(model, loss, batches):
    """Return the mean loss as a function of the flat parameters that require a gradient, and these parameters."""
    model = copy.deepcopy(model).double()
    start = {name: part.detach() for name, part in model.named_parameters() if part.requires_grad}
    sizes, total = [part.numel() for part in start.values()], sum(len(inputs) for inputs, _ in batches)

    def value(flat):
        moved = {name: part.view(like.shape) for (name, like), part in zip(start.items(), flat.split(sizes), strict=True)}
        moved |= {name: buffer.clone() for name, buffer in model.named_buffers()}
        with sdpa_kernel(SDPBackend.MATH):
            parts = [len(inputs) / total * loss(functional_call(model, moved, (inputs,)), target) for inputs, target in map(double, batches)]
        return sum(parts)

    return value, torch.cat([part.reshape(-1) for part in start.values()])


def dense_hessian(model, loss, batches):
    """Return the Hessian from central differences of plain gradients: no second derivative of autograd's enters."""
    value, at = mean_loss(model, loss, batches)

    def gradient(flat):
        flat = flat.clone().requires_grad_()
        return torch.autograd.grad(value(flat), flat)[0]

    step = 1e-5
    columns = [(gradient(at + step * unit) - gradient(at - step * unit)) / (2 * step) for unit in torch.eye(len(at), dtype=torch.float64)]
    matrix = torch.stack(columns)
    return (matrix + matrix.T) / 2


class Dense:
    """A symmetric matrix as an operator that counts its products."""

    def __init__(self, matrix):
        self.matrix, self.n_entries, self.dtype, self.device, self.n_products = matrix, len(matrix), matrix.dtype, matrix.device, 0

    def flat_product(self, vector):
        self.n_products += 1
        return self.matrix @ vector


def with_eigenvalues(values, seed=0):
    """Return a dense operator with the given eigenvalues in random directions."""
    values = torch.as_tensor(values, dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(len(values), len(values), dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))[0]
    matrix = (basis * values) @ basis.T
    return Dense((matrix + matrix.T) / 2)


def drawing(seed=0):
    """Return a generator."""
    return torch.Generator().manual_seed(seed)
