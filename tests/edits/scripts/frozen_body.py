import torch
import torch.nn as nn

torch.manual_seed(0)
model = nn.Sequential()
model.add_module("features", nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU()))
model.add_module("classifier", nn.Linear(32, 1))
for name, parameter in model.named_parameters():
    if "features" in name:
        parameter.requires_grad = False  # "pre-trained"
optimizer = torch.optim.SGD(filter(lambda p: p.requires_grad, model.parameters()), lr=0.01)
x = torch.randn(128, 5)
y = x[:, :1] * x[:, 1:2]
for i in range(100):
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
