"""Print what makes a shell complete kazami's commands and options."""

import click
from click.shell_completion import ShellComplete, get_completion_class

from ._look import Command


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL.

    For bash, add this line to ~/.bashrc: eval "$(kazami completion bash)"
    """
    found = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    if found is not None:
        click.echo(ShellComplete.source(found(root, {}, "kazami", "_KAZAMI_COMPLETE")))  # bash's own also asks bash for its version
