"""``kazami nets inside``: probes, ablation, residual blocks, and with ``--train`` frozen layers."""

from tests.cli.nets.asking import FACTORIES, ask, document


def test_everything_inside_an_untrained_network(capsys):
    code, out, _ = ask(capsys, "inside", "--lang", "en", f"{FACTORIES}:training")
    assert code == 0
    for part in ("linear probes", "replaced by the identity", "3 → 6: identity impossible", "minus loss change", "‖f(x)‖/‖x‖", "1.f"):
        assert part in out


def test_training_first_also_freezes(capsys, tmp_path):
    path = tmp_path / "first.png"
    made = document(capsys, "inside", "--train", "--json", "--figure", str(path), f"{FACTORIES}:training")
    assert made["schema"] == 1
    assert path.exists()
    assert [row["name"] for row in made["frozen"]["layers"]] == ["0", "1.f", "2"]
    assert made["residual_blocks"][0]["ratio"] > 0
    assert made["probes"]["layers"][0]["name"] == "input"


def test_without_a_training_the_rest_is_shown(capsys):
    code, out, _ = ask(capsys, "inside", "--lang", "ja", f"{FACTORIES}:bent")
    assert code == 0
    assert "プローブは行いませんでした" in out
    assert ask(capsys, "inside", "--train", f"{FACTORIES}:bent")[0] == 2
