"""``kazami nets sensitivity``: directions, radius, shares and the map."""

import pytest
import torch

from tests.cli.nets.asking import FACTORIES, ask, document
from tests.cli.nets.factories import affine


def test_numbers_and_map(capsys, tmp_path):
    path = tmp_path / "map.png"
    code, out, _ = ask(capsys, "sensitivity", "--lang", "en", "--map", str(path), f"{FACTORIES}:bent")
    assert code == 0
    assert path.stat().st_size > 1000
    for part in ("most sensitive direction", "nearest kink", "share by slope", "σ1", str(path)):
        assert part in out


def test_the_document_has_the_singular_values_of_the_product(capsys):
    made = document(capsys, "sensitivity", "--count", "2", "--json", f"{FACTORIES}:affine")
    model, _ = affine()
    product = torch.linalg.multi_dot([layer.weight.detach() for layer in reversed(model)])
    assert made["sensitivity"]["singular_values"][0] == pytest.approx(torch.linalg.svdvals(product).tolist(), rel=1e-5)
    assert made["local_model"]["radius"] is None
    assert made["local_model"]["holds_as_far_as_looked"]


def test_japanese_and_bad_rows(capsys):
    assert "最も敏感な方向" in ask(capsys, "sensitivity", "--lang", "ja", f"{FACTORIES}:bent")[1]
    code, _, err = ask(capsys, "sensitivity", "--row", "99", f"{FACTORIES}:bent")
    assert code == 2
    assert "one of the 6 rows" in err
