"""A group of commands that is a folder: each file ``<name>_command.py`` holds one, and is imported only when it is called."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from ..errors import unknown_name
from ._look import Group

_SUFFIX = "_command.py"


class CommandFolder(Group):
    """The commands of a folder, each the ``command`` of its file; its line in the list of commands is the first line of the file.

    Args:
        folder: Where the files are.
        package: Full name of the package the folder is.
    """

    def __init__(self, *arguments: Any, folder: str, package: str, **options: Any) -> None:
        """Remember the folder; what click needs goes on to click."""
        super().__init__(*arguments, **options)
        self._folder = Path(folder)
        self._package = package
        self._is_listing = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, by scanning the folder."""
        del ctx
        return sorted(file.name.removesuffix(_SUFFIX) for file in self._folder.glob(f"*{_SUFFIX}"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command called ``cmd_name``; for a list of commands, return only its name and line of help.

        Raises:
            UnknownName: There is no such command; the closest is proposed.
        """
        names = self.list_commands(ctx)
        if cmd_name not in names:
            if ctx.resilient_parsing:  # the shell asks for completions
                return None
            raise unknown_name("command", cmd_name, names)
        if self._is_listing:
            line = self._first_line(cmd_name)
            return click.Command(cmd_name, help=line, short_help=line)  # click shortens a help, but not a short_help
        command: click.Command = import_module(f"{self._package}.{cmd_name}_command").command
        return command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help page without importing a single command."""
        self._is_listing = True
        try:
            super().format_help(ctx, formatter)  # type: ignore[arg-type,unused-ignore]  # rich-click narrows the formatter
        finally:
            self._is_listing = False

    def _first_line(self, name: str) -> str:
        source = (self._folder / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
        return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
