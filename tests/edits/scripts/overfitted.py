import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(40, 10), torch.randn(40, 1)
vx, vy = torch.randn(40, 10), torch.randn(40, 1)
model = nn.Sequential(nn.Linear(10, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(60):
    model.train()
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        val_loss = nn.functional.mse_loss(model(vx), vy)
