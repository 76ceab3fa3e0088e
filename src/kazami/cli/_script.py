"""What the commands that run a user's script have in common: which words are kazami's, and which are the script's."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import click

from ..watch.options import FAIL_ON, LANGUAGES, RunOptions
from ._document import missing_folder
from ._launchers import refuse_program
from ._look import Command


class ScriptCommand(Command):
    """A command whose own options end where the script begins: ``kazami run --quiet train.py --lr 0.1`` leaves ``--lr 0.1`` to the script.

    With ``-m`` they end after the module's name, as Python's own do.
    """

    allow_interspersed_args = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Mark where the script's words begin, and let click read the rest."""
        return super().parse_args(ctx, self._with_end_of_options(ctx, args))

    def _with_end_of_options(self, ctx: click.Context, words: list[str]) -> list[str]:
        with_value = {name for option in self.get_params(ctx) if isinstance(option, click.Option) and not option.is_flag for name in option.opts}
        position = 0
        while position < len(words) and words[position].startswith("-") and words[position] not in ("-", "--"):
            word = words[position]
            if word.startswith("-m") and len(word) > 2:
                return [*words[:position], "-m", word[2:], "--", *words[position + 1 :]]
            position += 2 if word in with_value else 1
            if word == "-m" and position <= len(words):
                return [*words[:position], "--", *words[position:]]
        return words


def script_options(function: Callable[..., object]) -> Callable[..., object]:
    """Add what every command that runs a script takes: the script or ``-m``, ``--run``, ``--json``, ``--sarif``, ``--ignore``, ``--fail-on`` and ``--lang``."""
    for decorate in (
        click.argument("words", metavar="SCRIPT [ARGS]...", nargs=-1, type=click.UNPROCESSED),
        click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the verdict (default: from LANG)."),
        click.option("--fail-on", type=click.Choice(FAIL_ON), help="End with exit code 3 if a finding is at least this severe."),
        click.option("--json", metavar="FILE|-", help="Write the findings as one JSON document; with - to stdout, and the script's own stdout to stderr."),
        click.option("--sarif", metavar="FILE|-", help="Write the findings as a SARIF 2.1.0 log, for code review and editors; with - to stdout."),
        click.option("--ignore", metavar="ID,…", help="Leave these findings out of the verdict and of --fail-on (KZ104 or dead_units)."),
        click.option("--run", metavar="DIR", envvar="KAZAMI_RUN", help="The run directory (default: runs/<date>-<script>-<n>; also KAZAMI_RUN)."),
        click.option("-m", "module", metavar="MODULE", help="Run a module, as python -m MODULE does."),
    ):
        function = decorate(function)
    return function


def start(module: str | None, words: tuple[str, ...], *, at_location: Callable[[str], None] | None = None, **options: Any) -> object:
    """Run the script under watch, and return the exit code, or the function that ends the process as the script ended.

    Args:
        module: Name of a module, ``None`` for a script.
        words: The script and its arguments.
        at_location: Called with the run directory, once it is there and before the script begins.
        options: Fields of `RunOptions`.

    Raises:
        click.UsageError: Neither a script nor a module was named, or a program in a script's place, or a document is to go where there is no folder.
    """
    if not module and not words:
        raise click.UsageError("Name a script, or a module with -m.", click.get_current_context())
    if not module:
        refuse_program(words[0])
    target, arguments = (module, list(words)) if module else (words[0], list(words[1:]))
    asked = RunOptions(**options)
    for option, place in (("--json", asked.json), ("--sarif", asked.sarif)):
        if (folder := missing_folder(place)) is not None:
            raise click.UsageError(f"{option} {place}: there is no folder {folder}. Make it, or name another place.", click.get_current_context())
    session: Any = import_module("kazami.watch.session")  # imported late: it may bring torch
    ending = session.run(target, arguments, as_module=bool(module), options=asked, at_location=at_location)
    if isinstance(ending, int):
        return ending
    from ..watch.script import end_process

    return partial(end_process, ending)  # outside click, which would swallow a KeyboardInterrupt
