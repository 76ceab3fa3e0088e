"""The last loss: that of the plain loop."""

import pytest

from kazami.sweeps import Sweep

from ..trainings import by_factors, net


def test_the_final_loss_is_the_last_one_of_the_plain_loop():
    found = Sweep(net(), seed=[0, 4], learning_rate=[0.1]).run(record="final_loss")
    assert found.table.num_rows == 2
    assert by_factors(found, "final_loss")[4, 0.1] == pytest.approx(net(seed=4).run().losses[-1], rel=1e-9)
