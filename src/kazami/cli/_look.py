"""How help pages look: rich on a terminal, plain text everywhere else."""

import os
import sys
from typing import TYPE_CHECKING


def is_plain() -> bool:
    """Tell whether stdout wants plain text: it is no terminal, a dumb one, or ``NO_COLOR`` is set (https://no-color.org)."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return not is_terminal or os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))


if TYPE_CHECKING or is_plain():
    from click import Command, Group
else:
    from rich_click import RichCommand as Command
    from rich_click import RichGroup as Group

__all__ = ["Command", "Group", "is_plain"]
