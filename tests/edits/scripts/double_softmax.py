import torch
import torch.nn as nn
import torch.nn.functional as F


class Classifier(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.hidden = nn.Linear(6, 32)
        self.logits = nn.Linear(32, classes)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x):
        x = F.relu(self.hidden(x))
        x = self.logits(x)
        return self.softmax(x)  # probabilities


torch.manual_seed(0)
x = torch.randn(200, 6)
y = x[:, :4].argmax(1)
net = Classifier()
loss_function = nn.CrossEntropyLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(100):
    opt.zero_grad()
    loss = loss_function(net(x), y)
    loss.backward()
    opt.step()
