import torch
from torch import nn


class Deep(nn.Module):
    def __init__(self, depth=3, width=16):
        super().__init__()
        self.first = nn.Linear(4, width)
        self.layers = [nn.Linear(width, width) for _ in range(depth)]
        self.last = nn.Linear(width, 1)

    def forward(self, x):
        x = torch.relu(self.first(x))
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.last(x)


torch.manual_seed(0)
model = Deep()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
x = torch.randn(128, 4)
y = (x ** 2).sum(1, keepdim=True)
for i in range(80):
    opt.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    opt.step()
