"""Q-learning: the target comes from a slowly followed copy, whose weights no optimizer moves; gradients go through detach, not no_grad."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
q = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
slow = copy.deepcopy(q)
optimizer = torch.optim.Adam(q.parameters(), 1e-2)
for step in range(30):
    now, then, action = torch.randn(8, 4), torch.randn(8, 4), torch.randint(2, (8, 1))
    target = now[:, :1] + 0.9 * slow(then).max(1, keepdim=True)[0].detach()
    loss = nn.functional.smooth_l1_loss(q(now).gather(1, action), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 4 == 3:
        slow.load_state_dict(q.state_dict())
