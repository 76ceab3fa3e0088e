"""Which learning rate trains fastest: the choice of `kazami.onset_of_chaos`, the learning-rate range test's, and 2/λmax, from fresh seeds, on five tasks.

Each task is small, deterministic and full batch, or has a frozen order of batches. Time is the number of optimizer steps until the score on held-out data (or
the training loss of the regression) is reached for the first time; the goal is fixed beforehand, the same for all. kazami's choice costs an ensemble: its
price, in training runs, is written beside the result.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_diabetes, load_digits, load_iris
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
from figures import RESULTS

import kazami
from kazami import Training


def _shuffled(x: np.ndarray, y: np.ndarray) -> tuple[Tensor, Tensor]:
    order = np.random.default_rng(0).permutation(len(x))
    return torch.tensor(x[order], dtype=torch.float64), torch.tensor(y[order])


def _score(x: Tensor, y: Tensor) -> Callable[[nn.Module], float]:
    def accuracy(model: nn.Module) -> float:
        with torch.no_grad():
            return float((model(x).argmax(dim=1) == y).double().mean())

    return accuracy


def digits_mlp() -> tuple[Training, np.ndarray, float]:
    """64-32-10 tanh, weights N(0, 1), full batch of 200 digits, to 70 % of 500 (the setup of arXiv 2506.08523 in small)."""
    x, y = _shuffled(*load_digits(return_X_y=True))
    x = x / 16

    def model() -> nn.Module:
        made = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)).double()
        for layer in (made[0], made[2]):
            nn.init.normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        return made

    return _training(model, x[:200], y[:200], nn.functional.cross_entropy, 150, _score(x[200:700], y[200:700])), np.geomspace(0.2, 15, 11), 0.7


def iris() -> tuple[Training, np.ndarray, float]:
    """4-10-3 sigmoid, PyTorch's initialisation, standardised Iris, full batch, to 90 % of 30."""
    x, y = _shuffled(*load_iris(return_X_y=True))
    x = (x - x[:120].mean(0)) / x[:120].std(0)
    model = lambda: nn.Sequential(nn.Linear(4, 10), nn.Sigmoid(), nn.Linear(10, 3)).double()  # noqa: E731
    return _training(model, x[:120], y[:120], nn.functional.cross_entropy, 300, _score(x[120:], y[120:])), np.geomspace(0.1, 100, 11), 0.9


def small_convolution() -> tuple[Training, np.ndarray, float]:
    """Two convolutions and a linear layer, ReLU, 200 digits as 8 × 8 images in four batches, SGD, to 80 % of 500."""
    x, y = _shuffled(*load_digits(return_X_y=True))
    x = (x / 16).reshape(-1, 1, 8, 8)

    def model() -> nn.Module:
        layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(64, 10)).double()

    training = _training(model, x[:200], y[:200], nn.functional.cross_entropy, 200, _score(x[200:700], y[200:700]))
    batches = [(x[start : start + 50], y[start : start + 50]) for start in range(0, 200, 50)]
    return training.replaced(batches=lambda: batches), np.geomspace(0.01, 10, 11), 0.8


def regression() -> tuple[Training, np.ndarray, float]:
    """10-16-1 tanh on the diabetes data, standardised, full batch, to a training loss of 0.45 (the variance is 1)."""
    x, y = _shuffled(*load_diabetes(return_X_y=True))
    x, y = (x - x.mean(0)) / x.std(0), ((y - y.mean()) / y.std())[:, None]
    model = lambda: nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1)).double()  # noqa: E731
    return _training(model, x, y, nn.functional.mse_loss, 300, None), np.geomspace(0.005, 5, 11), 0.45


def digits_momentum() -> tuple[Training, np.ndarray, float]:
    """64-32-10 ReLU, PyTorch's initialisation, SGD with momentum 0.9, full batch of 200 digits, to 85 % of 500."""
    x, y = _shuffled(*load_digits(return_X_y=True))
    x = x / 16
    model = lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).double()  # noqa: E731
    training = _training(model, x[:200], y[:200], nn.functional.cross_entropy, 150, _score(x[200:700], y[200:700]))
    return training.replaced(optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9)), np.geomspace(0.01, 10, 11), 0.85


def _training(
    model: Callable[[], nn.Module],
    x: Tensor,
    y: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    steps: int,
    evaluate: Callable[[nn.Module], float] | None,
) -> Training:
    return Training(model=model, optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1), loss=loss, batches=lambda: [(x, y)], steps=steps, evaluate=evaluate)


TASKS = {task.__name__: task for task in (digits_mlp, iris, small_convolution, regression, digits_momentum)}


def main() -> int:
    """Run the tasks, print one line each, and end with 1 where a rival is faster than kazami's choice on a task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=TASKS, action="append")
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--quick", action="store_true", help="four seeds, nothing kept")
    asked = parser.parse_args()
    seeds, rows = 4 if asked.quick else asked.seeds, []
    for name in asked.only or TASKS:
        training, rates, goal = TASKS[name]()
        found = kazami.onset_of_chaos(training, rates, seeds=seeds, acceptable=goal)
        told = found.to_dict()
        kept = ("onset", "interval", "fastest", "fastest_interval", "is_proved", "proof", "rivals", "how")
        row = {"task": name, "goal": goal, "seeds": seeds, "runs_of_the_ensemble": 2 * len(rates) * seeds, **{key: told[key] for key in kept}}
        row["onset_over_fastest"] = found.onset / found.fastest if math.isfinite(found.onset) and math.isfinite(found.fastest) else None
        rows.append(row)
        print(json.dumps(row), flush=True)
    if not asked.quick and not asked.only:
        (RESULTS / "onset_of_chaos.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return int(any(rival["verdict"] == "better" for row in rows for rival in row["rivals"]))


if __name__ == "__main__":
    sys.exit(main())
