"""One player learns at a quarter of the rate."""

import pytest

from kazami.cures.two_time_scales import TwoTimeScales
from kazami.records import Trace
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import STYLES


def test_a_quarter_of_the_rate():
    given = prescribed(TwoTimeScales(), finding("player_rotation"), trace())
    assert given.parameters == {"learning_rate": 0.02, "from": 0.1}
    assert "of one player" in given.code
    assert TwoTimeScales().prescribe(finding("player_rotation"), Trace(step=1)) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_optimizer_has_the_new_rate(style):
    after = carried_example(TwoTimeScales(), style)
    assert after.start().optimizer.param_groups[0]["lr"] == 0.01
