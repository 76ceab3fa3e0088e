r"""The Jacobian of a network's outputs with respect to its inputs, as products: :math:`J v` and :math:`J^{\mathsf T} u`, never stored unless it is small."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ...errors import UsageError
from .flat_network import InputOutputMap
from .forward_mode import dual_numbers

N_SMALL = 48  # so many products give the whole Jacobian of a row exactly, at about the price of a search with repeated values
MAX_BLOCKS = 40


@dataclass(slots=True)
class JacobianProducts:
    r"""Products with the Jacobian :math:`J = \partial f / \partial x` of each row.

    Forward products use forward-mode differentiation where the network's operations have it; else the double-backward trick
    (:math:`J^{\mathsf T} w` is linear in :math:`w`; its derivative in the direction of :math:`v` is :math:`J v`); where neither works :math:`J` is built
    row by row.

    Args:
        function: The network.
        way: How forward products are made; found out at the first.

    References:
        Pearlmutter 1994, "Fast exact multiplication by the Hessian"; Townsend 2017, "A new trick for calculating Jacobian vector products".
    """

    function: InputOutputMap
    way: Literal["", "forward mode", "double backward", "rows"] = ""

    def forward(self, rows: Tensor, tangents: Tensor, context: Tensor | None = None) -> Tensor:
        """Return :math:`J v` for each row: ``rows`` and ``tangents`` of shape ``(B, n)``, result ``(B, m)``."""
        if not self.way:
            self._find_way(rows[:1], tangents[:1], None if context is None else context[:1])
        if self.way == "forward mode":
            return self._by_forward_mode(rows, tangents, context)
        if self.way == "double backward":
            return self._by_double_backward(rows, tangents, context)
        return torch.einsum("bmn,bn->bm", self._by_rows(rows, context), tangents)

    def backward(self, rows: Tensor, cotangents: Tensor, context: Tensor | None = None) -> Tensor:
        r"""Return :math:`J^{\mathsf T} u` for each row: ``cotangents`` of shape ``(B, m)``, result ``(B, n)``."""
        with torch.enable_grad():
            leaf = rows.detach().requires_grad_()
            output = self.function(leaf, context)
            if not output.requires_grad:
                return torch.zeros_like(rows)
            (product,) = torch.autograd.grad(output, leaf, cotangents, allow_unused=True, materialize_grads=True)
        return product.detach()

    def dense(self, rows: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the Jacobians themselves, shape ``(B, m, n)``, by as many products as the smaller side has."""
        m, n = self.function.n_outputs, self.function.n_inputs
        if n >= m:
            return self._by_rows(rows, context)
        eye = torch.eye(n, dtype=rows.dtype, device=rows.device)
        return torch.stack([self.forward(rows, eye[i].expand(len(rows), n), context) for i in range(n)], dim=2)

    def derivative_gap(self, rows: Tensor, directions: Tensor, context: Tensor | None = None) -> Tensor:
        r"""Return for each row how far :math:`J v` is from a central difference, relative to the larger; large where a backward pass is wrong, or at a kink."""
        step = self.function.rounding ** (1 / 3) * rows.abs().amax(1, keepdim=True).clamp_min(1.0)
        unit = directions / torch.linalg.vector_norm(directions, dim=1, keepdim=True).clamp_min(torch.finfo(rows.dtype).tiny)
        with torch.no_grad():
            numeric = (self.function(rows + step * unit, context) - self.function(rows - step * unit, context)) / (2 * step)
            noise = self.function.rounding ** (2 / 3) * torch.linalg.vector_norm(self.function(rows, context), dim=1)
        exact = self.forward(rows, unit, context)
        size = torch.maximum(torch.linalg.vector_norm(numeric, dim=1), torch.linalg.vector_norm(exact, dim=1))
        gap: Tensor = torch.linalg.vector_norm(numeric - exact, dim=1) / (size + noise).clamp_min(torch.finfo(rows.dtype).tiny)
        return gap

    def _find_way(self, rows: Tensor, tangents: Tensor, context: Tensor | None) -> None:
        """Take the first way that works and agrees with the backward pass."""
        generator = torch.Generator().manual_seed(0)
        cotangents = torch.randn(len(rows), self.function.n_outputs, generator=generator, dtype=torch.float64).to(rows)
        probe = torch.randn(tangents.shape, generator=generator, dtype=torch.float64).to(rows)
        across = float((self.backward(rows, cotangents, context) * probe).sum())
        for way, product in (("forward mode", self._by_forward_mode), ("double backward", self._by_double_backward)):
            try:
                along = float((product(rows, probe, context) * cotangents).sum())
            except RuntimeError:  # an operation without this kind of derivative
                continue
            if abs(along - across) <= self.function.rounding**0.5 * (abs(along) + abs(across)):
                self.way = way  # type: ignore[assignment]
                return
        self.way = "rows"

    def _by_forward_mode(self, rows: Tensor, tangents: Tensor, context: Tensor | None) -> Tensor:
        with dual_numbers():
            dual = forward_ad.make_dual(rows.detach().contiguous(), tangents.detach().contiguous())
            tangent = forward_ad.unpack_dual(self.function(dual, context)).tangent
            return torch.zeros(len(rows), self.function.n_outputs).to(rows) if tangent is None else tangent.clone()

    def _by_double_backward(self, rows: Tensor, tangents: Tensor, context: Tensor | None) -> Tensor:
        with torch.enable_grad():
            leaf = rows.detach().requires_grad_()
            output = self.function(leaf, context)
            weights = torch.zeros_like(output, requires_grad=True)
            (across,) = torch.autograd.grad(output, leaf, weights, create_graph=True, allow_unused=True, materialize_grads=True)
            if not across.requires_grad:
                return torch.zeros_like(output)
            (along,) = torch.autograd.grad(across, weights, tangents, allow_unused=True, materialize_grads=True)
        return along.detach()

    def _by_rows(self, rows: Tensor, context: Tensor | None) -> Tensor:
        with torch.enable_grad():
            leaf = rows.detach().requires_grad_()
            output = self.function(leaf, context)
            if not output.requires_grad:
                return torch.zeros(len(rows), self.function.n_outputs, self.function.n_inputs).to(rows)
            sums = output.sum(0)
            found = [
                torch.autograd.grad(sums[j], leaf, retain_graph=True, allow_unused=True, materialize_grads=True)[0] for j in range(self.function.n_outputs)
            ]
        return torch.stack(found, dim=1).detach()


