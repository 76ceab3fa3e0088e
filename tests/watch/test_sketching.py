"""Sketches: distances against exact ones, hashes, and what they may not depend on."""

import numpy as np
import pytest
import torch

from kazami.watch.sketching import CHUNK, TILE, WIDTH, Sketcher, hashed, is_small, narrow_width


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def difference(one, other):
    sketcher = Sketcher()
    x, y = sketcher.sketch(one), sketcher.sketch(other)
    return x["total"] - y["total"], x, y


def pairs(shapes, n, make):
    """Yield n pairs of weights with the exact distance, each with its own random numbers."""
    for seed in range(n):
        draw = torch.Generator().manual_seed(seed)
        first = [torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in shapes]
        yield first, [one + make(one, draw) for one in first]


def dense(one, draw):
    return 1e-9 * torch.randn(one.shape, generator=draw, dtype=one.dtype)


def low_rank(one, draw):
    left, right = (torch.randn(size, generator=draw, dtype=one.dtype) for size in (one.shape[0], one.numel() // one.shape[0]))
    return (left[:, None] * right).reshape(one.shape)


def few(one, draw):
    change = torch.zeros_like(one)
    change.view(-1)[torch.randint(one.numel(), (12,), generator=draw)] = 0.1
    return change


def one_column(one, draw):
    change = torch.zeros_like(one)
    change[..., int(torch.randint(one.shape[-1], (1,), generator=draw))] = torch.randn(one.shape[:-1], generator=draw, dtype=one.dtype)
    return change


@pytest.mark.parametrize("make", [dense, low_rank, few, one_column])
def test_the_estimate_is_right_and_its_standard_error_too(make):
    scores, ratios = [], []
    for one, other in pairs([(120, 256), (300,), (64, 64)], 150, make):
        z, _, _ = difference(one, other)
        exact = sum(float(((x - y) ** 2).sum()) for x, y in zip(one, other, strict=True))
        ratios.append(float(z @ z) / exact)
        scores.append((float(z @ z) / exact - 1) / (2 / WIDTH) ** 0.5)
    assert np.mean(ratios) == pytest.approx(1.0, abs=4 * (2 / WIDTH / 150) ** 0.5)  # unbiased
    spread = np.std(scores)
    assert spread < 1 + 4 / (2 * 150) ** 0.5  # never worse than the bound 2/m
    if make in (dense, low_rank):
        assert spread > 1 - 4 / (2 * 150) ** 0.5  # which they reach


def test_parameters_are_estimated_one_by_one():
    ratios = []
    for one, other in pairs([(100, 100), (90, 90)], 200, lambda w, draw: dense(w, draw) * (w.shape[0] == 90)):
        _, x, y = difference(one, other)
        by = ((x["parameters"] - y["parameters"]) ** 2).sum(1)
        assert by[0] == 0
        ratios.append(by[1] / float(((one[1] - other[1]) ** 2).sum()))
    assert np.mean(ratios) == pytest.approx(1.0, abs=4 * (2 / narrow_width(2) / 200) ** 0.5)


def test_large_networks_use_shifted_signs_and_stay_unbiased():
    n = TILE + 5 * CHUNK // 2
    ratios = []
    for seed in range(12):
        draw = torch.Generator().manual_seed(seed)
        change = torch.randn(n, generator=draw)
        z = Sketcher().sketch([change])["total"]
        ratios.append(float(z @ z) / float((change.double() ** 2).sum()))
    assert np.mean(ratios) == pytest.approx(1.0, abs=4 * (2 / WIDTH / 12) ** 0.5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64])
def test_one_changed_bit_changes_the_hash_of_its_parameter_alone(dtype):
    weights = [torch.randn(70, 70).to(dtype), torch.randn(80).to(dtype), torch.randn(70, 90).to(dtype)]
    before = Sketcher().sketch(weights)
    weights[1].view(torch.uint8).view(-1)[17] ^= 1
    after = Sketcher().sketch(weights)
    assert (before["hash"] != after["hash"]).tolist() == [False, True, False]


def test_rounding_of_one_weight_is_seen_in_the_distance():
    weights = [torch.randn(300, 300)]
    before = Sketcher().sketch(weights)["total"]
    old = float(weights[0][7, 7])
    weights[0][7, 7] = float(np.nextafter(np.float32(old), np.float32(10)))
    change = float(np.linalg.norm(Sketcher().sketch(weights)["total"] - before))
    assert change == pytest.approx(float(weights[0][7, 7]) - old, rel=1e-3)


def test_layout_in_memory_does_not_matter():
    weight = torch.randn(80, 90)
    plain, turned = Sketcher().sketch([weight]), Sketcher().sketch([weight.t().contiguous().t()])
    assert all(np.array_equal(plain[name], turned[name]) for name in plain)


def test_sketches_of_this_version_stay_what_they_are():
    weights = [torch.arange(9000, dtype=torch.float32).reshape(90, 100) / 1000, torch.ones(50)]
    found = Sketcher().sketch(weights)
    again = Sketcher().sketch(weights)
    assert all(np.array_equal(found[name], again[name]) for name in found)
    assert found["total"][:3].tolist() == pytest.approx(PINNED_TOTAL, rel=1e-12)
    assert found["hash"].tolist() == PINNED_HASH


def test_small_networks_are_kept_whole():
    weights = [torch.randn(40, 40), torch.randn(3).bfloat16()]
    assert is_small(weights)
    assert not is_small([torch.randn(4097)])
    stored = Sketcher().sketch(weights)["weights"]
    assert stored.dtype == np.float32
    assert np.array_equal(stored, torch.cat([weights[0].reshape(-1), weights[1].float()]).numpy())


@pytest.mark.parametrize("tensor", [torch.arange(20.0).reshape(5, 4), torch.arange(70000) % 9, torch.tensor([True, False]), torch.tensor([1j, 2, 3])])
def test_a_batch_in_another_order_or_with_one_other_entry_has_another_hash(tensor):
    assert hashed(tensor) == hashed(tensor.clone())
    assert hashed(tensor) != hashed(tensor.flip(0))
    other = tensor.clone()
    other.view(-1)[-1] = ~other.view(-1)[-1] if other.dtype is torch.bool else other.view(-1)[-1] + 1
    assert hashed(tensor) != hashed(other)
    assert 0 < hashed(tensor) < 2**52


def test_random_streams_and_default_settings_are_left_alone():
    state = torch.get_rng_state()
    weights = [torch.ones(100, 100, requires_grad=True)]
    torch.set_default_dtype(torch.float64)
    try:
        found = Sketcher().sketch(weights)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(found["total"], Sketcher().sketch(weights)["total"])


PINNED_TOTAL = [32.12400108575821, -11.050000803661533, 12.561999920988455]
PINNED_HASH = [875063106226000597, 4431542085618761728]
