"""The body of a network joins the training after four steps."""

import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Sequential(nn.Linear(5, 16), nn.ReLU()).requires_grad_(False), nn.Linear(16, 2)
net = nn.Sequential(body, head)
optimizer = torch.optim.SGD(head.parameters(), 0.1)
for step in range(30):
    if step == 4:
        body.requires_grad_(True)
        optimizer.add_param_group({"params": list(body.parameters()), "lr": 0.5})
    x = torch.randn(16, 5)
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long()).backward()
    optimizer.step()
