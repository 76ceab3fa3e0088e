import torch
import torch.nn as nn

m = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6))
opt = torch.optim.SGD(m.parameters(), 0.1)
x = torch.randn(9, 6)
for i in range(15):
    l = nn.MSELoss()(m(x), x)
    l.backward()
    opt.step()
