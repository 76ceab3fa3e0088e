"""Say what can be known before training: stop a script after its first optimizer step."""

from typing import Any

import click

from ._script import ScriptCommand, script_options, start


@click.command("check", cls=ScriptCommand)
@script_options
def command(module: str | None, words: tuple[str, ...], **options: Any) -> object:
    """Run SCRIPT with its ARGS until its first optimizer step, and say what is wrong already.

    Everything after SCRIPT belongs to the script.
    """
    return start(module, words, check=True, **options)
