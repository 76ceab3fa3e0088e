from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Out:
    loss: torch.Tensor = None
    logits: torch.Tensor = None


class LM(nn.Module):
    def __init__(s):
        super().__init__()
        s.emb = nn.Embedding(11, 8)
        s.enc = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.1)

    def forward(s, ids, labels=None, *, scale=1.0):
        l = s.enc(s.emb(ids)) @ s.emb.weight.t()
        return Out(loss=scale * F.cross_entropy(l.flatten(0, 1), labels.flatten()), logits=l)


def main():
    torch.manual_seed(0)
    m = LM()
    opt = torch.optim.AdamW([{"params": m.emb.parameters(), "lr": 1e-2, "weight_decay": 0.0}, {"params": m.enc.parameters()}], lr=1e-3)
    with torch.no_grad():
        m(torch.zeros(1, 2, dtype=torch.long), labels=torch.zeros(1, 2, dtype=torch.long))
    for i in range(40):
        x = torch.randint(11, (4, 6))
        out = m(x, labels=x, scale=2.0)
        out.loss.backward()
        opt.step()
        opt.zero_grad()


if __name__ == "__main__":
    main()
