"""Tables of Markdown."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table.

    >>> print(table(("a", "b"), [("1", "x|y")]))
    | a | b |
    |---|---|
    | 1 | x\\|y |
    """
    lines = [header, *rows]
    texts = ["| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines]
    return "\n".join([texts[0], "|" + "---|" * len(header), *texts[1:]])


def _cell(text: str) -> str:
    return " ".join(str(text).replace("|", "\\|").split())


def toctree(names: Iterable[str], *, caption: str = "", options: Sequence[str] = ("maxdepth: 1",)) -> str:
    """Return a table of contents that names pages."""
    head = [f":{option}:" if ":" not in option else f":{option.partition(':')[0]}:{option.partition(':')[2]}" for option in options]
    head += [f":caption: {caption}"] if caption else []
    return "```{toctree}\n" + "\n".join([*head, "", *names]) + "\n```"
