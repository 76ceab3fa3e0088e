"""Models of many kinds, whose operations and wires are known by hand."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut, projected where the sizes change."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = (
            nn.Sequential() if stride == 1 and inputs == outputs else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class ResNet(nn.Module):
    """A stem, three stages of two blocks, a head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.stages = nn.Sequential(BasicBlock(8, 8), BasicBlock(8, 8), BasicBlock(8, 16, 2), BasicBlock(16, 16), BasicBlock(16, 32, 2), BasicBlock(32, 32))
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.stages(F.relu(self.stem(x)))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class UNet(nn.Module):
    """Two levels down and up, with concatenations."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.bottom = (nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.ReLU()) for i, o in ((1, 4), (4, 8), (8, 16)))
        self.up2, self.up1 = nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(8, 4, 2, 2)
        self.merge2, self.merge1 = (nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.ReLU()) for i, o in ((16, 8), (8, 4)))
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.bottom(F.max_pool2d(b, 2))
        b = self.merge2(torch.cat([self.up2(c), b], 1))
        a = self.merge1(torch.cat([self.up1(b), a], 1))
        return self.out(a)


class DenseNet(nn.Module):
    """Each layer reads what all layers before it gave."""

    def __init__(self, width: int = 4, depth: int = 4):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width * (i + 1), width) for i in range(depth))

    def forward(self, x):
        seen = [x]
        for layer in self.layers:
            seen.append(torch.relu(layer(torch.cat(seen, -1))))
        return torch.cat(seen, -1)


class LSTMHead(nn.Module):
    """A recurrent layer and a linear head on its last state."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 6, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


class UnrolledRNN(nn.Module):
    """A loop over time written by hand: the same two weights at every step."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer, self.head = nn.Linear(5, 5, bias=False), nn.Linear(3, 5), nn.Linear(5, 2)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], 5)
        for t in range(x.shape[1]):
            h = torch.tanh(self.outer(x[:, t]) + self.inner(h))
        return self.head(h)


class GPTBlock(nn.Module):
    """Attention and a perceptron, both behind a normalisation and with a shortcut."""

    def __init__(self, width: int, heads: int, by_hand: bool):
        super().__init__()
        self.heads, self.by_hand = heads, by_hand
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("mask", torch.tril(torch.ones(32, 32)))

    def attend(self, x):
        n, t, c = x.shape
        q, k, v = (part.view(n, t, self.heads, c // self.heads).transpose(1, 2) for part in self.qkv(x).split(c, dim=2))
        if self.by_hand:
            scores = (q @ k.transpose(-2, -1)) * (c // self.heads) ** -0.5
            scores = scores.masked_fill(self.mask[:t, :t] == 0, float("-inf"))
            y = F.softmax(scores, dim=-1) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(y.transpose(1, 2).contiguous().view(n, t, c))

    def forward(self, x):
        x = x + self.attend(self.ln1(x))
        return x + self.down(F.gelu(self.up(self.ln2(x))))


class GPT(nn.Module):
    """Token and place embeddings, blocks, and a head tied to the tokens."""

    def __init__(self, depth: int = 12, by_hand: bool = False):
        super().__init__()
        self.tokens, self.places = nn.Embedding(17, 8), nn.Embedding(32, 8)
        self.blocks = nn.ModuleList(GPTBlock(8, 2, by_hand) for _ in range(depth))
        self.ln, self.head = nn.LayerNorm(8), nn.Linear(8, 17, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        x = self.tokens(ids) + self.places(torch.arange(ids.shape[1], device=ids.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln(x))


class Branching(nn.Module):
    """Takes another way where the sum of its features is positive."""

    def __init__(self):
        super().__init__()
        self.first, self.yes, self.no = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x):
        h = torch.tanh(self.first(x))
        return self.yes(h) if h.sum() > 0 else self.no(h)


class TiedAutoencoder(nn.Module):
    """Encodes with W and decodes with its transpose."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 8) / 4)
        self.b, self.c = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(8))

    def forward(self, x):
        h = torch.sigmoid(F.linear(x, self.weight, self.b))
        return F.linear(h, self.weight.t(), self.c)


