import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(6, 24)
        self.decode = nn.Linear(24, 1)

    def forward(self, x):
        with torch.no_grad():
            h = self.encode(x)
            h = torch.relu(h)   # features

        return self.decode(h)


torch.manual_seed(0)
net = Encoder()
opt = torch.optim.SGD(net.parameters(), lr=0.02)
x = torch.randn(128, 6)
y = (x[:, :1] * x[:, 1:2])
for i in range(80):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    opt.step()
