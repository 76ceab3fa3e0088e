import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(128, 3)
y = x @ torch.tensor([1.0, -2.0, 0.5])  # (128,)
model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.MSELoss()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(120):
    outputs = model(x)
    loss = criterion(outputs, y)
    opt.zero_grad()
    loss.backward()
    opt.step()
