"""Show the catalogue of activations, one of them, or what a function of your own is."""

import inspect
import json
from pathlib import Path
from typing import Any

import click

from ...errors import CannotWrite, UsageError
from .._look import Command


@click.command("activations", cls=Command)
@click.argument("name", required=False)
@click.option("--plot", metavar="FILE", help="Draw the functions and their slopes side by side, as PNG, SVG or PDF.")
@click.option("--json", "json_place", is_flag=False, flag_value="-", metavar="[FILE]", help="One JSON document: on stdout and nothing else there, or in FILE.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(name: str | None, plot: str | None, json_place: str | None, lang: str | None) -> None:
    """Show the catalogue of activation functions as a table, or everything about one: formula, range, slopes, zones, gains, losses, and what it suits.

    NAME is an activation ("gelu", "swish"), or module:function of your own, which is then recognised and measured.
    """
    from ...watch.language import chosen_language
    from . import activation_pages as pages

    language = chosen_language(lang)
    if name is not None and ":" in name:
        from ...nets.catalogue.recognition import recognise

        if plot is not None:
            raise UsageError("--plot draws activations of the catalogue; a function of your own is measured in numbers only. Leave out --plot, or name one.")
        found = recognise(_own_function(name))
        _answer({"recognition": found.to_dict(language)}, json_place, lambda: pages.show_own(found, language))
        return
    from ...nets.catalogue.entries import activation, all_activations

    chosen = all_activations() if name is None else (activation(name),)
    if plot is not None:
        _draw(chosen, plot)
    if name is None:
        data: dict[str, Any] = {"activations": [one.to_dict(language) for one in chosen]} if json_place else {}
        _answer(data, json_place, lambda: pages.show_catalogue(chosen, language))
    else:
        data = {"activation": chosen[0].to_dict(language)} if json_place else {}
        _answer(data, json_place, lambda: pages.show_activation(chosen[0], language))


def _answer(data: dict[str, Any], json_place: str | None, show: Any) -> None:
    """Print the page, or the JSON document, or the page with the document in a file."""
    if json_place is None:
        show()
        return
    text = json.dumps({"schema": 1, **data}, ensure_ascii=False, allow_nan=False)
    if json_place == "-":
        click.echo(text)
        return
    try:
        Path(json_place).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"The document {json_place} cannot be written ({error.strerror or error}).") from None
    show()


def _draw(chosen: Any, place: str) -> None:
    from ...nets.catalogue.figure import catalogue_figure
    from ...reports.figures import FORMATS, save_figure

    if Path(place).suffix.lower() not in FORMATS:  # before the work, not after it
        raise UsageError(f"A figure's file should end in {', '.join(FORMATS)}, and is called {place!r}.")
    click.echo(save_figure(catalogue_figure(chosen), place), err=True)


def _own_function(name: str) -> Any:
    """Return the function, or the module, that ``module:function`` names: a module, a class of modules, a factory without arguments, or the function itself.

    Raises:
        UsageError: There is nothing of that name, or it is nothing that can be called.
    """
    from torch import nn

    from ...watch.target import called_factory, named_object

    found = named_object(name)
    if not callable(found):
        raise UsageError(f"{name} should be something that can be called, and is {type(found).__name__}.")
    if isinstance(found, nn.Module):
        return found
    made = called_factory(name, found) if _needs_nothing(found) else found
    if not callable(made):
        raise UsageError(f"{name} should be a function of one tensor, a module, or return one of these; it returned {type(made).__name__}.")
    return made


def _needs_nothing(function: Any) -> bool:
    """Return whether it can be called without arguments: a factory, or a class of modules."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # built in, as torch.tanh is
        return False
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(one.default is not one.empty or one.kind in kinds for one in signature.parameters.values())
