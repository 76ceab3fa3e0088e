"""Handwritten digits with skorch, as one would write it without kazami: ``kazami run skorch_digits.py``."""

import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
data = load_digits()
module = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
net = NeuralNetClassifier(module, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=2e-3, batch_size=32, max_epochs=5, iterator_train__shuffle=True)
net.fit((data.data / 16).astype("float32"), data.target)
