import torch
import torch.nn as nn

model = nn.LSTM(3, 8, batch_first=True)
head = nn.Linear(8, 1)
opt = torch.optim.RMSprop([*model.parameters(), *head.parameters()], lr=1e-2)
x = torch.randn(16, 12, 3)
y = x.sum((1, 2), keepdim=False)[:, None]
for i in range(20):
    o, (h, c) = model(x)
    loss = nn.functional.mse_loss(head(o[:, -1]), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
