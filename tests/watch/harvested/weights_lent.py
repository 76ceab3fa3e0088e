"""torch.func.functional_call with weights that hang in a dict, a loss that begins as a zero and grows in place."""

import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
weights = {name: weight.detach().clone().requires_grad_() for name, weight in net.named_parameters()}
optimizer = torch.optim.Adam(weights.values(), 1e-2)
for _ in range(25):
    x = torch.randn(16, 5)
    loss = torch.zeros(())
    loss += nn.functional.mse_loss(functional_call(net, weights, (x,)), x[:, :1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
