import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from cases import CASE, LR, WITH, build, done, x, y
acc = Accelerator(cpu=True, gradient_accumulation_steps=2)
torch.manual_seed(0)
model = build()
opt = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=LR, momentum=0.9 if CASE == "healthy" else 0)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 1000)
loader = DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=32, shuffle=True)
model, opt, loader, sched = acc.prepare(model, opt, loader, sched)
w = None
if WITH:
    from kazami.integrations.accelerate import watch
    w = watch(model, opt)
for epoch in range(8):
    for a, b in loader:
        with acc.accumulate(model):
            loss = nn.functional.cross_entropy(model(a), b)
            acc.backward(loss)
            if acc.sync_gradients:
                acc.clip_grad_norm_(model.parameters(), 5.0)
            opt.step()
            sched.step()
            opt.zero_grad()
    print(epoch, float(loss))
if w is not None:
    w.close()
done(acc.unwrap_model(model), w)
