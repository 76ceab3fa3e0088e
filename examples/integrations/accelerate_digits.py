"""Handwritten digits with accelerate, as one would write it without kazami: ``kazami run accelerate_digits.py``."""

import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x, y = torch.tensor(data.data, dtype=torch.float32) / 16, torch.tensor(data.target)
accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
for epoch in range(8):
    for images, digits in loader:
        with accelerator.accumulate(model):
            loss = nn.functional.cross_entropy(model(images), digits)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")
