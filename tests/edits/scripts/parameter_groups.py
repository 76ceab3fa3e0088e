import torch
import torch.nn as nn


class TwoPart(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 16)
        self.head = nn.Linear(16, 1)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)))


torch.manual_seed(0)
net = TwoPart()
opt = torch.optim.SGD(
    [
        {"params": net.body.parameters(), "lr": 4.0},
        {"params": net.head.parameters()},  # the default
    ],
    lr=8.0,
    weight_decay=1e-4,
)
x = torch.randn(64, 6)
for _ in range(40):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), x[:, :1])
    loss.backward()
    opt.step()
