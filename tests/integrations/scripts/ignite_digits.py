import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from ignite.engine import Events, create_supervised_trainer, create_supervised_evaluator
from ignite.metrics import Loss
from cases import CASE, LR, WITH, build, done, x, y
torch.manual_seed(0)
model = build()
opt = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=LR, momentum=0.9 if CASE == "healthy" else 0)
trainer = create_supervised_trainer(model, opt, nn.CrossEntropyLoss())
ev = create_supervised_evaluator(model, {"loss": Loss(nn.CrossEntropyLoss())})
val = DataLoader(TensorDataset(x[1400:], y[1400:]), batch_size=64)
@trainer.on(Events.EPOCH_COMPLETED)
def evaluate(engine):
    ev.run(val)
    print(engine.state.epoch, ev.state.metrics)
w = None
if WITH:
    from kazami.integrations.ignite import attach
    w = attach(trainer, model, opt)
trainer.run(DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=32, shuffle=True), max_epochs=6)
done(model, w)
