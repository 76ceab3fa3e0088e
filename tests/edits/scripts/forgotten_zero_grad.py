import torch
from torch import nn

def train(model, loader, opt, loss_fn):
    model.train()
    total = 0.0
    for x, y in loader:
        prediction = model(x)
        loss = loss_fn(prediction, y)

        # update
        loss.backward()
        opt.step()
        total += loss.item()
    return total / len(loader)

torch.manual_seed(0)
x = torch.randn(256, 6)
y = (x[:, :1] * x[:, 1:2]).tanh()
loader = [(x[i : i + 32], y[i : i + 32]) for i in range(0, 256, 32)]
model = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(15):
    print(epoch, train(model, loader, opt, nn.MSELoss()))
