"""A prescription's lines in the script's own words: ``net`` for ``model``, ``opt`` for ``optimizer``."""

import re
from collections.abc import Mapping

_COMMENT = re.compile(r"(^|\s)#.*$")


def renamed(code: str, names: Mapping[str, str]) -> str:
    """Return code with other names; attributes, keywords, strings and comments stay.

    >>> renamed("optimizer = SGD(model.parameters(), lr=0.1)  # of the model", {"model": "net", "optimizer": "self.opt"})
    'self.opt = SGD(net.parameters(), lr=0.1)  # of the model'
    """
    return "\n".join(_renamed_line(line, names) for line in code.splitlines())


def _renamed_line(line: str, names: Mapping[str, str]) -> str:
    found = _COMMENT.search(line)
    statement, comment = (line[: found.start()], line[found.start() :]) if found else (line, "")
    for name, new in names.items():
        if new and new != name:
            # not an attribute, not in quotes, not a keyword of a call (a name at the beginning of the line is assigned to, and meant)
            statement = re.sub(rf"(?<![\w.\"'])(?<![,(] ){name}(?![\w\"'])|(?<=[,(] ){name}(?![\w\"']|=)", new, statement)
    return statement + comment


def without_comments(code: str) -> str:
    """Return code without the comments that a prescription explains itself by."""
    lines = [_COMMENT.sub("", line).rstrip() for line in code.splitlines()]
    return "\n".join(line for line in lines if line.strip())


def free_name(text: str, wanted: str) -> str:
    """Return a name that does not occur in a text yet: the wanted one, or that with underscores behind it.

    >>> free_name("norm = 1", "norm"), free_name("norms = 1", "norm")
    ('norm_', 'norm')
    """
    while re.search(rf"(?<![\w.]){wanted}\b", text):
        wanted += "_"
    return wanted
