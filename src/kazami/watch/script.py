"""Runs a script inside this process as ``python train.py`` or ``python -m package.module`` would, so that hooks installed before can watch it.

What the script can see is what plain Python would have shown it: a real ``__main__`` module that lasts until the process ends (pickling, ``spawn`` and
``inspect`` need it), ``sys.argv``, ``sys.path[0]``, the working directory, stdin, its own traceback, and an exit code or a death by signal for the parent.

Limits:
    These differ from plain Python, and cannot be helped from inside the process:

    - ``signal.getsignal(SIGTERM)`` is a function of ours, not ``SIG_DFL``, until the script sets its own; that one wins. SIGTERM ends the process as
      soon as Python runs its next instruction, not in the middle of one long operation.
    - ``os._exit``, SIGKILL and a crash end the process at once: ``after`` is not called, and only what had been flushed can be read.
    - The frames of kazami are below those of the script: ``inspect.stack()`` shows them, they count towards the recursion limit, and a warning whose
      ``stacklevel`` points past the script names kazami's file instead of ``sys``.
    - ``__main__.__file__`` is kept after the script's end; modules that kazami has imported before are not imported again.
"""

import atexit
import builtins
import os
import pkgutil
import re
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from io import open_code
from types import CodeType, FrameType, ModuleType
from typing import Any, Literal, NoReturn

from .traceback import exit_code_of, hide_own_frames, one_line, show, write_error

# Schedulers and containers send SIGKILL 10 to 30 seconds after SIGTERM; ``after`` is cut off well before.
_PATIENCE_S = 5.0
_former_mains: list[ModuleType] = []  # modules that were __main__ before; functions of theirs are still running


class StopTraining(BaseException):
    """Raised by kazami inside a hook to end the script early and in good order: the exit code is 0 and no traceback is shown."""


@dataclass(frozen=True, slots=True)
class ScriptEnd:
    """How a script ended.

    Attributes:
        exit_code: What the shell would have been told by plain Python: 0 to 255, for a signal 128 plus its number.
        reason: ``finished``: ran to its end; ``exit``: ``SystemExit``; ``exception``: an uncaught exception; ``interrupted``: Ctrl-C;
            ``terminated``: SIGTERM; ``stopped``: by kazami, through :class:`StopTraining`.
        exception: The uncaught exception on one line, for example ``"ValueError: no such file"``.
        signal: The signal the process has to die of, so that its parent sees what it would have seen.
    """

    exit_code: int
    reason: Literal["finished", "exit", "exception", "interrupted", "terminated", "stopped"]
    exception: str | None = None
    signal: int | None = None


def run_script(target: str, arguments: Sequence[str], *, as_module: bool, before: Callable[[], None], after: Callable[[ScriptEnd], None]) -> ScriptEnd:
    """Run a script to its end in a new ``__main__`` module, show its traceback if it fails, and return how it ended.

    Args:
        target: Path of a script, of a directory or zip file with a ``__main__.py``, or ``-`` for stdin; with ``as_module`` the dotted name of a module.
        arguments: What the script finds in ``sys.argv[1:]``.
        as_module: Run as ``python -m target`` does.
        before: Called right before the first line of the script, when ``sys.argv`` and ``sys.path`` are already the script's. It is not called for a
            script that cannot be opened or compiled.
        after: Called once, when the script and the threads it waits for have ended, also on SIGTERM; not called if ``before`` was not, and never in a
            process that the script forked. The script's ``atexit`` handlers run later, at the real end of the process.

    Returns:
        The ending, which :func:`end_process` turns into that of the process. An exception in ``before`` or ``after`` costs one line on stderr, no more
        (and its traceback where ``KAZAMI_DEBUG`` is set); after one in ``before`` the script runs unwatched.

    Limits:
        ``after`` must not start what Python refuses once it is shutting down, such as work in a new ``ThreadPoolExecutor``: the script may have left
        threads that only the shutdown ends. What ``before`` and ``after`` import should be imported by then, or a module beside the script may shadow it.
    """
    watch = _Bracket(before, after)
    caught: BaseException | None = None
    try:
        execute = _prepare_module(target, arguments) if as_module else _prepare_script(target, arguments)
        watch.open()
        execute()
    except BaseException as error:
        caught = error
    if not as_module:
        _flush()  # as Python does after a file, and only then: so stdout and the traceback keep their order in one pipe
    end = _ending(caught)
    _wait_for_threads()
    if not watch.is_in_own_process():
        _leave_child(end)
    watch.close(end)
    return end


def end_process(end: ScriptEnd) -> NoReturn:
    """End this process as the script did: with its exit code or by its signal, after threads, ``atexit`` handlers and a flush of stdio.

    Python itself does the finishing, so that also open files are flushed, and a stdout that cannot be flushed gives exit code 120. It must therefore be
    called where nothing above catches ``SystemExit`` or ``KeyboardInterrupt``, as click does.

    Raises:
        SystemExit: With the exit code.
        KeyboardInterrupt: To be left uncaught; Python then dies of SIGINT, and nothing is printed a second time.
    """
    if end.signal == signal.SIGINT:
        sys.excepthook = _print_nothing
        raise KeyboardInterrupt
    if end.signal is not None:
        _flush()
        _die_of(end.signal)
    raise SystemExit(end.exit_code)


