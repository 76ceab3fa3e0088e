"""The reference engine."""

import pytest
import torch

from kazami.engines import Member, engine_named
from tests.engines.architectures import architecture
from tests.engines.conformance import (
    OPTIMIZERS,
    assert_carries_tangents,
    assert_gives_the_orbits_of_the_plain_loop,
    assert_goes_on_from_any_state,
    assert_leaves_the_random_streams_alone,
    job,
)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_conforms(optimizer):
    assert_gives_the_orbits_of_the_plain_loop("eager", optimizer)
    assert_goes_on_from_any_state("eager", optimizer)
    assert_carries_tangents("eager", optimizer)


def test_nobody_notices():
    assert_leaves_the_random_streams_alone("eager")


def test_is_the_users_own_loop_with_its_buffers_and_frozen_layers():
    for name in ("batchnorm", "fourier", "lstm"):
        given = architecture(name)
        together = engine_named("eager").open(job(given, [Member(4), Member(5)]))
        together.advance(20)
        for index, seed in enumerate((4, 5)):
            trained, model = given.replaced(seed=seed).run(steps=20).model, given.model()
            together.write_into(model, index)
            for found, expected in zip(model.state_dict().values(), trained.state_dict().values(), strict=True):
                torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)


def test_the_orbit_goes_on_where_tangents_left_it():
    given = architecture("batchnorm")
    with_them, without = (engine_named("eager").open(job(given, [Member(1)])) for _ in range(2))
    vectors = torch.linalg.qr(torch.ones(1, with_them.states.shape[1], 1, dtype=torch.float64))[0]
    with_them.advance_with_tangents(vectors, 5)
    without.advance(5)
    assert torch.equal(with_them.states, without.states)
    assert all(torch.equal(value, without.buffers[name]) for name, value in with_them.buffers.items())
