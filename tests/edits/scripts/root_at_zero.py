import torch
from torch import nn

torch.manual_seed(0)


def distance(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=1))


points = torch.randn(64, 3)
points[0] = 0
embed = nn.Linear(3, 2, bias=False)
opt = torch.optim.SGD(embed.parameters(), lr=0.05)
for i in range(40):
    z = embed(points)
    loss = (distance(z, torch.zeros_like(z)) - 1).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
