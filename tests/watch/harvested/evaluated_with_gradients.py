"""An evaluation before and during training that forgets no_grad; a learning rate and a momentum that both cycle; a step left out for its NaN."""

import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
np.random.seed(1)
net = nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.2, total_steps=50)
held_out = torch.randn(100, 5)


def evaluate():
    net.eval()
    return nn.functional.cross_entropy(net(held_out), (held_out[:, 0] > 0).long()).item()


evaluate()
for step in range(40):
    net.train()
    x = torch.randn(16, 5) + torch.from_numpy(np.random.randn(16, 5)).float()
    loss = nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long())
    if step % 4 == 1:
        loss = loss * float("nan")
    optimizer.zero_grad()
    loss.backward()
    if torch.isfinite(loss):
        optimizer.step()
        scheduler.step()
    if step % 5 == 0:
        evaluate()
