import torch
import torch.nn as nn

LR = 5.0  # tuned by hand, long ago
EPOCHS = 30

torch.manual_seed(0)
x = torch.randn(128, 8)
y = (x @ torch.randn(8, 1)) + 0.1 * torch.randn(128, 1)

model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=LR)

for epoch in range(EPOCHS):
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch}: loss {loss.item():.4f} (lr {LR})")
