import torch
import torch.nn.functional as F

torch.manual_seed(0)
net = torch.nn.Linear(5, 1)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
accumulate = 4
for i in range(160):
    x = torch.randn(8, 5)
    loss = F.mse_loss(net(x), x.mean(1, keepdim=True)) / accumulate
    loss.backward()
    if (i + 1) % accumulate == 0:
        opt.step()
