"""What the commands that look at a user's model have in common: which script or factory, and how it is loaded."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from ._look import Command

if TYPE_CHECKING:
    from ..watch.target import Target


class TargetCommand(Command):
    """A command that looks at what a script or a factory gives: its own options stand before or behind TARGET, all others are the script's.

    ``kazami graph train.py -o net.svg --epochs 3`` leaves ``--epochs 3`` to the script; so does everything behind ``--``, whatever its name.
    """

    ignore_unknown_options = True


def target_options(function: Callable[..., object]) -> Callable[..., object]:
    """Add what every command that looks at a model takes: TARGET with its own arguments, ``-m``, ``--input``, ``--lang``.

    The command gets ``words``, ``module``, ``input_shape`` and ``lang``; all of these but ``lang`` go on to :func:`loaded`. Its class should be
    :class:`TargetCommand`.
    """
    for decorate in (
        click.argument("words", metavar="TARGET [ARGS]...", nargs=-1, type=click.UNPROCESSED),
        click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG)."),
        click.option("--input", "input_shape", metavar="SHAPE", help="Shape of a random input where the model's own is not known, for example 1,3,32,32."),
        click.option("-m", "module", metavar="MODULE", help="Run a module, as python -m MODULE does."),
    ):
        function = decorate(function)
    return function


def loaded(words: tuple[str, ...], module: str | None, input_shape: str | None, *, steps: int = 1, record_trajectory: bool = False) -> "Target":
    """Return the model that the user named, with its example and training; what the script prints goes to stderr.

    Raises:
        click.UsageError: Nothing was named.
        UsageError: What was named gives no model.
    """
    if not module and not words:
        raise click.UsageError("Name a script, or module:function.", click.get_current_context())
    from ..watch.target import load_target

    name, arguments = (module, words) if module else (words[0], words[1:])
    if not module and ":" in name and not os.path.exists(name) and arguments:
        raise UsageError(f"{name} is called without arguments, but {' '.join(arguments)} was given. Is an option misspelt?")
    if not module and ":" not in name and not os.path.exists(name):
        raise UsageError(f"There is no script {name!r}. Name a script, a module with -m, or module:function.")
    if not module and os.path.isdir(name) and not os.path.isfile(os.path.join(name, "__main__.py")):
        raise UsageError(f"{name} is a directory without a __main__.py. Name the script in it.")
    shape = _shape(input_shape)
    with _stdout_to_stderr():
        return load_target(name, arguments, as_module=bool(module), input_shape=shape, steps=steps, record_trajectory=record_trajectory)


def _shape(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        shape = [int(part) for part in text.replace("x", ",").split(",")]
    except ValueError:
        shape = [0]
    if min(shape) < 1:
        raise UsageError(f"--input should be sizes such as 1,3,32,32, and is {text!r}.")
    return shape


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """The answer alone goes to stdout; the script's own output, and that of its children, to stderr."""
    sys.stdout.flush()
    kept: Any = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
