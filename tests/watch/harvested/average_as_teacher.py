"""A student, a frozen teacher and a moving average of the student, both called without gradients."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
teacher = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 3)).eval()
student = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3))
average = copy.deepcopy(student)
optimizer = torch.optim.AdamW(student.parameters(), 1e-2)
for _ in range(30):
    x = torch.randn(32, 6)
    with torch.no_grad():
        wanted = teacher(x) + 0.1 * average(x)
    loss = nn.functional.mse_loss(student(x), wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), student.parameters()):
            slow.lerp_(fast, 0.1)
