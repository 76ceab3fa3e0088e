import torch
from torch import nn

torch.manual_seed(3)
net = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 7))
optimizer = torch.optim.SGD([{"params": net[0].parameters(), "lr": 0.5}, {"params": net[2].parameters()}], lr=0.1, momentum=0.9)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.5)
tokens, target, norm = torch.randint(7, (20, 3)), torch.randint(7, (20,)), nn.Identity()
for step in range(12):
    logits = net(norm(tokens))
    mask = torch.ones_like(logits)
    mask[:, 0] = 0.5
    logits = logits * mask
    logits[:, 1] = logits[:, 1] * 2
    loss = nn.functional.cross_entropy(logits, target, reduction="none")
    loss = loss[loss > 0.1].sum() / 20
    loss += 0.01 * net[2].weight.abs().sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
