import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(0)
X = torch.randn(256, 10)
Y = (X[:, :1] > 0).float()

net = nn.Sequential(
    nn.Linear(10, 32),
    nn.Sigmoid(),  # squash
    nn.Linear(32, 32), nn.Sigmoid(),
    nn.Linear(32, 32),
    nn.Sigmoid(),
    nn.Linear(32, 32),
    nn.Sigmoid(),
    nn.Linear(32, 32),
    nn.Sigmoid(),
    nn.Linear(32, 32),
    nn.Sigmoid(),
    nn.Linear(32, 1),
    nn.Sigmoid(),
)
optimizer = optim.SGD(net.parameters(), lr=0.1)
bce = nn.BCELoss()
for epoch in range(120):
    optimizer.zero_grad()
    loss = bce(net(X), Y)
    loss.backward()
    optimizer.step()
