"""One self-contained HTML file: opens from disk, speaks both languages, and asks nothing of any network."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files

from ..errors import CannotWrite
from ..records.finding import Finding
from ..records.run_info import RunInfo
from ..records.trace import Trace
from .columns import raw_series
from .document import document
from .flags import flags_of
from .flow import flow_of
from .outcome import checks_of, verdict
from .plain import for_script
from .view import view
from .words import say


def render_html(info: RunInfo, trace: Trace, findings: Sequence[Finding], *, language: str = "en") -> str:
    """Return the report of one run as the text of one HTML file.

    The file holds its style, its script and its numbers; a content security policy inside it forbids any request. Strings of the user stand in it only
    as escaped JSON or escaped text, and its script sets them as text, never as markup.

    Args:
        info: Head of the run.
        trace: What was seen of the training.
        findings: Most important first.
        language: The language the page opens in, ``"en"`` or ``"ja"``; the reader can switch, and ``?lang=ja`` in the address wins.

    Returns:
        HTML, to be written as UTF-8.
    """
    series, thinned = raw_series(trace.series)
    content = document(info, findings, None) | {
        "info": info.to_dict() | {"findings": []},  # they stand above, and newer
        "layers": [asdict(layer) for layer in trace.layers],
        "facts": dict(trace.facts),
        "series": series,
        "thinned": thinned,
        "view": view(info, trace, findings),
        "events": flags_of(info, trace, findings),
        "flow": flow_of(trace),
    }
    style, script = built("report.css"), built("report.js")
    sentence = verdict(info, findings, checks_of(info, trace.facts)).in_language(language)
    holes = {
        "language": "ja" if language == "ja" else "en",
        "title": escape(f"{info.id} · {sentence} · kazami"),
        "verdict": escape(sentence),
        "needs_script": escape(say("needs_script", language)),
        "style": style,
        "script": script,
        "style_hash": _hash(style),
        "script_hash": _hash(script),
        "data": for_script(content),
    }
    page = fill(_part("report.html"), holes)
    return page.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate, say of an undecodable path, cannot be written


def fill(template: str, holes: Mapping[str, str]) -> str:
    """Return the template with every ``[[name]]`` replaced, in one pass, so that no value can open a new hole.

    >>> fill("<p>[[a]]</p>", {"a": "[[a]]"})
    '<p>[[a]]</p>'
    """
    return re.sub(r"\[\[(\w+)\]\]", lambda match: holes[match[1]], template)


class PagesNotBuilt(CannotWrite, OSError):
    """A checkout whose pages were never built; packages hold them."""


def built(name: str) -> str:
    """Return a file of the report bundle, which ``hatch_build.py`` builds from ``web/``.

    Raises:
        PagesNotBuilt: It is not there.
    """
    try:
        text = files(__package__).joinpath("static", "built", name).read_text(encoding="utf-8")
    except OSError:
        raise PagesNotBuilt("The report's page is not built. In a checkout, run: python hatch_build.py") from None
    return text.replace("</script", "<\\/script") if name.endswith(".js") else text


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the digest by which the page's policy knows its own script or style; nothing else in the file may run, whatever it says."""
    return b64encode(sha256(text.encode()).digest()).decode()
