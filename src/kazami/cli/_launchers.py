"""Launchers of ranks: ``kazami run -- torchrun … train.py`` becomes ``torchrun … -m kazami run train.py``, so that every rank is watched from inside."""

import os
import shutil
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import click

MODULES = ("torch.distributed.run", "torch.distributed.launch")
AS_MODULE = ("-m", "--module")
NOT_BESIDE_MODULE = ("--run-path", "--run_path")
HANDS_OFF = "--"  # without it the launcher takes our --run for an abbreviation of its --run-path, though it stands behind the module


def launch_command(module: str | None, words: Sequence[str], own: Sequence[str]) -> list[str] | None:
    """Return what stands behind ``python`` to start the ranks, each under ``kazami run``; ``None`` where no launcher was named.

    Args:
        module: As given to ``-m``.
        words: The script or the launcher, and its arguments.
        own: Options of ``kazami run``, for every rank.

    Raises:
        click.UsageError: The ranks are no Python processes.

    Example:
        >>> launch_command(None, ["torchrun", "--nproc-per-node", "2", "train.py", "--lr", "1"], ["--quiet"])
        ['-m', 'torch.distributed.run', '--nproc-per-node', '2', '--module', '--', 'kazami', 'run', '--quiet', 'train.py', '--lr', '1']
        >>> launch_command(None, ["train.py"], []) is None
        True
    """
    arguments = _of_launcher(module, words)
    if arguments is None:
        return None
    from torch.distributed.run import get_args_parser

    known = get_args_parser().parse_args(arguments)
    if known.no_python:
        raise click.UsageError("With --no-python the ranks are no Python processes, and kazami cannot watch them: leave it out, and name the script.")
    place = len(arguments) - len(known.training_script_args) - 1
    options = [word for word in arguments[:place] if word not in (*AS_MODULE, *NOT_BESIDE_MODULE, HANDS_OFF)]
    script = ["-m", known.training_script] if known.module else [known.training_script]
    return ["-m", MODULES[0], *options, "--module", HANDS_OFF, "kazami", "run", *own, *script, *known.training_script_args]


def _of_launcher(module: str | None, words: Sequence[str]) -> list[str] | None:
    """Return the launcher's own arguments: of ``torchrun …``, ``python -m torch.distributed.run …`` or ``-m torch.distributed.run``."""
    if module is not None:
        return list(words) if module in MODULES else None
    name = PurePath(words[0]).name.removesuffix(".exe") if words else ""
    if name == "torchrun":
        return list(words[1:])
    if name.startswith("python") and not os.path.isfile(words[0] + ".py") and tuple(words[1:2]) == ("-m",) and words[2:3] and words[2] in MODULES:
        return list(words[3:])
    return None


def refuse_program(name: str) -> None:
    """Say what to name instead where a program stands in the place of the script: ``kazami run python train.py``.

    Raises:
        click.UsageError: There is no such script, but a program of that name.
    """
    if os.path.exists(name) or not shutil.which(name):
        return
    raise click.UsageError(f"{name} is a program and no Python script. Name the script itself (kazami run train.py), a module with -m, or torchrun behind --.")


def options_given(context: click.Context) -> list[str]:
    """Return the options of this call of the command as words, but those that name a module."""
    words: list[str] = []
    for option in context.command.params:
        value: Any = context.params.get(option.name or "")
        if not isinstance(option, click.Option) or option.name == "module" or value in (None, False, ()):
            continue
        name = max(option.opts, key=len)
        words += [name] if option.is_flag else [word for one in (value if option.multiple else (value,)) for word in (name, str(one))]
    return words
