import torch
import torch.nn as nn

m = nn.Linear(3, 1)
opt = torch.optim.LBFGS(m.parameters(), lr=0.5)
x = torch.randn(20, 3)
y = x.sum(1, keepdim=True)


def closure():
    opt.zero_grad()
    l = ((m(x) - y) ** 2).mean()
    l.backward()
    return l


for i in range(5):
    opt.step(closure)
