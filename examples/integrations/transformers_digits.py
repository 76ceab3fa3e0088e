"""Handwritten digits with the Trainer of transformers, as one would write it without kazami: ``kazami run transformers_digits.py``."""

import tempfile

import torch
from sklearn.datasets import load_digits
from torch import nn
from transformers import Trainer, TrainingArguments


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, pixels, labels):
        logits = self.net(pixels)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


torch.manual_seed(0)
data = load_digits()
x, y = torch.tensor(data.data, dtype=torch.float32) / 16, torch.tensor(data.target)
rows = [{"pixels": image, "labels": digit} for image, digit in zip(x, y, strict=True)]
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder, num_train_epochs=5, per_device_train_batch_size=32, learning_rate=2e-3, eval_strategy="epoch", save_strategy="no", report_to=[], use_cpu=True
    )
    Trainer(Digits(), arguments, train_dataset=rows[:1400], eval_dataset=rows[1400:]).train()
