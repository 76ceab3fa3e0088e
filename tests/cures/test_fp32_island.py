"""What overflows in float16 is computed in float32, and no more than that."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.fp32_island import Fp32Island
from tests.cures.cases import bad, finding, prescribed, trace
from tests.cures.trainings import network, plain, rows, training


class Squares(nn.Module):
    """Squares beyond 65504, behind which a logarithm brings them back; what comes later is harmless."""

    def __init__(self):
        super().__init__()
        self.net, self.types = network("modules", "relu"), []

    def forward(self, x):
        energies = (1000 * self.net(x)).half().square()
        later = (energies.half() * 0.5).float() if energies.dtype is torch.float16 else energies
        self.types.append(energies.dtype)
        return torch.log1p(later) / 10


def loud():
    return training(Squares, data=rows(offset=1.0), evaluate=None)


def test_only_the_operation_leaves_half_precision():
    after = Fp32Island().apply(loud(), {"operation": "pow"})
    run = after.run()
    assert all(math.isfinite(loss) for loss in run.losses)
    assert not all(math.isfinite(loss) for loss in loud().run().losses)
    assert set(run.model.types) == {torch.float32}
    assert run.model(rows()[0][0]).shape == (8, 1)


def test_an_operation_that_does_not_suffice_takes_all_with_it():
    class Cast(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network("modules", "relu")

        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.float16):
                z = self.net(x)
                return ((z.half() * 1e5) * 1e-5).float()

    after = Fp32Island().apply(training(Cast, evaluate=None), {"operation": "exp"})
    assert all(math.isfinite(loss) for loss in after.run().losses)


def test_weights_in_half_precision_become_whole_only_where_all_does():
    halves = training(lambda: network("modules").half(), lambda output, target: F.mse_loss(output.float(), target), [(x.half(), y) for x, y in rows()])
    after = Fp32Island().apply(halves.replaced(evaluate=None), {"operation": ""})
    assert {p.dtype for p in after.start().model.parameters()} == {torch.float32}


def test_autocast_is_what_it_was_afterwards():
    before = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
    Fp32Island().apply(loud(), {"operation": ""}).run()
    assert (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")) == before


def test_the_lines_name_the_operation():
    given = prescribed(Fp32Island(), finding("fp16_overflow", step=7, place="pow after 2"), trace(facts=bad("pow")))
    assert given.parameters == {"operation": "pow"}
    assert "pow after 2" in given.code
    assert prescribed(Fp32Island(), finding("fp16_overflow", place="the gradient scaler"), trace()).parameters["operation"] in ("", "scaler")


def test_float32_is_left_alone():
    assert Fp32Island().apply(plain("modules"), {"operation": "pow"}) is None
