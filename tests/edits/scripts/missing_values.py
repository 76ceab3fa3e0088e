import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
inputs = torch.randn(128, 4)
targets = inputs.sum(1, keepdim=True)
inputs[70, 2] = float("nan")
loader = DataLoader(TensorDataset(inputs, targets), batch_size=16)
model = nn.Linear(4, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(5):
    for xb, yb in loader:
        out = model(xb)
        loss = nn.functional.mse_loss(out, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
