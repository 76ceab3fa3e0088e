import torch
from torch import nn, optim
from torch.optim import lr_scheduler

torch.manual_seed(0)
x, y = torch.randn(512, 8), torch.randn(512, 1)
batches = list(zip(x.split(32), y.split(32)))
model = nn.Linear(8, 1)
optimizer = optim.SGD(model.parameters(), lr=0.01)
scheduler = lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
for epoch in range(10):
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        optimizer.step()
        scheduler.step()
