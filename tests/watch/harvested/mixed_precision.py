import torch
import torch.nn as nn

m = nn.Linear(4, 2)
opt = torch.optim.Adam(m.parameters())
sc = torch.amp.GradScaler("cpu")
for i in range(15):
    x = torch.randn(8, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        l = nn.functional.mse_loss(m(x), x[:, :2])
    opt.zero_grad()
    sc.scale(l).backward()
    sc.unscale_(opt)
    torch.nn.utils.clip_grad_norm_(m.parameters(), 0.5)
    sc.step(opt)
    sc.update()
