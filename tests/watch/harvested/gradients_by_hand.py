"""Gradients are cut by value between backward and the step."""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(5, 1)
optimizer = torch.optim.Adam(net.parameters(), 0.1)
for _ in range(30):
    x = torch.randn(8, 5)
    optimizer.zero_grad()
    nn.functional.mse_loss(net(x), 10 * x[:, :1]).backward()
    nn.utils.clip_grad_value_(net.parameters(), 0.05)
    optimizer.step()