@dataclass(frozen=True, slots=True)
class SingularTriplets:
    r"""The largest singular values of each row's Jacobian, with their directions: :math:`J v_i = \sigma_i u_i`.

    Attributes:
        values: Shape ``(B, k)``, largest first; NaN in a row whose Jacobian is not finite.
        right: Unit input directions :math:`v_i`, shape ``(B, k, n)``.
        left: Unit output directions :math:`u_i`, shape ``(B, k, m)``.
        residual: :math:`\max_i \lVert J^{\mathsf T} u_i - \sigma_i v_i \rVert / \sigma_1` of each row, shape ``(B,)``.
        n_products: Products with :math:`J` or its transpose per row.
        method: ``"dense"`` or ``"block Krylov"``.
    """

    values: Tensor
    right: Tensor
    left: Tensor
    residual: Tensor
    n_products: int
    method: str


def singular_triplets(
    products: JacobianProducts,
    rows: Tensor,
    *,
    k: int = 3,
    context: Tensor | None = None,
    tolerance: float = 1e-6,
    method: Literal["auto", "dense", "krylov"] = "auto",
    seed: int = 0,
) -> SingularTriplets:
    r"""Return the ``k`` largest singular values and vectors of each row's Jacobian.

    Where one side is small the Jacobian is built by that many products and decomposed. Else a block Krylov space of :math:`J^{\mathsf T}J` is
    grown, for all rows at once, orthogonalised twice, until the ``k`` largest have a residual below ``tolerance``. The block is wider than ``k``, so that
    equal singular values are found as often as they occur.

    Args:
        products: The network's Jacobian.
        rows: Where, shape ``(B, n)``.
        k: How many; at most the smaller side.
        context: See :class:`~kazami.nets.inside.flat_network.InputOutputMap`.
        tolerance: Largest relative residual.
        method: ``"auto"`` decides by size.
        seed: Of the starting block.

    References:
        Musco and Musco 2015, "Randomized block Krylov methods for stronger and faster approximate singular value decomposition".
    """
    m, n = products.function.n_outputs, products.function.n_inputs
    k = max(1, min(k, m, n))
    if method == "dense" or (method == "auto" and min(m, n) <= N_SMALL):
        jacobian, is_wild = _tamed(products.dense(rows, context))
        left, values, right = torch.linalg.svd(jacobian, full_matrices=False)
        return SingularTriplets(_marked(values[:, :k], is_wild), right[:, :k], left.mT[:, :k], torch.zeros(len(rows)), min(m, n), "dense")
    return _krylov(products, rows, k, context, tolerance, seed)


