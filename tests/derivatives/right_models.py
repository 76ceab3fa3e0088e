"""Models whose gradients are right, chosen because a careless checker calls them wrong; each gives (model, loss, batch)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kazami.derivatives.loss_bench import Loss

Case = tuple[nn.Module, Loss, tuple[object, object]]


class Attention(nn.Module):
    """Self-attention with a causal mask of minus infinities, layer norm and a residual."""

    def __init__(self, width: int = 8, heads: int = 2) -> None:
        super().__init__()
        self.norm, self.qkv, self.out, self.heads = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus what the heads say."""
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-1, -2)) / math.sqrt(c // self.heads)
        scores = scores.masked_fill(torch.triu(torch.ones(t, t, dtype=torch.bool), 1), -math.inf)
        return x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, c))


class TiedLanguageModel(nn.Module):
    """Embedding and output share their weights."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.block, self.head = nn.Embedding(11, 8), Attention(), nn.Linear(8, 11, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits, shape (n, 11, t)."""
        return self.head(self.block(self.embedding(tokens))).transpose(1, 2)


class Recurrent(nn.Module):
    """An LSTM that makes its own initial state."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the last output."""
        state = (torch.zeros(1, len(x), 5), torch.zeros(1, len(x), 5))
        return self.head(self.lstm(x, state)[0][:, -1])


class TwoHeads(nn.Module):
    """Two inputs, two outputs in a dict, one parameter that nothing uses."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.unused = nn.Linear(3, 4), nn.Linear(2, 4), nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Return sum and product."""
        return {"sum": self.a(x) + self.b(y), "product": self.a(x) * self.b(y)}


