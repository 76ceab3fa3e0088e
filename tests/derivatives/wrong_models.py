"""Models with one planted error each; each gives (model, loss, batch, names that may be blamed, index or None)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kazami.derivatives.loss_bench import Loss

WrongCase = tuple[nn.Module, Loss, tuple[object, object], set[str], tuple[int, ...] | None]


class WrongLinear(torch.autograd.Function):
    """x Wᵀ + b whose backward has the error named by ``kind``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, kind: str) -> Tensor:
        """Return the affine map."""
        ctx.save_for_backward(x, weight)
        ctx.kind = kind
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """Return gradients, one of them wrong."""
        x, weight = ctx.saved_tensors
        by_x, by_weight, by_bias = grad @ weight, grad.T @ x, grad.sum(0)
        match ctx.kind:
            case "factor two":
                by_weight = 2 * by_weight
            case "transposed":
                by_weight = by_weight.T
            case "sign of bias":
                by_bias = -by_bias
            case "one entry":
                by_weight = by_weight.clone()
                by_weight[1, 2] *= 1.01
            case "one entry missing":
                by_weight = by_weight.clone()
                by_weight[2, 0] = 0
            case "no sum over batch":
                by_bias = grad[0]
            case "mean for sum":
                by_bias = grad.mean(0)
            case "no gradient for bias":
                by_bias = None
            case "not a number":
                by_weight = by_weight.clone()
                by_weight[0, 1] = torch.nan
            case "wrong input gradient":
                by_x = 0.5 * by_x
        return by_x, by_weight, by_bias, None


class Layer(nn.Linear):
    """A linear layer with a hand-written backward."""

    def __init__(self, n_in: int, n_out: int, kind: str) -> None:
        super().__init__(n_in, n_out)
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """Return the affine map."""
        return WrongLinear.apply(x, self.weight, self.bias, self.kind)


class WrongSquash(torch.autograd.Function):
    """tanh(x) or leaky ReLU with a wrong derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kind: str) -> Tensor:
        """Return the activation."""
        out = torch.where(x > 0, x, 0.1 * x) if kind == "negative side" else torch.tanh(x)
        ctx.save_for_backward(x, out)
        ctx.kind = kind
        if kind == "stale":
            out.data.mul_(1.0)
            ctx.kept = out.detach()
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """Return a wrong gradient."""
        x, out = ctx.saved_tensors
        if ctx.kind == "negative side":
            return torch.where(x > 0, grad, 0.2 * grad), None
        if ctx.kind == "missing term":
            return grad * (1 - out), None
        return grad * (1 - x**2), None


class Squash(nn.Module):
    """The activation as a module."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation."""
        return WrongSquash.apply(x, self.kind)


class StaleBuffer(torch.autograd.Function):
    """x² that keeps x in a workspace which the next call overwrites."""

    workspace: Tensor

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return x²."""
        StaleBuffer.workspace = x.detach().clone()
        return x**2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """Return 2 x grad with whatever x was last."""
        return 2 * StaleBuffer.workspace * grad


class UsedTwice(nn.Module):
    """Uses the stale workspace in two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Return two squares on end."""
        return StaleBuffer.apply(self.b(StaleBuffer.apply(self.a(x))))


class Detached(nn.Module):
    """One branch is cut from the graph in one of several ways."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.trunk, self.branch, self.how = nn.Linear(4, 4), nn.Linear(4, 2), how

    def forward(self, x: Tensor) -> Tensor:
        """Return the branch's output."""
        hidden = torch.tanh(self.trunk(x))
        if self.how == "detach":
            hidden = hidden.detach()
        elif self.how == "data":
            return F.linear(hidden, self.branch.weight, self.branch.bias.data)
        elif self.how == "no_grad":
            with torch.no_grad():
                scale = self.trunk.weight.norm()
            return self.branch(hidden) * scale
        elif self.how == "item":
            return self.branch(hidden) * self.branch.bias.sum().item()
        return self.branch(hidden)


class StraightThrough(torch.autograd.Function):
    """round(8 x) / 8 with the gradient of the identity."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return x on a grid."""
        return torch.round(8 * x) / 8

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """Let the gradient through."""
        return grad


class Quantised(nn.Module):
    """A layer with rounded activations, trained straight through."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, width), nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        return self.b(StraightThrough.apply(self.a(x)))


class Float32Kernel(torch.autograd.Function):
    """A kernel that computes in float32 only, and whose backward is wrong by 5 %."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return tanh(x)."""
        out = torch.tanh(x.float())
        ctx.save_for_backward(out)
        return out.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """Return 1.05 times the gradient."""
        (out,) = ctx.saved_tensors
        return (1.05 * grad.float() * (1 - out**2)).to(grad.dtype)


class Kernel(nn.Module):
    """The float32 kernel as a module."""

    def forward(self, x: Tensor) -> Tensor:
        """Return tanh(x)."""
        return Float32Kernel.apply(x)


def wrong_models() -> dict[str, WrongCase]:
    """Return the cases by name, always the same ones."""
    torch.manual_seed(1)
    batch = (torch.randn(6, 4), torch.randn(6, 2))

    def linear(kind: str) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), Layer(3, 3, kind), nn.Tanh(), nn.Linear(3, 2))

    def squash(kind: str) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 4), Squash(kind), nn.Linear(4, 2))

    before = {"0.weight", "0.bias"}
    return {
        "factor two": (linear("factor two"), F.mse_loss, batch, {"2.weight"}, None),
        "transposed": (linear("transposed"), F.mse_loss, batch, {"2.weight"}, None),
        "sign of bias": (linear("sign of bias"), F.mse_loss, batch, {"2.bias"}, None),
        "one entry": (linear("one entry"), F.mse_loss, batch, {"2.weight"}, (1, 2)),
        "one entry missing": (linear("one entry missing"), F.mse_loss, batch, {"2.weight"}, (2, 0)),
        "no sum over batch": (linear("no sum over batch"), F.mse_loss, batch, {"2.bias"}, None),
        "mean for sum": (linear("mean for sum"), F.mse_loss, batch, {"2.bias"}, None),
        "no gradient for bias": (linear("no gradient for bias"), F.mse_loss, batch, {"2.bias"}, None),
        "not a number": (linear("not a number"), F.mse_loss, batch, {"2.weight"}, (0, 1)),
        "wrong input gradient": (linear("wrong input gradient"), F.mse_loss, batch, before, None),
        "negative side": (squash("negative side"), F.mse_loss, batch, before, None),
        "missing term": (squash("missing term"), F.mse_loss, batch, before, None),
        "wrong formula": (squash("wrong formula"), F.mse_loss, batch, before, None),
        "stale workspace": (UsedTwice(), F.mse_loss, (batch[0], torch.randn(6, 4)), {"a.weight", "a.bias"}, None),
        "detach": (Detached("detach"), F.mse_loss, batch, {"trunk.weight", "trunk.bias"}, None),
        "data": (Detached("data"), F.mse_loss, batch, {"branch.bias"}, None),
        "no_grad": (Detached("no_grad"), F.mse_loss, batch, {"trunk.weight"}, None),
        "item": (Detached("item"), F.mse_loss, batch, {"branch.bias"}, None),
        "straight through": (Quantised(), F.mse_loss, batch, {"a.weight", "a.bias"}, None),
        "wide straight through": (Quantised(96), F.mse_loss, (torch.randn(96, 4), torch.randn(96, 2)), {"a.weight", "a.bias"}, None),
        "float32 kernel": (nn.Sequential(nn.Linear(4, 8), Kernel(), nn.Linear(8, 2)), F.mse_loss, batch, before, None),
    }
