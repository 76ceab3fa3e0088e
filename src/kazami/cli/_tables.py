"""Tables on stdout: rich on a terminal, aligned plain text everywhere else."""

from collections.abc import Sequence
from unicodedata import east_asian_width

import click

from ._look import is_plain


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table.

    Args:
        header: Names of the columns.
        rows: The cells, as text, one row after the other.
        title: A line above the table.
    """
    if is_plain():
        click.echo("\n".join([*([title] if title else []), *plain_table(header, rows)]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, title=title or None, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def plain_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table without boxes; wide characters count two.

    >>> plain_table(["name", "value"], [["λ", "0.27"], ["風", "1"]])
    ['name  value', 'λ     0.27', '風    1']
    """
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(shown_width(row[column]) for row in table) for column in range(len(header))]
    return ["  ".join(cell + " " * (width - shown_width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def shown_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
