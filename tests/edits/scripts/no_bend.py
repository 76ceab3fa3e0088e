import torch
from torch import nn

torch.manual_seed(0)
x = torch.rand(256, 2) * 2 - 1
y = ((x[:, 0] * x[:, 1]) > 0).float()[:, None]

model = nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for i in range(150):
    loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
