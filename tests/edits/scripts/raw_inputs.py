import torch
from torch import nn


def load(n=256):
    generator = torch.Generator().manual_seed(0)
    age = torch.rand(n, 1, generator=generator) * 60 + 20
    income = torch.rand(n, 1, generator=generator) * 1e5
    features = torch.cat([age, income], dim=1)
    return features, (age > 50).float()


torch.manual_seed(0)
features, labels = load()
model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.1)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(20):
    for i in range(0, len(features), 32):
        batch = features[i:i + 32]
        opt.zero_grad()
        loss = loss_fn(model(batch), labels[i:i + 32])
        loss.backward()
        opt.step()