def _krylov(products: JacobianProducts, rows: Tensor, k: int, context: Tensor | None, tolerance: float, seed: int) -> SingularTriplets:
    n, width = products.function.n_inputs, min(k + 2, products.function.n_inputs)
    generator = torch.Generator().manual_seed(seed)
    block = torch.randn(len(rows), n, width, generator=generator, dtype=torch.float64).to(rows)
    basis = torch.empty(len(rows), n, 0).to(rows)
    images = torch.empty(len(rows), products.function.n_outputs, 0).to(rows)
    normal = torch.empty(len(rows), n, 0).to(rows)
    is_wild = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    count = 0
    while True:
        block = _orthonormal(block, basis)[:, :, : n - basis.shape[2]]
        image, is_wild_forwards = _tamed(_columns(products.forward, rows, block, context))
        back, is_wild_backwards = _tamed(_columns(products.backward, rows, image, context))
        is_wild |= is_wild_forwards | is_wild_backwards
        basis, images, normal = torch.cat([basis, block], 2), torch.cat([images, image], 2), torch.cat([normal, back], 2)
        count += 2 * block.shape[2]
        left, values, mixing = torch.linalg.svd(images, full_matrices=False)
        right = basis @ mixing.mT[:, :, :k]
        size = values[:, :k].clamp_min(torch.finfo(rows.dtype).tiny)
        gaps = torch.linalg.vector_norm(normal @ mixing.mT[:, :, :k] / size[:, None] - right * size[:, None], dim=1)
        residual = (gaps * (values[:, :k] > 0)).amax(1) / size[:, 0]
        is_full = basis.shape[2] >= min(n, MAX_BLOCKS * width)
        if is_full or bool((residual <= tolerance).all()):
            return SingularTriplets(_marked(values[:, :k], is_wild), right.mT, left.mT[:, :k], residual, count, "block Krylov")
        block = back


def _tamed(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Return the matrices with zeros for each that is not finite, which no decomposition takes, and which these are."""
    is_wild = ~torch.isfinite(matrices).flatten(1).all(1)
    return matrices.masked_fill(is_wild[:, None, None], 0.0), is_wild


def _marked(values: Tensor, is_wild: Tensor) -> Tensor:
    return values.masked_fill(is_wild[:, None], torch.nan)


def refuse_wild(values: Tensor, rows: list[int]) -> None:
    """Refuse singular values that a Jacobian without finite numbers gave.

    Args:
        values: Shape ``(B, k)``.
        rows: Which row of the example each is of.

    Raises:
        UsageError: Some are NaN.
    """
    wild = [row for row, value in zip(rows, values[:, 0].tolist(), strict=True) if value != value]
    if wild:
        raise UsageError(
            f"The network's derivative should be finite, and is NaN or infinite at {len(wild)} of the inputs (the first is row {wild[0]}): look for a "
            "logarithm, root or quotient at its edge there, or pass other inputs."
        )


def _orthonormal(block: Tensor, basis: Tensor) -> Tensor:
    """Return an orthonormal block orthogonal to ``basis``; twice, since once leaves rounding."""
    for _ in range(2):
        block = block - basis @ (basis.mT @ block)
        block = torch.linalg.qr(block)[0]
    return block


def _columns(product: object, rows: Tensor, block: Tensor, context: Tensor | None) -> Tensor:
    """Return the products of each row's Jacobian with each column of ``block``, shape ``(B, size, width)``."""
    width = block.shape[2]
    flat = block.mT.reshape(len(rows) * width, -1)
    where = rows.repeat_interleave(width, 0)
    context = (torch.zeros(len(rows), dtype=torch.long) if context is None else context).repeat_interleave(width)
    made = product(where, flat, context)  # type: ignore[operator]
    return made.reshape(len(rows), width, -1).mT  # type: ignore[no-any-return]
