"""What the curvature benchmarks look at: models with a batch, at a step of their training, and float64 references that use nothing of kazami's."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from trainings import GPT, gpt, mlp_sgd, resnet

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """A model at some step of its training, in evaluation mode (PyHessian takes no other), with one batch."""

    name: str
    model: nn.Module
    inputs: Tensor
    target: Tensor
    loss: Loss

    @property
    def parameters(self) -> list[Tensor]:
        """What is differentiated by."""
        return list(self.model.parameters())

    def loss_of(self, model: nn.Module | None = None) -> Tensor:
        """Return the loss with its graph."""
        return self.loss((model or self.model)(self.inputs), self.target)

    def twin(self) -> nn.Module:
        """Return a copy of the model."""
        return copy.deepcopy(self.model)

    def in_float64(self) -> "Case":
        """Return the same in float64."""
        inputs, target = (part.double() if part.is_floating_point() else part for part in (self.inputs, self.target))
        return Case(self.name, self.twin().double(), inputs, target, self.loss)


class OverAllPlaces(nn.CrossEntropyLoss):
    """The mean over all examples and places; a module, because curvlinops wants one."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return super().forward(input.reshape(-1, input.shape[-1]), target.reshape(-1))


cross_entropy = OverAllPlaces()


def blobs(n: int, width: int, classes: int) -> tuple[Tensor, Tensor]:
    """Return ``n`` points around ``classes`` random centres, and which centre each is from."""
    target = torch.randint(classes, (n,))
    return torch.randn(classes, width)[target] + torch.randn(n, width), target


def trained(name: str, model: nn.Module, batch: tuple[Tensor, Tensor], steps: int, *, rate: float = 0.1, loss: Loss = cross_entropy) -> Case:
    """Return ``model`` after so many steps of plain gradient descent on ``batch``."""
    case = Case(f"{name}, step {steps}", model, *batch, loss)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        case.loss_of().backward()
        optimizer.step()
    optimizer.zero_grad()
    model.eval()
    return case


def mlp(steps: int) -> Case:
    """784-512-512-10, batch 128."""
    model = mlp_sgd().model
    return trained("MLP", model, (torch.randn(128, 784), torch.randint(0, 10, (128,))), steps)


def cnn(steps: int) -> Case:
    """ResNet-20, 8 images of 32 by 32."""
    model = resnet().model
    inputs, target = blobs(8, 3 * 32 * 32, 10)
    return trained("CNN", model, (inputs.view(-1, 3, 32, 32), target), steps, rate=0.02)


def small_gpt(steps: int) -> Case:
    """Four layers of width 128, 4 texts of 64 words."""
    model = gpt().model
    words = torch.randint(0, 256, (4, 65))
    return trained("GPT", model, (words[:, :-1], words[:, 1:]), steps)


def _tanh(steps: int, seed: int) -> Case:
    model = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 3))
    return trained("tanh", model, blobs(100, 20, 3), steps, rate=0.3)


def _deep(steps: int, seed: int) -> Case:
    layers = [layer for _ in range(6) for layer in (nn.Linear(16, 16), nn.ReLU())]
    return trained("six ReLU layers", nn.Sequential(*layers, nn.Linear(16, 4)), blobs(80, 16, 4), steps)


def _regression(steps: int, seed: int) -> Case:
    inputs = torch.randn(80, 6)
    model = nn.Sequential(nn.Linear(6, 24), nn.GELU(), nn.Linear(24, 24), nn.GELU(), nn.Linear(24, 1))
    return trained("GELU regression", model, (inputs, inputs.sum(1, keepdim=True).sin()), steps, loss=nn.functional.mse_loss)


def _autoencoder(steps: int, seed: int) -> Case:
    inputs = torch.randn(60, 20) @ torch.randn(20, 20) / 4.0
    return trained("autoencoder", nn.Sequential(nn.Linear(20, 8), nn.Sigmoid(), nn.Linear(8, 20)), (inputs, inputs), steps, loss=nn.functional.mse_loss)


def _conv(steps: int, seed: int) -> Case:
    inputs, target = blobs(24, 64, 4)
    norm, head = (nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)), (nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 4))
    return trained("conv with BatchNorm", nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), *norm, *head), (inputs.view(-1, 1, 8, 8), target), steps)


def _transformer(steps: int, seed: int) -> Case:
    words = torch.randint(0, 16, (6, 13))
    return trained("transformer", GPT(width=8, depth=1, places=12, words=16), (words[:, :-1], words[:, 1:]), steps)


SMALL = (_tanh, _deep, _regression, _autoencoder, _conv, _transformer)


def small(seeds: int, stages: tuple[int, ...]) -> Iterator[Case]:
    """Give models whose whole Hessian can be written down, at several steps of several trainings."""
    for make in SMALL:
        for steps in stages:
            for seed in range(seeds):
                torch.manual_seed(1000 * seed + steps)
                yield make(steps, seed)


def products64(case: Case) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """Return products with the Hessian in float64 by torch's double backward, and its size."""
    exact = case.in_float64()
    parameters = exact.parameters
    gradients = torch.autograd.grad(exact.loss_of(), parameters, create_graph=True)
    sizes = [part.numel() for part in parameters]

    def product(vector: np.ndarray) -> np.ndarray:
        parts = torch.from_numpy(np.ascontiguousarray(vector).reshape(-1)).split(sizes)
        along = [part.view(like.shape) for part, like in zip(parts, parameters, strict=True)]
        found = torch.autograd.grad(gradients, parameters, along, retain_graph=True, materialize_grads=True)
        return torch.cat([part.reshape(-1) for part in found]).numpy()

    return product, sum(sizes)


def whole_spectrum(case: Case) -> np.ndarray:
    """Return all eigenvalues in float64, ascending."""
    product, size = products64(case)
    matrix = np.stack([product(row) for row in np.eye(size)])
    return np.linalg.eigvalsh((matrix + matrix.T) / 2.0)


def reference(case: Case, *, tolerance: float = 1e-6) -> float:
    """Return the largest eigenvalue in float64, by ARPACK with a wide basis; ``tolerance`` bounds the relative residual, the value is far better."""
    product, size = products64(case)
    start = np.random.default_rng(1).normal(size=size)
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    return float(eigsh(operator, k=1, which="LA", ncv=min(size - 1, 40), tol=tolerance, v0=start, return_eigenvectors=False)[0])


@contextmanager
def differentiable_attention() -> Iterator[None]:
    """Attention by its formula: torch's fused kernels have no second derivative, for anybody."""
    with sdpa_kernel(SDPBackend.MATH):
        yield
