import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 24)
        self.fc2 = nn.Linear(24, 24)
        self.fc3 = nn.Linear(24, 24)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(24, 3)

    def forward(self, x):
        x = torch.sigmoid(self.fc1(x))
        x = self.drop(x)
        x = self.fc2(x)
        x = self.drop(F.sigmoid(x))
        x = self.fc3(x).sigmoid()
        return self.out(x)


def main():
    torch.manual_seed(0)
    model = Net()
    x = torch.randn(120, 12)
    y = x[:, :3].argmax(dim=1)
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(50):
        opt.zero_grad()
        F.cross_entropy(model(x), y).backward()
        opt.step()


main()
