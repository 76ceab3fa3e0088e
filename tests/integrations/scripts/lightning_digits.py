import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from cases import CASE, LR, WITH, build, done, x, y

class Digits(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = build()
    def training_step(self, batch, index):
        loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss
    def validation_step(self, batch, index):
        self.log("val_loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))
    def configure_optimizers(self):
        return torch.optim.SGD([p for p in self.parameters() if p.requires_grad], lr=LR, momentum=0.9 if CASE == "healthy" else 0)

L.seed_everything(0)
model = Digits()
cb = []
if WITH:
    from kazami.integrations.lightning import KazamiCallback
    cb = [KazamiCallback()]
trainer = L.Trainer(max_epochs=6, accelerator="cpu", logger=False, enable_checkpointing=False, enable_model_summary=False, callbacks=cb)
trainer.fit(model, DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=32, shuffle=True), DataLoader(TensorDataset(x[1400:], y[1400:]), batch_size=64))
done(model, cb[0] if cb else None)
