"""A training whose loss turns NaN: two equal points are at distance 0, and the derivative of a square root at 0 is infinite."""

import torch
from torch import nn

torch.manual_seed(0)
anchors = torch.randn(512, 8)
others = anchors + 0.3 * torch.randn(512, 8)
others[200] = anchors[200]  # one pair of equal points, somewhere in the data

model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for step in range(32):
    rows = slice(16 * step, 16 * step + 16)
    optimizer.zero_grad()
    difference = model(anchors[rows]) - model(others[rows])
    distance = (difference**2).sum(1).sqrt()
    loss = distance.mean()
    loss.backward()
    optimizer.step()
    if step % 8 == 7:
        print(f"step {step + 1}: loss {loss.item():.4f}")
