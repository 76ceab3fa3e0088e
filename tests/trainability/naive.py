"""The plainest program for a pixel: a module, autograd, a loop, and the paper's measure word by word. It shares nothing with the runners."""

import math

import numpy as np
import torch
from torch import nn

from kazami.trainability import Problem

FUNCTIONS = {"tanh": lambda z: torch.tanh(math.sqrt(2) * z), "relu": lambda z: math.sqrt(2) * torch.relu(z), "identity": lambda z: z}


def losses(problem: Problem, rates: tuple[float, float], offset: float = 0.0) -> np.ndarray:
    """Return all losses of one pixel."""
    first = nn.Parameter(torch.tensor(problem.hidden) + (offset if problem.offset == "initial" else 0.0))
    second = nn.Parameter(torch.tensor(problem.output))
    optimizer = torch.optim.SGD([{"params": [first], "lr": rates[0]}, {"params": [second], "lr": rates[1]}])
    x, y = torch.tensor(problem.inputs), torch.tensor(problem.targets)
    found = []

    def loss(rows: object) -> torch.Tensor:
        h = FUNCTIONS[problem.activation](x[rows] @ first / math.sqrt(first.shape[0]))
        return ((h @ second / math.sqrt(len(second)) / math.sqrt(len(second)) - y[rows]) ** 2).mean()

    for step in range(problem.steps):
        if problem.offset == "every_step":
            first.data += offset
        found.append(loss(slice(None)).item())
        optimizer.zero_grad()
        loss(slice(None) if problem.batches is None else torch.tensor(problem.batches[step])).backward()
        optimizer.step()
    return np.array(found)


def measure(course: np.ndarray) -> float:
    """Return the paper's number of a course of losses."""
    v = np.array([loss / course[0] if math.isfinite(loss) else 1e6 for loss in course])
    v = np.minimum(v, 1e6)
    return -v.sum() if v[-20:].mean() < 1 else (1 / v).sum()
