"""The exported script gives the numbers of the session, to the last digit."""

import runpy
from dataclasses import replace

import pytest
import torch

from kazami.errors import UsageError
from kazami.playground import PRESETS, Block, Session, Spec, exported

EVERYTHING = Spec(
    task="spiral",
    samples=50,
    blocks=(
        Block("linear", 6),
        Block("norm", name="batch"),
        Block("activation", name="sine"),
        Block("residual", shortcut="zero_pad", blocks=(Block("linear", 9), Block("activation", name="gelu"))),
        Block("residual", shortcut="projection", blocks=(Block("linear", 5), Block("residual", blocks=(Block("linear", 5), Block("activation", name="relu"))))),
        Block("norm"),
        Block("dropout", rate=0.3),
        Block("activation", name="step"),
        Block("softmax"),
    ),
    initialisation="xavier",
    optimizer="nesterov",
    batch_size=16,
    clip=0.5,
    seed=7,
)
SPECS = {
    **{one.name: one.spec for one in PRESETS},
    "everything": EVERYTHING,
    "digits": Spec(task="digits", samples=60, initialisation="orthogonal", optimizer="adamw", batch_size=20),
    "parity": Spec(task="parity", initialisation="zeros", optimizer="rmsprop", learning_rate=0.01),
    "he": replace(EVERYTHING, task="sine", initialisation="he", is_linear=True, has_shortcuts=False, optimizer="momentum"),
}


@pytest.mark.parametrize("name", SPECS)
def test_the_script_says_the_same_numbers(name, tmp_path, capsys):
    file = tmp_path / "exported.py"
    file.write_text(exported(SPECS[name], steps=12), encoding="utf-8")
    with torch.random.fork_rng(devices=()):
        runpy.run_path(str(file))
    printed = capsys.readouterr().out
    session = Session(SPECS[name])
    losses = []
    for _ in range(12):
        if not session.is_over:
            session.train(1)
            losses += session.frame().losses
    lines = dict(line.split() for line in printed.splitlines())
    assert lines["1"] == str(losses[0])
    if len(losses) == 12 and losses[-1] is not None:
        assert lines["12"] == str(losses[-1])
    else:
        assert lines["12"] == "nan"


def test_a_table_cannot_be_written_out():
    with pytest.raises(UsageError, match="table"):
        exported(Spec(task="table"))
