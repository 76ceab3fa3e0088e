"""Models of every kind, each with a batch and a loss, in float64: what a surface must get right."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Case = tuple[nn.Module, object, tuple[object, object]]


class Tied(nn.Module):
    """An autoencoder whose decoder is its encoder's transpose, with a gain of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(6, 3)
        self.gain = nn.Parameter(torch.tensor(0.7))
        self.offset = nn.Parameter(torch.randn(6) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.encoder(x))
        return self.gain * (hidden @ self.encoder.weight) + self.offset


class ResidualMlp(nn.Module):
    """Skips, a concatenation, in-place activations, and a model input used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6)
        self.second = nn.Linear(6, 6, bias=False)
        self.head = nn.Linear(12, 3)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        hidden = x + self.act(self.inner(x))
        other = hidden - 0.5 * F.gelu(self.second(self.norm(hidden)))
        return self.head(torch.cat([hidden, other], dim=1))


class ImageResidual(nn.Module):
    """A skip and a concatenation of images, a mean over the picture, functions instead of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.second, self.third = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 3, 1)
        self.scale = nn.Parameter(torch.tensor(0.3))

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.norm(self.first(x)))
        other = hidden + self.scale * torch.tanh(self.second(hidden))
        joined = torch.cat([F.max_pool2d(other, 2), F.max_pool2d(hidden, 3, stride=2, padding=1)], 1)
        return self.third(joined).mean((2, 3))


class Attention(nn.Module):
    """Tokens in, classes out: an embedding, one head of attention, a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.qkv = nn.Linear(8, 24)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        q, k, v = self.qkv(self.norm(x)).chunk(3, dim=-1)
        return self.head((x + F.scaled_dot_product_attention(q, k, v)).mean(1))


class TwoInputsTwoOutputs(nn.Module):
    """Two inputs and a dict of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, 5), nn.Linear(3, 5)
        self.mean, self.scale = nn.Linear(5, 1), nn.Linear(5, 1)

    def forward(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        hidden = torch.tanh(self.left(a) * self.right(b))
        return {"mean": self.mean(hidden), "scale": F.softplus(self.scale(hidden))}


def gaussian(output: dict[str, Tensor], target: Tensor) -> Tensor:
    """Return the negative log-likelihood of a normal distribution."""
    return (((target - output["mean"]) / output["scale"]) ** 2 / 2 + output["scale"].log()).mean()


def cases() -> dict[str, Case]:
    """Return all of them, freshly made from one seed."""
    torch.manual_seed(0)
    x, labels, values = torch.randn(7, 6), torch.randint(3, (7,)), torch.randn(7, 3)
    images = torch.randn(5, 1, 6, 6)
    cross_entropy = F.cross_entropy
    made: dict[str, Case] = {
        "mlp": (nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 3)), cross_entropy, (x, labels)),
        "mlp_mse": (nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3)), nn.MSELoss(), (x, values)),
        "own_loss": (nn.Sequential(nn.Linear(6, 8), nn.Sigmoid(), nn.Linear(8, 3)), lambda o, t: (o - t).abs().pow(1.5).mean(), (x, values)),
        "smoothed": (nn.Sequential(nn.Linear(6, 8), nn.ELU(), nn.Linear(8, 3)), nn.CrossEntropyLoss(label_smoothing=0.1), (x, labels)),
        "linear": (nn.Linear(6, 3), cross_entropy, (x, labels)),
        "one_output": (nn.Sequential(nn.Linear(6, 4), nn.SiLU(), nn.Linear(4, 1), nn.Flatten(0)), F.mse_loss, (x, values[:, 0])),
        "flattened": (nn.Sequential(nn.Flatten(), nn.Linear(36, 4), nn.ReLU(), nn.Linear(4, 3)), cross_entropy, (images, labels[:5])),
        "batch_norm": (nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)), cross_entropy, (x, labels)),
        "no_bias": (nn.Sequential(nn.Linear(6, 8, bias=False), nn.LayerNorm(8), nn.LogSoftmax(dim=1), nn.Linear(8, 3, bias=False)), cross_entropy, (x, labels)),
        "tied": (Tied(), F.mse_loss, (x, x)),
        "residual": (ResidualMlp(), cross_entropy, (x, labels)),
        "convolution": (
            nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)),
            cross_entropy,
            (images, labels[:5]),
        ),
        "residual_images": (ImageResidual(), cross_entropy, (images, labels[:5])),
        "strided": (
            nn.Sequential(nn.Conv2d(1, 3, 3, stride=2, padding=1), nn.GELU(), nn.AvgPool2d(2, 1), nn.Conv2d(3, 3, 2, groups=3), nn.Flatten(), nn.Linear(3, 2)),
            F.mse_loss,
            (images, values[:5, :2]),
        ),
        "attention": (Attention(), cross_entropy, (torch.randint(11, (7, 5)), labels)),
        "two_inputs": (TwoInputsTwoOutputs(), gaussian, ((x[:, :4], x[:, :3]), values[:, :1])),
        "lstm": (_LastOfLstm(), cross_entropy, (torch.randn(7, 5, 6), labels)),
    }
    return {name: (_settled(model).double(), loss, _double(batch)) for name, (model, loss, batch) in made.items()}


class _LastOfLstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(6, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def _settled(model: nn.Module) -> nn.Module:
    """Give BatchNorm statistics that are not the initial ones."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(generator=torch.Generator().manual_seed(1)).mul_(0.3)
            module.running_var.uniform_(0.5, 2.0, generator=torch.Generator().manual_seed(2))
    return model


def _double(value):
    if isinstance(value, tuple):
        return tuple(_double(entry) for entry in value)
    return value.double() if value.is_floating_point() else value
