"""The demo's patient: a real 12-layer sigmoid network on scikit-learn's digits, written as people write it. It fails, and kazami says why."""

import torch
from sklearn.datasets import load_digits
from torch import nn

DEPTH, WIDTH, STEPS = 12, 64, 400


def main() -> None:
    """Train the network and print what a user would see: a loss that does not fall."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    digits, labels = load_digits(return_X_y=True)
    inputs, targets = torch.tensor(digits / 16, dtype=torch.float32), torch.tensor(labels)
    layers = [module for _ in range(DEPTH - 2) for module in (nn.Linear(WIDTH, WIDTH), nn.Sigmoid())]
    model = nn.Sequential(nn.Linear(64, WIDTH), nn.Sigmoid(), *layers, nn.Linear(WIDTH, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for step in range(1, STEPS + 1):
        rows = torch.randint(0, len(inputs), (128,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step:3}  loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
