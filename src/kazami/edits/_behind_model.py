"""Lines about the new model, directly behind it."""

import re

from ._draft import Draft
from ._places import Places
from ._source import Uncertain
from ._wording import renamed, without_comments


def write_behind_model(draft: Draft, places: Places, code: str) -> None:
    """Insert a prescription's lines where the model is new.

    Raises:
        Uncertain: The lines speak of a weight without its name, or the model is a part of something else.
    """
    lines = without_comments(code)
    is_nameless = re.search(r"\(weight\b", lines) and "for weight in" not in lines
    if is_nameless or re.search(r"\.(weight|bias)\.(register_|input_norm|norm\b)", lines):  # a hook on what is no module
        raise Uncertain("a layer without a name")
    source, node, is_behind = places.model_spot
    text = draft.rooted(source, renamed(lines, {"model": places.root}))
    if is_behind:
        draft.after(source, node, text)
    else:
        draft.before(source, node, text)


def path_of(name: str, root: str) -> str:
    """Return a layer's path as Python.

    >>> path_of("net.0.fc", "model")
    'model.net[0].fc'
    """
    return root + "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in name.split("."))


def moved(code: str, names: dict[str, str], root: str = "model") -> str:
    """Return lines in which layers have other names, since something was put between them.

    >>> moved("for weight in (model[0].weight, model[1].weight):", {"1": "2"})
    'for weight in (model[0].weight, model[2].weight):'
    """
    paths = {path_of(old, root): path_of(new, root) for old, new in names.items()}
    if not paths:
        return code
    pattern = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
    return re.sub(rf"(?:{pattern})(?![\w\[])", lambda match: paths[match[0]], code)
