"""The trace of a symmetric operator by Hutch++: exact on a sketched subspace, random probes for the rest."""

import math

import numpy as np
import torch

from ..records.estimate import Estimate, Remark
from .krylov import Basis, orthonormalised, random_rows
from .lanczos import SymmetricOperator
from .mean_products import dense


def trace(operator: SymmetricOperator, *, products: int = 60, generator: torch.Generator) -> Estimate:
    r"""Return :math:`\operatorname{tr} A` with one standard error.

    With an orthonormal basis :math:`Q` of :math:`A S`, :math:`S` random,

    .. math:: \operatorname{tr} A \approx \operatorname{tr} Q^\top A Q + \frac1m \sum_{i=1}^m z_i^\top (I - Q Q^\top) A (I - Q Q^\top) z_i

    where :math:`z_i` has entries ±1. The first part is exact, the second unbiased; its spread gives the error. A third of the products each go into
    :math:`A S`, :math:`A Q` and the probes. Where there are no more parameters than products, the diagonal is taken instead, and nothing is random.

    Args:
        operator: Any symmetric operator.
        products: Operator products to spend, at least 6.
        generator: The source of sketch and probes.

    Returns:
        An estimate; ``local`` holds what each probe gave.

    Limits:
        The standard error rests on few probes, and is itself uncertain by about :math:`1/\sqrt{2(m - 1)}`.

    References:
        Meyer, Musco, Musco and Woodruff 2021, "Hutch++: optimal stochastic trace estimation" (arXiv 2010.09649).

    Example:
        >>> from kazami.curvature import HessianProducts
        >>> x = torch.ones(3, requires_grad=True)
        >>> found = trace(HessianProducts((torch.tensor([1.0, 2.0, 3.0]) * x**2).sum() / 2, [x]), generator=torch.Generator().manual_seed(0))
        >>> found.value, found.uncertainty
        (6.0, 0.0)
    """
    third = max(2, products // 3)
    if operator.n_entries <= 3 * third:
        whole = float(dense(operator).diagonal().double().sum())
        said = (Remark("The whole diagonal was taken; nothing is random.", "対角成分をすべて求めた。確率的な部分はない。"),)
        return Estimate(name="trace", value=whole, uncertainty=0.0, local=np.array([whole]), steps=operator.n_entries, unit="loss/weight²", conditions=said)
    nothing = Basis(operator.n_entries, torch.zeros(1, dtype=operator.dtype, device=operator.device))
    sketched = torch.stack([operator.flat_product(row) for row in random_rows(operator, third, generator)])
    _, rows, _ = orthonormalised(sketched, nothing)
    inside = sum(float(torch.dot(row, operator.flat_product(row))) for row in rows)
    probes = torch.sign(random_rows(operator, third, generator))
    probes -= (probes @ rows.T) @ rows
    outside = np.array([float(torch.dot(probe, operator.flat_product(probe))) for probe in probes])
    error = float(outside.std(ddof=1)) / math.sqrt(len(outside))
    text = f"Hutch++: {len(rows)} directions exact, {len(outside)} random probes for the rest; the error is one standard error between probes."
    said = (Remark(text, f"Hutch++法：{len(rows)}方向は厳密、残りは乱数ベクトル{len(outside)}本。誤差はその間の標準誤差。"),)
    return Estimate(
        name="trace",
        value=inside + float(outside.mean()),
        uncertainty=error,
        local=inside + outside,
        steps=2 * third + len(rows),
        unit="loss/weight²",
        conditions=said,
    )
