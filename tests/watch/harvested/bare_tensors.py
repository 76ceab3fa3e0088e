import torch

torch.manual_seed(0)
W1 = torch.randn(2, 8, requires_grad=True)
b1 = torch.zeros(8, requires_grad=True)
W2 = torch.randn(8, 1, requires_grad=True)
X = torch.randn(50, 2)
y = X[:, :1] * X[:, 1:]
opt = torch.optim.SGD([W1, b1, W2], lr=0.05, momentum=0.9)
sch = torch.optim.lr_scheduler.ExponentialLR(opt, 0.9)
for i in range(100):
    h = torch.tanh(X @ W1 + b1)
    loss = ((h @ W2 - y) ** 2).mean() + 1e-3 * sum((w**2).sum() for w in (W1, W2))
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([W1, b1, W2], 1.0)
    opt.step()
    sch.step()
