"""A corridor of eight cells for the scoring patients that learn values from rewards: its moves, its true values, its batches."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps.training import Batch
from ._sets import explained

N = 8
GAMMA = 0.8


class Moves(NamedTuple):
    """Moves in a corridor: where, which way (0 left, 1 right), reward, where to, and whether the episode ended there."""

    at: Tensor
    action: Tensor
    reward: Tensor
    to: Tensor
    done: Tensor


@cache
def corridor(n: int = 2000) -> Moves:
    """Return random moves in a corridor of eight cells; its right end pays 1 and ends the episode, which starts again on the left."""
    source = torch.Generator().manual_seed(111)
    at = torch.randint(0, N - 1, (n,), generator=source)
    action = torch.randint(0, 2, (n,), generator=source)
    to = (at + 2 * action - 1).clamp(0, N - 1)
    done = (to == N - 1).float()
    return Moves(at, action, done, torch.where(to == N - 1, 0, to), done)


@cache
def true_values(gamma: float = GAMMA, *, best: bool = True) -> Tensor:
    """Return the action values of shape ``(7, 2)`` under the best policy, or under the random one, by iteration."""
    q = torch.zeros(N, 2)
    cells = torch.arange(N - 1)
    for _ in range(2000):
        after = [(cells + d).clamp(0, N - 1) for d in (-1, 1)]
        value = q.max(1).values if best else q.mean(1)
        columns = [torch.where(to == N - 1, 1.0, gamma * value[to]) for to in after]
        q = torch.cat([torch.stack(columns, 1), torch.zeros(1, 2)])
    return q[:-1]


def one_hot(cells: Tensor) -> Tensor:
    """Return cells as one-hot rows."""
    return F.one_hot(cells, N).float()


def q_batches(size: int = 50) -> Callable[[], list[Batch]]:
    """Return batches whose inputs are the cells and whose targets are the rest of the moves."""
    moves = corridor()
    pieces = list(zip(*(part.split(size) for part in moves), strict=True))
    made: list[Batch] = [(one_hot(piece[0]), tuple(piece[1:])) for piece in pieces]
    return lambda: list(made)


def values_match(truth: Tensor) -> Callable[[nn.Module], float]:
    """Return a judge: R² of the action values in all cells but the last."""

    def judge(model: nn.Module) -> float:
        with torch.no_grad():
            return explained(truth, model(one_hot(torch.arange(N - 1)))[:, : truth.shape[1]])

    return judge


def values_near(truth: Tensor) -> Callable[[nn.Module], float]:
    """Return a judge: 1 - mean distance from the true action values, relative to their mean; never below -1."""

    def judge(model: nn.Module) -> float:
        with torch.no_grad():
            gap = float((model(one_hot(torch.arange(N - 1))) - truth).abs().mean() / truth.mean())
        return max(-1.0, 1 - gap) if gap == gap else -1.0

    return judge
