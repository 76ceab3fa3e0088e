import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

MAX_NORM = 1e-4

torch.manual_seed(0)
x = torch.randn(200, 5)
y = x @ torch.arange(5.0)[:, None]
model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05)
for step in range(150):
    opt.zero_grad()
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
    clip_grad_norm_(model.parameters(), MAX_NORM)
    opt.step()
