"""Print the JSON Schema of what a command writes with --json."""

import click

from ._look import Command


@click.command("schema", cls=Command)
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema (draft 2020-12) of the document NAME; without NAME, list the documents and the commands that write them.

    Numbers that JSON cannot say are the strings NaN, Infinity and -Infinity. Later versions of kazami may add keys; what a schema says stays while the
    document's "schema" number does.
    """
    from ._tables import show_table
    from .documents import all_documents, schema

    if name is None:
        show_table(["NAME", "written by"], [(known, ", ".join(document.commands)) for known, document in all_documents().items()])
        return
    import json

    click.echo(json.dumps(schema(name), ensure_ascii=False, indent=2))