class Distances(nn.Module):
    """Distances to centres, computed the cancelling way, one of them almost zero."""

    def __init__(self, points: Tensor) -> None:
        super().__init__()
        self.centres = nn.Parameter(points[:4] + torch.tensor([1e-4, 0.3, 0.7, 1.0])[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Return the matrix of distances."""
        return torch.cdist(x, self.centres, compute_mode="use_mm_for_euclid_dist")


class Energy(nn.Module):
    """Differentiates inside its own forward pass: forces of a potential."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return minus the gradient of the energy."""
        x = x.requires_grad_(True)
        return -torch.autograd.grad(self.net(x).sum(), x, create_graph=True)[0]


class InPlace(nn.Module):
    """Changes its input and views in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        x.mul_(2)
        hidden = self.first(x)
        hidden[:, :3].mul_(hidden[:, 3:].detach() ** 0 * 3).add_(1)
        return self.second(hidden.tanh_())


class CastsToFloat32(nn.Module):
    """Part of it is computed in float32, as a kernel without float64 would."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 16), nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        hidden = torch.tanh(self.first(x).float())
        return self.second(hidden.to(x.dtype))


class RefusesFloat64(nn.Module):
    """Makes a float32 tensor by name and multiplies matrices with it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        return self.first(x) @ torch.eye(2, dtype=torch.float32)


class Carries(nn.Module):
    """Keeps a counter and its last hidden state."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.count, self.hidden = nn.Linear(4, 4), 0, None
        self.register_buffer("average", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of x plus the state that was carried along."""
        self.count += 1
        out = self.net(x) if self.hidden is None else self.net(x + self.hidden)
        self.hidden = out.detach().mean(0)
        self.average = 0.9 * self.average + 0.1 * self.hidden
        return out * self.count


class CancelsAtZero(nn.Module):
    """relu(x) - relu(-x) = x, started at x = 0, where every subgradient that torch picks is wrong and every point near by is right."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weight."""
        value = x * self.weight
        return (F.relu(value) - F.relu(-value)).sum(1, keepdim=True)


class UNet(nn.Module):
    """Down and up again, with a skip by concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.middle, self.out = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return an image."""
        high = F.gelu(self.down(x))
        low = F.mish(self.middle(F.max_pool2d(high, 2)))
        return self.out(torch.cat([high, F.interpolate(low, scale_factor=2, mode="bilinear")], 1))


def _l1(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).abs().mean()


def _heads(output: dict[str, Tensor], target: Tensor) -> Tensor:
    return F.mse_loss(output["sum"], target) + output["product"].pow(2).mean()


def _deep_sigmoid() -> nn.Module:
    return nn.Sequential(*(layer for _ in range(14) for layer in (nn.Linear(6, 6), nn.Sigmoid())))


def _scaled(model: nn.Module, factor: float) -> nn.Module:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(factor)
    return model


def _zeroed(model: nn.Module) -> nn.Module:
    return _scaled(model, 0.0)


def right_models() -> dict[str, Case]:
    """Return the cases by name, always the same ones."""
    torch.manual_seed(0)
    x4, y2, c3 = torch.randn(16, 4), torch.randn(16, 2), torch.randint(3, (16,))
    images, sequences, tokens = torch.randn(4, 1, 8, 8), torch.randn(6, 7, 3), torch.randint(11, (3, 6))
    conv = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    relu = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(inplace=True), nn.Linear(64, 3))
    return {
        "attention": (Attention(), F.mse_loss, (torch.randn(2, 5, 8), torch.randn(2, 5, 8))),
        "tied language model": (TiedLanguageModel(), nn.CrossEntropyLoss(weight=torch.rand(11)), (tokens, tokens.roll(1, 1))),
        "lstm": (Recurrent(), F.mse_loss, (sequences, torch.randn(6, 2))),
        "two heads, one unused": (TwoHeads(), _heads, ((torch.randn(5, 3), torch.randn(5, 2)), torch.randn(5, 4))),
        "convolutions and norms": (conv, F.cross_entropy, (images, c3[:4])),
        "relu": (relu, F.cross_entropy, (x4, c3)),
        "relu and l1, piecewise linear": (nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(), nn.Linear(16, 2)), _l1, (x4, y2)),
        "u-net": (UNet(), F.mse_loss, (images, images.flip(0))),
        "distances near zero": (Distances(x4), lambda d, t: d.mean(), (x4, None)),
        "large logits": (_scaled(nn.Linear(4, 3), 1e3), F.cross_entropy, (x4, c3)),
        "vanishing gradients": (_deep_sigmoid(), F.mse_loss, (torch.randn(8, 6), torch.randn(8, 6))),
        "all weights zero": (_zeroed(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))), F.cross_entropy, (x4, c3)),
        "zero weights and kinks that cancel": (CancelsAtZero(), F.mse_loss, (torch.randn(6, 3), torch.randn(6, 1))),
        "dropout": (nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 2)), F.mse_loss, (x4, y2)),
        "bias before batch norm": (nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2)), F.mse_loss, (x4, y2)),
        "differentiates inside": (Energy(), F.mse_loss, (y2, torch.randn(16, 2))),
        "in place": (InPlace(), F.mse_loss, (x4, y2)),
        "casts to float32": (CastsToFloat32(), F.mse_loss, (x4, y2)),
        "refuses float64": (RefusesFloat64(), F.mse_loss, (x4, y2)),
        "carries state": (Carries(), F.mse_loss, (x4, torch.randn(16, 4))),
        "encoder layer": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), F.mse_loss, (torch.randn(2, 5, 8), torch.randn(2, 5, 8))),
        "weight norm": (nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 6)), nn.SELU(), nn.Linear(6, 2)), F.mse_loss, (x4, y2)),
        "sparse embedding": (nn.Sequential(nn.Embedding(11, 4, sparse=True), nn.Flatten(), nn.Linear(24, 2)), F.mse_loss, (tokens, torch.randn(3, 2))),
        "half precision weights": (nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2)).bfloat16(), F.mse_loss, (x4, y2)),
        "tiny weights": (_scaled(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), 1e-6), F.mse_loss, (x4, y2)),
        "huge weights": (_scaled(nn.Sequential(nn.Linear(4, 8), nn.Softsign(), nn.Linear(8, 2)), 1e4), F.mse_loss, (x4, y2)),
    }
