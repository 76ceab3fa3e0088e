"""sweep.toml: what it says, and which key is wrong where something is."""

import pytest

from kazami.errors import UsageError
from kazami.sweeps import read_sweep_file
from kazami.sweeps.choices import Drawn, Zipped, cells

WHOLE = """
[training]
script = "train.py"
arguments = ["--fast", 3]
steps = 50
record = ["loss", "max_lyapunov"]
every = 5

[factors]
learning_rate = {log = [1e-2, 3, 512]}
seed = {range = 32}
weight_decay = {linear = [0.0, 0.1, 3]}
momentum = {sobol = [0.0, 0.99, 8], seed = 3}
width = {random = [8, 64, 8], whole = true, seed = 3}
activation = ["relu", "tanh"]
clip_grad_norm = 1.0
model.depth = [2, 3]
"learning_rate[1]" = {range = [1, 7, 2]}

[[zipped]]
a = [1, 2]
b = ["x", "y"]

[engine]
name = "batched"
workers = 2
directory = "results"
"""


@pytest.fixture
def write(tmp_path):
    """Write a sweep beside a script, and return its path."""
    (tmp_path / "train.py").write_text("")

    def written(text):
        (tmp_path / "sweep.toml").write_text(text)
        return tmp_path / "sweep.toml"

    return written


def test_everything_is_read(write, tmp_path):
    told = read_sweep_file(write(WHOLE))
    assert (told.script, told.factory, told.arguments, told.steps, told.every) == (tmp_path / "train.py", None, ("--fast", "3"), 50, 5)
    assert told.record == ("loss", "max_lyapunov")
    assert len(told.factors["learning_rate"]) == 512
    assert told.factors["learning_rate"][-1] == pytest.approx(3.0)
    assert told.factors["seed"] == range(32)
    assert told.factors["momentum"] == Drawn("sobol", 0.0, 0.99, 8, seed=3)
    assert told.factors["width"] == Drawn("random", 8, 64, 8, whole=True, seed=3)
    assert told.factors["model.depth"] == [2, 3]
    assert list(told.factors["learning_rate[1]"]) == [1, 3, 5]
    assert told.factors["clip_grad_norm"] == [1.0]
    assert told.zipped == (Zipped({"a": (1, 2), "b": ("x", "y")}),)
    assert told.engine == {"engine": "batched", "workers": 2}
    assert told.directory == tmp_path / "results"


def test_its_groups_make_cells(write):
    told = read_sweep_file(write('[training]\nfactory = "a:b"\n[factors]\nlearning_rate = [0.1, 0.2]\n[[zipped]]\na = [1, 2]\nb = [3, 4]\n'))
    assert cells(told.groups)[-1] == {"learning_rate": 0.2, "a": 2, "b": 4}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[training\n", "should be TOML"),
        ("[factors]\n", r"a table \[training\]"),
        ("[training]\n", "either script"),
        ('[training]\nscript = "train.py"\nfactory = "a:b"\n', "has both"),
        ('[training]\nscript = "lost.py"\n', r"training.script should be a file .*lost.py"),
        ('[training]\nfactory = "a.b"\n', "module:function"),
        ('[training]\nfactory = "a:b"\nstep = 3\n', "Did you mean training.steps"),
        ('[training]\nfactory = "a:b"\nsteps = -3\n', "training.steps should be a whole number"),
        ('[training]\nfactory = "a:b"\nrecord = [1]\n', "training.record"),
        ('[training]\nfactory = "a:b"\n[factor]\nx = [1]\n', "Did you mean factors"),
        ('[training]\nfactory = "a:b"\n[factors]\nx = {log = [1, 2]}\n', r"factors.x.log should be \[low, high, count\]"),
        ('[training]\nfactory = "a:b"\n[factors]\nx = {log = [-1, 2, 3]}\n', "factors.x: A logarithmic range"),
        ('[training]\nfactory = "a:b"\n[factors]\nx = {lin = [1, 2, 3]}\nmodel.y = {log = [1, 2, 3], linear = [1, 2, 3]}\n', "should be an array, or one of"),
        ('[training]\nfactory = "a:b"\n[factors]\nx = {range = 1.5}\n', "factors.x.range"),
        ('[training]\nfactory = "a:b"\n[[zipped]]\na = [1, 2]\nb = [1]\n', r"zipped\[0\]: .*a has 2, b has 1"),
        ('[training]\nfactory = "a:b"\n[engine]\nworkers = "two"\n', "engine.workers"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(write, text, said):
    with pytest.raises(UsageError, match=rf"sweep.toml.*{said}") as refused:
        read_sweep_file(write(text))
    assert "sweep.toml" in str(refused.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_sweep_file(tmp_path / "none.toml")
