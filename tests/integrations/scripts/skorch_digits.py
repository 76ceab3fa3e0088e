import torch
from skorch import NeuralNetClassifier
from torch import nn
from cases import CASE, LR, WITH, build, done, x, y
cb = []
if WITH:
    from kazami.integrations.skorch import KazamiCallback
    cb = [("kazami", KazamiCallback())]
torch.manual_seed(0)
net = NeuralNetClassifier(build(), criterion=nn.CrossEntropyLoss, optimizer=torch.optim.SGD, optimizer__momentum=0.9 if CASE == "healthy" else 0, lr=LR, batch_size=32, max_epochs=6, iterator_train__shuffle=True, callbacks=cb)
net.fit(x.numpy(), y.numpy())
done(net.module_, dict(net.callbacks_)["kazami"] if cb else None)
