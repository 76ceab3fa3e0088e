import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)


class VAE(nn.Module):
    def __init__(s):
        super().__init__()
        s.e = nn.Linear(10, 8)
        s.d = nn.Linear(4, 10)

    def forward(s, x):
        h = s.e(x)
        return h[:, :4], h[:, 4:]


v = VAE()
opt = torch.optim.AdamW(v.parameters(), 1e-2)
for i in range(30):
    x = torch.randn(16, 10)
    mu, lv = v(x)
    z = mu + torch.randn_like(mu) * torch.exp(0.5 * lv)
    r = v.d(z)
    loss = F.mse_loss(r, x) + -0.5 * (1 + lv - mu**2 - lv.exp()).mean() * min(1, i / 10)
    opt.zero_grad()
    loss.backward()
    opt.step()
