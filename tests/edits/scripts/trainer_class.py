import torch as th
from dataclasses import dataclass


@dataclass
class Config:
    width: int = 16
    lr: float = 0.5
    momentum: float = 0.995   # heavy ball
    steps: int = 80


class Trainer:
    def __init__(self, config: Config):
        self.config = config
        self.model = th.nn.Sequential(th.nn.Linear(4, config.width), th.nn.ReLU(), th.nn.Linear(config.width, 1))
        self.optimizer = th.optim.SGD(self.model.parameters(), lr=config.lr, momentum=self.config.momentum)
        self.loss_fn = th.nn.MSELoss()

    def fit(self, x, y):
        for _ in range(self.config.steps):
            self.optimizer.zero_grad()
            loss = self.loss_fn(self.model(x), y)
            loss.backward()
            self.optimizer.step()
        return loss.item()


th.manual_seed(0)
x = th.randn(64, 4)
trainer = Trainer(Config())
print(trainer.fit(x, x.sum(1, keepdim=True)))
