import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(128, 4)
t = (x.sum(1, keepdim=True) > 0).float()
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
opt = torch.optim.SGD(model.parameters(), lr=0.3)
bce = nn.BCEWithLogitsLoss()
for i in range(80):
    p = model(x)
    opt.zero_grad(); bce(p, t).backward(); opt.step()
