"""The reference engine."""

import pytest

from tests.engines.conformance import (
    OPTIMIZERS,
    assert_carries_tangents,
    assert_gives_the_orbits_of_the_plain_loop,
    assert_goes_on_from_any_state,
    assert_leaves_the_random_streams_alone,
)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_conforms(optimizer):
    assert_gives_the_orbits_of_the_plain_loop("eager", optimizer)
    assert_goes_on_from_any_state("eager", optimizer)
    assert_carries_tangents("eager", optimizer)


def test_nobody_notices():
    assert_leaves_the_random_streams_alone("eager")
