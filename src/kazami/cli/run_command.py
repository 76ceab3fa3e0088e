"""Run a PyTorch script unchanged, and say what is wrong with its training."""

from typing import Any

import click

from ._script import ScriptCommand, script_options, start


@click.command("run", cls=ScriptCommand)
@click.option("--max-steps", type=click.IntRange(min=1), metavar="N", help="Stop after N optimizer steps.")
@click.option("--every", type=click.IntRange(min=1), metavar="K", help="Measure every K optimizer steps (default: the measured cost decides).")
@click.option("--dynamics", is_flag=True, help="Measure sharpness and local Lyapunov exponents at every step (slow; the training stays bit for bit the same).")
@click.option("--quiet", is_flag=True, help="No live line and no verdict.")
@script_options
def command(module: str | None, words: tuple[str, ...], **options: Any) -> object:
    """Run SCRIPT with its ARGS as `python SCRIPT ARGS` does, watch its training, and say at the end what is wrong with it.

    Everything after SCRIPT belongs to the script. The exit code is the script's own; with --fail-on it is 3 where findings reach that level.
    """
    return start(module, words, **options)
