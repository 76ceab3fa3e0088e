"""Actor and critic: actions are drawn on the way to the loss."""

import torch
from torch import nn

torch.manual_seed(0)


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.policy, self.value = nn.Linear(4, 16), nn.Linear(16, 2), nn.Linear(16, 1)

    def forward(self, state):
        hidden = torch.tanh(self.body(state))
        return self.policy(hidden), self.value(hidden)


both = Both()
optimizer = torch.optim.Adam(both.parameters(), 1e-2)
for _ in range(20):
    logs, values, gains = [], [], []
    for _ in range(5):
        state = torch.randn(4)
        logits, value = both(state)
        choice = torch.distributions.Categorical(logits=logits)
        action = choice.sample()
        logs.append(choice.log_prob(action))
        values.append(value.squeeze())
        gains.append(1.0 if action.item() == (state[0] > 0).item() else -0.5)
    values = torch.stack(values)
    advantage = torch.tensor(gains) - values.detach()
    loss = -(torch.stack(logs) * advantage).sum() + nn.functional.smooth_l1_loss(values, torch.tensor(gains))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
