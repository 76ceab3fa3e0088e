import os
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments
from cases import CASE, LR, WITH, build, done, x, y
class Rows(Dataset):
    def __init__(self, a, b): self.a, self.b = a, b
    def __len__(self): return len(self.a)
    def __getitem__(self, i): return {"inputs": self.a[i], "labels": self.b[i]}
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = build()
    def forward(self, inputs, labels=None):
        logits = self.net(inputs)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}
model = Model()
args = TrainingArguments("out", per_device_train_batch_size=32, num_train_epochs=6, learning_rate=LR, optim="sgd", report_to=[], save_strategy="no", eval_strategy="epoch", use_cpu=True, logging_steps=50, seed=0)
cb = []
if WITH:
    from kazami.integrations.transformers import KazamiCallback
    cb = [KazamiCallback()]
t = Trainer(model, args, train_dataset=Rows(x[:1400], y[:1400]), eval_dataset=Rows(x[1400:], y[1400:]), callbacks=cb)
t.train()
done(model, cb[0] if cb else None)
