"""A launcher in the place of the script: the ranks run under kazami, and everything else stays as it was."""

from itertools import pairwise

import click
import pytest

from kazami.cli._launchers import launch_command, options_given, refuse_program
from kazami.cli.run_command import command

RUN = ["-m", "torch.distributed.run"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["torchrun", "train.py"], ["--module", "--", "kazami", "run", "--quiet", "train.py"]),
        (
            ["bin/torchrun", "--nproc-per-node=2", "train.py", "--nproc-per-node", "9"],
            ["--nproc-per-node=2", "--module", "--", "kazami", "run", "--quiet", "train.py", "--nproc-per-node", "9"],
        ),
        (
            ["torchrun", "--standalone", "--nnodes", "1", "-m", "pack.train", "-m", "x"],
            ["--standalone", "--nnodes", "1", "--module", "--", "kazami", "run", "--quiet", "-m", "pack.train", "-m", "x"],
        ),
        (
            ["python3", "-m", "torch.distributed.run", "--nproc-per-node", "2", "a.py"],
            ["--nproc-per-node", "2", "--module", "--", "kazami", "run", "--quiet", "a.py"],
        ),
        (["torchrun", "--nproc-per-node=2", "--", "a.py"], ["--nproc-per-node=2", "--module", "--", "kazami", "run", "--quiet", "a.py"]),
        (["torchrun", "--run-path", "a.py"], ["--module", "--", "kazami", "run", "--quiet", "a.py"]),
    ],
)
def test_kazami_goes_between_the_launcher_and_the_script(words, expected):
    assert launch_command(None, words, ["--quiet"]) == [*RUN, *expected]


def test_the_launcher_takes_none_of_kazamis_options_for_its_own():
    from torch.distributed.run import get_args_parser

    own = ["--run", "runs/one", "--max-steps", "5", "--sink", "jsonl:x", "--json", "k.json", "--fail-on", "error", "--every", "2"]
    made = launch_command(None, ["torchrun", "--nproc-per-node", "2", "train.py", "--lr", "1"], own)
    known = get_args_parser().parse_args(made[2:])
    assert (known.module, known.training_script) == (True, "kazami")
    assert known.training_script_args == ["run", *own, "train.py", "--lr", "1"]


def test_the_launchers_module_is_known_too():
    assert launch_command("torch.distributed.run", ["--nproc-per-node", "2", "a.py"], []) == [
        *RUN,
        "--nproc-per-node",
        "2",
        "--module",
        "--",
        "kazami",
        "run",
        "a.py",
    ]


@pytest.mark.parametrize(
    ("module", "words"), [(None, ["train.py", "torchrun"]), ("pack.train", ["torchrun"]), (None, []), (None, ["python", "train.py"]), (None, ["python"])]
)
def test_everything_else_is_a_script_as_before(module, words):
    assert launch_command(module, words, []) is None


def test_ranks_that_are_no_python_are_refused_in_a_sentence():
    with pytest.raises(click.UsageError, match="--no-python"):
        launch_command(None, ["torchrun", "--no-python", "train.sh"], [])


def test_the_options_given_are_given_to_every_rank():
    words = ["--quiet", "--every", "3", "--sink", "jsonl:a", "--sink", "tensorboard", "--run", "runs/x", "torchrun", "a.py"]
    with command.make_context("run", words) as context:
        given = options_given(context)
    assert given.count("--sink") == 2
    assert {("--every", "3"), ("--run", "runs/x"), ("--sink", "jsonl:a"), ("--sink", "tensorboard")} <= set(pairwise(given))
    assert "--quiet" in given
    assert "--dynamics" not in given
    assert "torchrun" not in given


def test_a_program_in_the_place_of_the_script_is_told_from_a_script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "programs" / "starter"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("PATHEXT", "")  # on Windows: a program may have no ending
    with pytest.raises(click.UsageError, match=r"starter is a program and no Python script\. Name the script itself"):
        refuse_program("starter")
    refuse_program("missing.py")  # Python says it, in Python's own words
    (tmp_path / "starter").write_text("")
    refuse_program("starter")  # a script of that name comes first
