"""``kazami lab surface`` and ``kazami lab descent``: what is printed, written and refused."""

import json
import sys

import pytest
from click.testing import CliRunner

from kazami.cli import kazami

FACTORIES = """
import kazami, torch
from torch import nn
torch.manual_seed(0)
X, Y = torch.randn(20, 3), torch.randint(2, (20,))
def training():
    return kazami.Training(
        model=lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.5),
        loss=nn.functional.cross_entropy, batches=lambda: [(X, Y)], steps=12)
def model():
    return nn.Linear(3, 2)
"""
SCRIPT = """
import torch
from torch import nn
torch.manual_seed(0)
X, Y = torch.randn(64, 3), torch.randint(2, (64,))
model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
optimizer = torch.optim.Adam(model.parameters(), 0.05)
for step in range(8):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(X[8 * step : 8 * step + 8]), Y[8 * step : 8 * step + 8])
    loss.backward()
    optimizer.step()
print("the script's own line")
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with factories and a script."""
    (tmp_path / "surface_factories.py").write_text(FACTORIES)
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("surface_factories", None)


def lab(*words):
    """Run ``kazami lab …`` and return how it ended."""
    return CliRunner().invoke(kazami, ["lab", *words], standalone_mode=False)


def test_a_training_gives_one_sentence_what_is_hidden_and_a_picture(place):
    ended = lab("surface", "surface_factories:training", "--resolution", "5", "-o", "out.png")
    assert ended.exception is None, ended.exception
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("Along the path the loss falls from")
    assert lines[1].startswith("The slice shows 2 of 26 directions")
    assert lines[2] == "out.png"
    assert (place / "out.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("plane", ["random", "pca", "hessian"])
def test_json_is_one_document(place, plane):
    ended = lab("surface", "--plane", plane, "--resolution", "4", "--json", "surface_factories:training")
    assert ended.exception is None, ended.exception
    found = json.loads(ended.stdout)
    assert found["schema"] == 1
    assert found["plane"] == plane
    assert len(found["values"]) == len(found["values"][0]) == 4
    assert len(found["path"]) == 13
    assert (found["explained"] is None) == (plane != "pca")
    assert found["complete"]


def test_japanese_and_three_dimensions(place):
    ended = lab("surface", "--kind", "3d", "--resolution", "4", "--lang", "ja", "-o", "out.svg", "surface_factories:training")
    assert "経路に沿って損失は" in ended.stdout
    assert "損失" in (place / "out.svg").read_text(encoding="utf-8")


def test_a_script_gives_its_own_path(place):
    ended = lab("surface", "--resolution", "4", "--json", "train.py")
    assert ended.exception is None, ended.exception
    found = json.loads(ended.stdout)
    assert len(found["path"]) == 9
    assert any("estimated anew" in sentence for sentence in found["said"])
    assert found["path_losses"][-1] is not None


def test_an_interruption_keeps_what_was_computed(place, monkeypatch):
    from kazami.surfaces.evaluation import Pointwise
    from kazami.surfaces.stacking import StackedLosses

    def interrupted(self, points):
        for count, item in enumerate(original(self, points)):
            if len(points) > 4 and count == 9:
                raise KeyboardInterrupt
            yield item

    original = Pointwise.losses
    monkeypatch.setattr(Pointwise, "losses", interrupted)
    monkeypatch.setattr(StackedLosses, "__init__", lambda self, *rest: 1 / 0)
    ended = lab("surface", "--resolution", "4", "surface_factories:training")
    assert ended.return_value == 130
    assert "Interrupted: 2 of 4 rows" in ended.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["surface_factories:model"], "gives no training"),
        (["-o", "out.bmp", "surface_factories:training"], "should end in"),
        (["surface_factories:trainign"], "has no 'trainign'"),
        ([], "Name a script"),
    ],
)
def test_what_cannot_work_is_said_before_the_work(place, words, message):
    assert message in str(lab("surface", *words).exception)


def test_a_descent_prints_walks_and_critical_points():
    ended = lab("descent", "--surface", "double_well", "--lr", "0.1", "--lr", "5", "--start", "-1.5,1", "--steps", "50")
    assert ended.exception is None, ended.exception
    assert "converges, downhill at every step, into a minimum." in ended.stdout
    assert "escapes to infinity" in ended.stdout
    assert ended.stdout.count("minimum") >= 3
    assert "saddle" in ended.stdout


def test_a_descent_as_json_with_pictures(tmp_path):
    places = [str(tmp_path / name) for name in ("walk.png", "basins.svg", "walk.gif")]
    ended = lab(
        *("descent", "--surface", "(w1*w2 - 1)^2/2", "--start", "0.7,0.7", "--lr", "1.1", "--steps", "4", "--json"),
        *("-o", places[0], "--basins", places[1], "--animation", places[2]),
    )
    assert ended.exception is None, ended.exception
    found = json.loads(ended.stdout)
    assert found["walks"][0]["fates"][0]["outcome"] == "cycle"
    assert found["walks"][0]["fates"][0]["period"] == 2
    assert sorted(found["figures"]) == sorted(places)
    assert {point["kind"] for point in found["critical_points"]} == {"degenerate", "saddle"}
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("walk.png", "basins.svg", "walk.gif"))


def test_a_ladder_of_learning_rates_in_japanese(tmp_path):
    ended = lab("descent", "--surface", "quadratic", "--lr", "0.05", "--lr", "0.19", "--steps", "9", "--lang", "ja", "-o", str(tmp_path / "ladder.svg"))
    assert "ジグザグ" in ended.stdout
    assert "極小" in (tmp_path / "ladder.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--surface", "tnah"], 'Did you mean "tanh"'),
        (["--surface", "w1 + * w2"], "formula"),
        (["--start", "1"], "two numbers"),
        (["--method", "sgd", "--surface", "quadratic"], "has none"),
        (["-o", "walk.gif"], "-o should end in"),
        (["--animation", "walk.png"], "--animation should end in"),
    ],
)
def test_a_descent_that_cannot_be_is_refused(words, message):
    assert message in str(lab("descent", *words).exception)
