"""The training runs in a thread of its own."""

import threading

import torch
from torch import nn


def work():
    net = nn.Linear(5, 2)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(50):
        optimizer.zero_grad()
        net(torch.randn(16, 5)).square().mean().backward()
        optimizer.step()


thread = threading.Thread(target=work)
thread.start()
thread.join()
