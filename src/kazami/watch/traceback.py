"""Says on stderr what plain Python would have said about an uncaught exception: kazami's own frames are taken out of the traceback."""

import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType

_PACKAGE = Path(__file__).resolve().parent.parent
# Only what stands between Python and the script is hidden. A script may itself call kazami.nets or kazami.maps, and plain Python would show these.
_OWN_PLACES = (str(_PACKAGE / "watch") + os.sep, str(_PACKAGE / "cli") + os.sep, str(_PACKAGE / "__main__.py"))
_SHOW_ALL = bool(os.environ.get("KAZAMI_DEBUG"))


def hide_own_frames(error: BaseException) -> None:
    """Take the frames of ``kazami/watch`` and ``kazami/cli`` out of the traceback of ``error`` and of all exceptions it leads to.

    Frames go wherever they stand: at the top, and in the middle, where a hook of ours called on into torch. What an exception leads to is its cause,
    its context and, for a group, its members. The tracebacks are changed in place.

    Limits:
        With the environment variable ``KAZAMI_DEBUG`` set nothing is hidden. A traceback that the script formats by itself, in its own ``except``, is
        not changed.
    """
    if _SHOW_ALL:
        return
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        shown = _without_own_frames(current.__traceback__)
        with suppress(Exception):  # a class may forbid setting attributes; its traceback then stays as it is
            current.__traceback__ = shown
        pending += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions


def show(error: BaseException) -> int | None:
    """Hand the error to ``sys.excepthook``, as Python does; the answer is an exit code if that hook itself exits."""
    hide_own_frames(error)
    about = (type(error), error, error.__traceback__)
    sys.last_type, sys.last_value, sys.last_traceback = about
    sys.last_exc = error  # type: ignore[attr-defined,unused-ignore]  # since Python 3.12
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        write_error("sys.excepthook is missing\n")
        sys.__excepthook__(*about)
        return None
    try:
        hook(*about)
    except SystemExit as leaving:
        return exit_code_of(leaving)
    except BaseException as failure:
        second = failure
    else:
        return None
    hide_own_frames(second)
    write_error("Error in sys.excepthook:\n")
    sys.__excepthook__(type(second), second, second.__traceback__)
    write_error("\nOriginal exception was:\n")
    sys.__excepthook__(*about)
    return None


def exit_code_of(error: SystemExit) -> int:
    """Return the exit code that Python makes of a ``SystemExit``; what is no number is printed to stderr and means 1.

    Example:
        >>> exit_code_of(SystemExit()), exit_code_of(SystemExit(3)), exit_code_of(SystemExit(True))
        (0, 3, 1)
    """
    code = error.code
    if code is None:
        return 0
    if not isinstance(code, int):
        write_error(code)
        write_error("\n")
        return 1
    in_c = int(code) if -(2**63) <= code < 2**63 else -1  # what does not fit into a C long
    return in_c & 0xFF if os.name == "posix" else in_c


def one_line(error: BaseException) -> str:
    """Return the last line of a traceback, cut to one line.

    Example:
        >>> one_line(ValueError("no such file\\nat all")), one_line(KeyboardInterrupt())
        ('ValueError: no such file', 'KeyboardInterrupt')
    """
    text = ""
    with suppress(Exception):
        text = next(iter(str(error).splitlines()), "")
    return f"{type(error).__qualname__}: {text}" if text else type(error).__qualname__


def write_error(text: object) -> None:
    """Write ``text`` to stderr as it is, or do nothing where there is no stderr to write to."""
    with suppress(Exception):  # stderr may be closed, missing or a broken pipe
        sys.stderr.write(str(text))


def _without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while traceback is not None:
        if not _is_own(traceback.tb_frame.f_code.co_filename):
            kept.append(traceback)
        traceback = traceback.tb_next
    following: TracebackType | None = None
    for entry in reversed(kept):
        entry.tb_next = following
        following = entry
    return following


@cache
def _is_own(filename: str) -> bool:
    if filename.startswith("<"):  # <frozen runpy>, <stdin>, <string>
        return False
    return os.path.realpath(filename).startswith(_OWN_PLACES)