class _Bracket:
    """Calls ``before`` once and ``after`` at most once, and only in the process that began; SIGTERM in between calls ``after`` and then kills."""

    def __init__(self, before: Callable[[], None], after: Callable[[ScriptEnd], None]) -> None:
        self._before = before
        self._after = after
        self._owner = os.getpid()
        self._is_open = False
        self._is_terminated = False
        self._handler = self._on_sigterm  # one object: signal.getsignal is compared with it
        self._held = threading.local()  # .mask: signals blocked before a fork in this thread

    def open(self) -> None:
        self._is_open = True
        try:
            self._before()
        except Exception as error:
            self._is_open = False
            _complain("watching could not begin", error)
            return
        if threading.excepthook is threading.__excepthook__:
            threading.excepthook = _show_thread_error
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._handler)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(before=self._hold_sigterm, after_in_parent=self._let_sigterm_pass, after_in_child=self._leave_to_parent)

    def close(self, end: ScriptEnd) -> None:
        if not self._is_open or not self.is_in_own_process():
            return
        self._is_open = False
        try:
            self._after(end)
        except BaseException as error:
            _complain("watching could not be finished", error)
        self._give_back_sigterm()
        if self._is_terminated and end.reason != "terminated":
            _die_of(signal.SIGTERM)  # it came meanwhile: launchers end all processes of a job when one fails

    def is_in_own_process(self) -> bool:
        return os.getpid() == self._owner

    def _give_back_sigterm(self) -> None:
        with suppress(ValueError):  # only the main thread may
            if signal.getsignal(signal.SIGTERM) is self._handler:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _hold_sigterm(self) -> None:
        # Python drops signals that reach a new child before it is set up; held back, this one kills it as soon as the default action is restored.
        if signal.getsignal(signal.SIGTERM) is self._handler:
            self._held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _let_sigterm_pass(self) -> None:
        if vars(self._held):
            signal.pthread_sigmask(signal.SIG_SETMASK, vars(self._held).pop("mask"))

    def _leave_to_parent(self) -> None:
        self._give_back_sigterm()
        self._let_sigterm_pass()

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)  # a second SIGTERM kills at once
        self._is_terminated = True
        if self.is_in_own_process():
            with suppress(RuntimeError):  # no threads any more at the very end
                rescue = threading.Timer(_PATIENCE_S, os.kill, (self._owner, number))  # a lock held by the interrupted code may block ``after``
                rescue.daemon = True
                rescue.start()
            if not self._is_open:
                return  # ``after`` is under way, and ends the process
            self.close(ScriptEnd(128 + number, "terminated", None, number))
        _die_of(number)


def _prepare_module(name: str, arguments: Sequence[str]) -> Callable[[], object]:
    _new_main()
    _set_command_line("-m", name, *arguments)
    sys.argv = ["-m", *arguments]  # as plain Python has it while it imports the package; runpy then puts the full path
    _set_first_path(_current_directory())
    return partial(runpy._run_module_as_main, name)  # type: ignore[attr-defined]  # what ``python -m`` itself calls; its frames belong in the traceback


def _prepare_script(target: str, arguments: Sequence[str]) -> Callable[[], object]:
    main = _new_main()
    _set_command_line(target, *arguments)
    sys.argv = [target, *arguments]
    if target == "-":
        _set_first_path("")
        return _in_main(main, "<stdin>", _compile(sys.stdin.buffer.read(), "<stdin>"), BuiltinImporter)
    path = _absolute(target)
    if pkgutil.get_importer(path) is not None:  # a directory or a zip file
        _set_first_path(path, is_always_searched=True)
        return partial(runpy._run_module_as_main, "__main__", False)  # type: ignore[attr-defined]
    _set_first_path(os.path.dirname(os.path.realpath(path)))
    if path.endswith(".pyc"):
        loader = SourcelessFileLoader("__main__", path)
        return _in_main(main, path, loader.get_code("__main__"), loader)
    return _in_main(main, path, _compile(_read(path), path), SourceFileLoader("__main__", path))


def _in_main(main: ModuleType, path: str, code: CodeType | None, loader: Any) -> Callable[[], object]:
    main.__file__ = path
    main.__loader__ = loader
    if sys.version_info < (3, 15):
        main.__cached__ = None  # type: ignore[attr-defined]
    if code is None:
        raise ImportError(f"{path} holds no code")
    return partial(exec, code, vars(main))


def _new_main() -> ModuleType:
    """Put a fresh module in the place of ``__main__``, with what Python puts there before anything runs, in the same order."""
    _former_mains.append(sys.modules["__main__"])
    main = ModuleType("__main__")
    main.__loader__ = BuiltinImporter
    if sys.version_info < (3, 14):  # later made on demand
        main.__annotations__ = {}
    vars(main)["__builtins__"] = builtins
    sys.modules["__main__"] = main
    return main


