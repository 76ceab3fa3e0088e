"""The same training in a healthy and in ill versions, for the scripts of all frameworks: ``python FRAMEWORK_digits.py CASE [--callback]``."""

import hashlib
import json
import sys
import torch
from sklearn.datasets import load_digits
from torch import nn

CASE = sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "healthy"
WITH = "--callback" in sys.argv
torch.manual_seed(0)
data = load_digits()
x = torch.tensor(data.data, dtype=torch.float32) / 16
y = torch.tensor(data.target)


def build():
    torch.manual_seed(1)
    if CASE == "vanishing":
        layers = [nn.Linear(64, 32), nn.Sigmoid()]
        for _ in range(7):
            layers += [nn.Linear(32, 32), nn.Sigmoid()]
        return nn.Sequential(*layers, nn.Linear(32, 10))
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    if CASE == "dead":
        with torch.no_grad():
            net[0].bias.fill_(-20.0)
    if CASE == "frozen":
        for p in net[:4].parameters():
            p.requires_grad_(False)
    return net


LR = {"vanishing": 0.05, "high": 50.0, "dead": 0.05}.get(CASE, 0.1)


def done(model, watch=None):
    digest = hashlib.sha256(b"".join(p.detach().cpu().float().numpy().tobytes() for p in model.parameters())).hexdigest()[:12]
    out = {"weights": digest}
    if watch is not None:
        out["findings"] = [f.name for f in watch.findings]
        out["steps"] = getattr(watch, "watch", watch).trace.step
    print("RESULT " + json.dumps(out))
