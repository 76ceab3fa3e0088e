import torch
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(200, 3)
y = 250000 + 40000 * x[:, :1]
model = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(100):
    prediction = model(x)
    loss = F.mse_loss(prediction, y)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(model(x[:3]).detach())
