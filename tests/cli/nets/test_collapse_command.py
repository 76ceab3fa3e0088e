"""``kazami nets collapse``: the verdict, the matrix in a file, and what is refused."""

import numpy as np
import torch

from tests.cli.nets.asking import FACTORIES, ask, document
from tests.cli.nets.factories import affine


def test_the_matrix_is_shown_and_written(capsys, tmp_path):
    path = tmp_path / "one.npz"
    code, out, _ = ask(capsys, "collapse", "--lang", "en", "-o", str(path), f"{FACTORIES}:affine")
    assert code == 0
    assert "This 3-layer network is one matrix: 3 → 2." in out
    assert "row form" in out
    model, x = affine()
    stored = np.load(path)
    assert np.allclose(x.numpy() @ stored["W"] + stored["b"], model(x).detach().numpy(), atol=1e-6)


def test_what_bends_is_named_in_both_languages(capsys):
    assert "What bends: 1 (ReLU)" in ask(capsys, "collapse", "--lang", "en", f"{FACTORIES}:bent")[1]
    assert "曲げている層：1 (ReLU)" in ask(capsys, "collapse", "--lang", "ja", f"{FACTORIES}:bent")[1]


def test_json_is_one_document(capsys):
    made = document(capsys, "collapse", "--json", f"{FACTORIES}:bent")
    assert (made["schema"], made["is_affine"], made["matrix"]) == (1, False, None)
    assert made["layers"][1]["is_affine"] is False
    assert 0 < made["nonlinearity"]["layers"][1]["share"] < 1
    assert torch.allclose(torch.tensor(document(capsys, "collapse", "--json", f"{FACTORIES}:affine")["nonlinearity"]["value"]), torch.tensor(0.0))


def test_no_matrix_to_write_is_an_error(capsys, tmp_path):
    code, _, err = ask(capsys, "collapse", "-o", str(tmp_path / "no.npz"), f"{FACTORIES}:bent")
    assert code == 2
    assert "no matrix to write" in err
    assert ask(capsys, "collapse")[0] == 2
    assert ask(capsys, "collapse", "-o", str(tmp_path / "none" / "no.npz"), f"{FACTORIES}:affine")[0] != 0
