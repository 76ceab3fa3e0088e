import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
m = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10))
m = torch.compile(m)
opt = torch.optim.SGD(m.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
x = torch.randn(64, 1, 8, 8)
y = torch.randint(10, (64,))
for i in range(20):
    opt.zero_grad()
    for k in range(4):
        loss = F.cross_entropy(m(x[16 * k : 16 * k + 16]), y[16 * k : 16 * k + 16]) / 4
        loss.backward()
    opt.step()
