"""How a record shows itself in a notebook: the report's components, reached by name only when a notebook asks, so that records stay dry.

A record takes both functions as methods: ``_repr_html_ = as_html`` and ``_repr_mimebundle_ = mimebundle``. In a terminal and in a log it stays its text.
"""

from importlib import import_module
from typing import Any


def as_html(thing: Any) -> str:
    """Return the rich form of a record, in the language of the environment."""
    html: str = import_module("kazami.reports.notebook").html_of(thing, _language())
    return html


def mimebundle(thing: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """Return HTML, and text for front ends that show no HTML."""
    del include, exclude  # the front end picks
    return {"text/html": as_html(thing), "text/plain": as_text(thing)}


def as_text(thing: Any) -> str:
    """Return the form for a front end that shows no HTML."""
    text: str = import_module("kazami.reports.notebook").text_of(thing, _language())
    return text


def pretty(thing: Any, printer: Any, cycle: bool) -> None:
    """Print the text in IPython, which has ideas of its own about lists."""
    del cycle
    printer.text(as_text(thing))


def _language() -> str:
    language: str = import_module("kazami.watch.language").chosen_language(None)
    return language
