import torch
from torch import nn
import torch.nn.functional as F

P = 0.95


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(6, 32)
        self.b = nn.Linear(32, 32)
        self.c = nn.Linear(32, 1)
        self.drop = nn.Dropout(p=P)

    def forward(self, x):
        x = self.drop(F.relu(self.a(x)))
        x = F.dropout(F.relu(self.b(x)), 0.9, self.training)
        return self.c(x)


torch.manual_seed(0)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
x = torch.randn(128, 6)
y = x.sum(1, keepdim=True)
for _ in range(80):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    opt.step()
