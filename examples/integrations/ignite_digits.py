"""Handwritten digits with Ignite, as one would write it without kazami: ``kazami run ignite_digits.py``."""

import torch
from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
from ignite.metrics import Loss
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x, y = torch.tensor(data.data, dtype=torch.float32) / 16, torch.tensor(data.target)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()
trainer = create_supervised_trainer(model, torch.optim.Adam(model.parameters(), lr=2e-3), criterion)
evaluator = create_supervised_evaluator(model, {"loss": Loss(criterion)})
held_out = DataLoader(TensorDataset(x[1400:], y[1400:]), batch_size=64)


@trainer.on(Events.EPOCH_COMPLETED)
def evaluate(engine):
    evaluator.run(held_out)
    print(f"epoch {engine.state.epoch}: {evaluator.state.metrics['loss']:.3f}")


trainer.run(DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=32, shuffle=True), max_epochs=5)