class Checkpointed(nn.Module):
    """Recomputes its two parts in the backward pass."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2)

    def forward(self, x):
        return checkpoint(self.b, checkpoint(self.a, x, use_reentrant=False), use_reentrant=False)


class TwoTowers(nn.Module):
    """Two inputs, one of them optional and by keyword, and a dictionary of outputs."""

    def __init__(self):
        super().__init__()
        self.user, self.item, self.score = nn.Linear(3, 4), nn.Linear(5, 4), nn.Bilinear(4, 4, 1)

    def forward(self, user, item, *, scale=None):
        u, v = torch.relu(self.user(user)), torch.relu(self.item(item))
        score = self.score(u, v)
        return {"score": score if scale is None else score * scale, "user": u}


class Whitening(nn.Module):
    """A running mean of its own, kept in a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        if self.training:
            self.mean.mul_(0.9).add_(0.1 * x.mean(0))
        return self.layer(x - self.mean)


class EinsumHeads(nn.Module):
    """A layer written as an einsum."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(2, 3, 4)), nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return torch.tanh(torch.einsum("nhi,hio->nho", x, self.weight) + self.bias)


class GLUBlock(nn.Module):
    """A gated linear unit: one half of the features gates the other."""

    def __init__(self):
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(4, 6), nn.Linear(4, 6), nn.Linear(6, 4)

    def forward(self, x):
        return x + self.down(F.silu(self.gate(x)) * self.up(x))


class Masked(nn.Module):
    """Reads a boolean mask through Python and writes into its own result: no exporter follows."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        h = self.layer(x)
        for row in range(len(x)):
            if bool(h[row].max() > 0.1):
                h = h * 2
        return h


class Lazy(nn.Module):
    """Learns its own input size at the first call."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LazyLinear(4), nn.Linear(4, 2)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def mlp() -> nn.Module:
    """3-4-2 with a ReLU."""
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def deep(depth: int, width: int = 4) -> nn.Module:
    """``depth`` equal layers."""
    return nn.Sequential(*[nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(depth)])


def uneven(depth: int) -> nn.Module:
    """``depth`` layers no two of which are equal."""
    return nn.Sequential(*[nn.Sequential(nn.Linear(i + 2, i + 3), nn.Tanh()) for i in range(depth)])


class ResidualStack(nn.Module):
    """``depth`` equal residual blocks."""

    def __init__(self, depth: int):
        super().__init__()
        self.first = nn.Linear(2, 4)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)) for _ in range(depth))
        self.last = nn.Linear(4, 1)

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


def ids(*shape: int) -> Tensor:
    """Return tokens."""
    return torch.randint(17, shape, generator=torch.Generator().manual_seed(0))


def data(*shape: int) -> Tensor:
    """Return numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


ZOO = {
    "mlp": lambda: (mlp(), data(5, 3)),
    "resnet": lambda: (ResNet(), data(2, 3, 16, 16)),
    "unet": lambda: (UNet(), data(2, 1, 16, 16)),
    "densenet": lambda: (DenseNet(), data(5, 4)),
    "lstm": lambda: (LSTMHead(), data(3, 20, 3)),
    "unrolled": lambda: (UnrolledRNN(), data(3, 20, 3)),
    "encoder": lambda: (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 3, enable_nested_tensor=False), data(3, 7, 8)),
    "gpt": lambda: (GPT(6), ids(3, 7)),
    "gpt_by_hand": lambda: (GPT(4, by_hand=True), ids(3, 7)),
    "branching": lambda: (Branching(), data(3, 3)),
    "tied": lambda: (TiedAutoencoder(), data(3, 8)),
    "checkpointed": lambda: (Checkpointed(), data(3, 3)),
    "towers": lambda: (TwoTowers(), (data(3, 3), data(3, 5))),
    "whitening": lambda: (Whitening(), data(3, 3)),
    "einsum": lambda: (EinsumHeads(), data(5, 2, 3)),
    "glu": lambda: (GLUBlock(), data(5, 4)),
    "masked": lambda: (Masked(), data(3, 3)),
    "lazy": lambda: (Lazy(), data(5, 3)),
    "deep": lambda: (deep(100), data(5, 4)),
    "stack": lambda: (ResidualStack(100), data(5, 2)),
    "attention": lambda: (nn.MultiheadAttention(8, 2, batch_first=True), (data(3, 7, 8), data(3, 7, 8), data(3, 7, 8))),
}
