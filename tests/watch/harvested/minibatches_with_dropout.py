import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(0)
d = load_digits()
X = torch.tensor(d.data / 16, dtype=torch.float32)
y = torch.tensor(d.target)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))
opt = torch.optim.Adam(model.parameters(), 1e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 64, shuffle=True)
for e in range(3):
    for xb, yb in dl:
        opt.zero_grad()
        loss = nn.CrossEntropyLoss()(model(xb), yb)
        loss.backward()
        opt.step()
    print(loss.item())
