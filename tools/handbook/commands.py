"""The reference of the command line: a page a command, with the help that the command itself prints."""

import os
from collections.abc import Iterator
from typing import Any

from .staging import Pages
from .tables import table, toctree

os.environ["NO_COLOR"] = "1"  # before the command line is imported: help as plain text
COLUMNS = 100


def pages() -> Pages:
    """Return a page for each command, and the one that lists them."""
    found, rows = {}, []
    for words, command in all_commands():
        name = "-".join(words[1:])
        found[f"cli/{name}.md"] = page_of(words, command)
        rows.append((f"[`{' '.join(words)}`]({name}.md)", (command.get_short_help_str(limit=200))))
    names = sorted(path.removeprefix("cli/").removesuffix(".md") for path in found)
    lead = "The help of every command, as it prints it with `--help`. [Exit codes](../exit-codes.md) have a page of their own."
    found["cli/index.md"] = f"# Command line\n\n{lead}\n\n{table(('command', 'what it does'), rows)}\n\n{toctree(names, options=('hidden',))}\n"
    return found


def all_commands(group: Any = None, words: tuple[str, ...] = ("kazami",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with the words that call it, groups too."""
    import click

    from kazami.cli import kazami

    group = kazami if group is None else group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from all_commands(command, (*words, name))


def page_of(words: tuple[str, ...], command: Any) -> str:
    """Return the page of one command."""
    import click

    with click.Context(command, info_name=" ".join(words), terminal_width=COLUMNS, max_content_width=COLUMNS) as context:
        text = command.get_help(context)
    inner = (
        [f"[`{' '.join((*words, name))}`]({'-'.join((*words[1:], name))}.md)" for name in command.list_commands(context)]
        if hasattr(command, "list_commands")
        else []
    )
    more = "\n\n" + " · ".join(inner) if inner else ""
    return f"# {' '.join(words)}\n\n```\n{text.rstrip()}\n```{more}\n"
