"""A model with a weight of its own beside its layers, and a loss method that calls forward by itself."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.layer = nn.Parameter(torch.randn(5, 3)), nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(torch.tanh(x @ self.first))

    def loss(self, x, y):
        return nn.functional.cross_entropy(self.forward(x), y)


def main():
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(30):
        x = torch.randn(16, 5)
        optimizer.zero_grad()
        net.loss(x, (x[:, 0] > 0).long()).backward()
        optimizer.step()


if __name__ == "__main__":
    main()
