import torch
import torch.nn as nn

torch.manual_seed(0)
x = 30 * torch.randn(96, 5)
y = x.argmax(1)
net = nn.Linear(5, 5)
opt = torch.optim.SGD(net.parameters(), lr=0.5)
for _ in range(60):
    opt.zero_grad()
    scores = net(x)
    probabilities = torch.softmax(scores, dim=1)
    loss = nn.NLLLoss()(torch.log(probabilities), y)
    loss.backward()
    opt.step()