def _set_command_line(*own: str) -> None:
    """Make ``sys.orig_argv``, from which some programs start themselves again, name the script instead of kazami; Python's own options stay."""
    n_python = len(sys.orig_argv) - len(sys.argv) + 1
    python = sys.orig_argv[: max(n_python, 1)]
    if python[-2:-1] == ["-m"]:
        python = python[:-2]
    elif len(python) > 1:
        python = python[:-1]
    sys.orig_argv = [*python, *own]


def _set_first_path(directory: str, *, is_always_searched: bool = False) -> None:
    """Replace the entry Python made for kazami's own start; with ``-P`` or ``PYTHONSAFEPATH`` it made none, and makes one only for a directory or zip."""
    if not sys.flags.safe_path:
        sys.path[:1] = [directory]
    elif is_always_searched:
        sys.path.insert(0, directory)


def _current_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # the directory is gone
        return ""


def _absolute(path: str) -> str:
    """Return what Python makes of a script's path for ``__file__``: absolute, but not normalized."""
    return os.path.abspath(path) if os.name == "nt" else os.path.join(_current_directory(), path)


def _read(path: str) -> bytes:
    try:
        with open_code(path) as file:
            return file.read()
    except OSError as error:
        write_error(f"{sys.orig_argv[0]}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}\n")
    raise SystemExit(2)


def _compile(source: bytes, path: str) -> CodeType:
    try:
        return compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        mistake = _mistake_in_file(source, path, str(error)) or error
    raise mistake.with_traceback(None) from None


def _mistake_in_file(source: bytes, path: str, message: str) -> SyntaxError | None:
    """Return the error Python reports for a file where it words it differently for a string in memory."""
    if "null byte" in message:
        before = source[: source.index(0)].splitlines() or [b""]
        return SyntaxError("source code cannot contain null bytes", (path, len(before), None, before[-1].decode(errors="replace")))
    unknown = re.search(r"unknown encoding: (\S+)", message)
    if unknown:
        return SyntaxError(f"encoding problem: {unknown[1]}")
    if "'utf-8' codec can't decode" in message and not re.search(rb"^[ \t\f]*#.*?coding[:=]", b"\n".join(source.splitlines()[:2]), re.MULTILINE):
        return _not_utf8(source, path)
    return None


def _not_utf8(source: bytes, path: str) -> SyntaxError | None:
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        where = f"in file {path} on line {line}, but no encoding declared; see https://peps.python.org/pep-0263/ for details"
        return SyntaxError(f"Non-UTF-8 code starting with '\\x{source[error.start]:02x}' {where}")
    return None


def _ending(error: BaseException | None) -> ScriptEnd:
    """Say on stderr what Python says about an uncaught exception, and return the ending it means."""
    if error is None:
        return ScriptEnd(0, "finished")
    if isinstance(error, StopTraining):
        return ScriptEnd(0, "stopped")
    if isinstance(error, SystemExit):
        return ScriptEnd(exit_code_of(error), "exit")
    changed = show(error)
    is_interrupt = type(error) is KeyboardInterrupt  # Python looks for this very class
    reason: Literal["interrupted", "exception"] = "interrupted" if is_interrupt else "exception"
    if is_interrupt and changed is None:
        return ScriptEnd(128 + signal.SIGINT, reason, one_line(error), signal.SIGINT)
    return ScriptEnd(1 if changed is None else changed, reason, one_line(error))


def _show_thread_error(about: threading.ExceptHookArgs) -> None:
    if about.exc_value is None or isinstance(about.exc_value, StopTraining):
        return
    hide_own_frames(about.exc_value)
    threading.__excepthook__(about)


def _wait_for_threads() -> None:
    """Take the step that follows in plain Python, before ``atexit`` handlers run; where no thread is left the interpreter takes it itself."""
    if all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate()):
        return
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # joining alone would wait forever for pools, whose threads only this tells to end
    except BaseException as error:
        ignored = error
    else:
        return
    hide_own_frames(ignored)
    write_error(f"Exception ignored in: {threading!r}\n")
    sys.__excepthook__(type(ignored), ignored, ignored.__traceback__)


def _leave_child(end: ScriptEnd) -> NoReturn:
    """End a process that the script forked and let run on: nothing of kazami's above this frame may run there."""
    atexit._run_exitfuncs()
    vars(sys.modules["__main__"]).clear()  # files that the script left open are flushed as they go
    _flush()
    if end.signal is not None:
        _die_of(end.signal)
    os._exit(end.exit_code)


def _die_of(number: int) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # only where the signal does not kill


def _print_nothing(*about: object) -> None:
    del about


def _complain(what: str, error: BaseException) -> None:
    if os.environ.get("KAZAMI_DEBUG"):
        sys.__excepthook__(type(error), error, error.__traceback__)
    write_error(f"kazami: {what} ({one_line(error)}); the script itself is not affected.\n")


def _flush() -> None:
    for stream in (sys.stderr, sys.stdout):
        with suppress(Exception):
            stream.flush()
