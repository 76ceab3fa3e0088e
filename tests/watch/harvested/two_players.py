import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
G = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
og = torch.optim.Adam(G.parameters(), 1e-3)
od = torch.optim.Adam(D.parameters(), 1e-3)
for i in range(30):
    r = torch.randn(32, 2) + 3
    z = torch.randn(32, 4)
    ld = F.binary_cross_entropy_with_logits(D(r), torch.ones(32, 1)) + F.binary_cross_entropy_with_logits(D(G(z).detach()), torch.zeros(32, 1))
    od.zero_grad()
    ld.backward()
    od.step()
    lg = F.binary_cross_entropy_with_logits(D(G(z)), torch.ones(32, 1))
    og.zero_grad()
    lg.backward()
    og.step()
