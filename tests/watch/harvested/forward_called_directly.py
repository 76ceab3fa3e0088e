import torch
import torch.nn as nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Linear(6, 6)
        s.b = nn.Linear(6, 1)

    def forward(s, x):
        return s.b(torch.relu(s.a(x)))


net = Net()
opt = torch.optim.SGD(net.parameters(), 0.1)
x = torch.randn(9, 6)
y = torch.randn(9, 1)
for i in range(15):
    l = ((net.forward(x) - y) ** 2).mean()
    opt.zero_grad()
    l.backward()
    opt.step()
