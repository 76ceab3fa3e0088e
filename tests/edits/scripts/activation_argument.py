import torch
from torch import nn


def mlp(sizes, activation=nn.Tanh, output=nn.Identity):
    layers = []
    for j in range(len(sizes) - 1):
        act = activation if j < len(sizes) - 2 else output
        layers += [nn.Linear(sizes[j], sizes[j + 1]), act()]
    return nn.Sequential(*layers)


class Stack(nn.Module):
    def __init__(self, width, depth, activation):
        super().__init__()
        hidden = []
        for _ in range(depth):
            hidden.append(nn.Linear(width, width))
            hidden.append(activation())
        hidden.append(nn.Linear(width, 1))
        self.net = nn.Sequential(*hidden)

    def forward(self, x):
        return self.net(x)


torch.manual_seed(0)
model = Stack(8, 10, activation=nn.Sigmoid)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
x = torch.randn(64, 8)
y = x[:, :1].sin()
for i in range(60):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
