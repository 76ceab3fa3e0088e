"""The command line: one command per file, named ``<name>_command.py``, imported when it is called and not before."""

import os
import sys
import traceback
from typing import NoReturn

import click

from .. import __version__
from ..errors import KazamiError, UsageError
from ._group import CommandFolder

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command that ``arguments`` name, by default those of the process, and end the process with its exit code.

    Exit codes are those of ``docs/exit-codes.md``. A command returns nothing for 0, an exit code, or a function that ends the process by itself.
    """
    words = sys.argv[1:] if arguments is None else arguments
    ending = _invoke(words or ["--help"])
    if callable(ending):
        ending()
    sys.exit(ending if isinstance(ending, int) else 0)


def _invoke(words: list[str]) -> object:
    try:
        return kazami.main(words, prog_name="kazami", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # what click makes of Ctrl-C
        return INTERRUPTED
    except KazamiError as error:
        return _report(error, str(error), error.exit_code)
    except Exception as error:
        if _is_short_of_memory(error):
            return _report(error, "there is not enough memory for this. Ask for less at a time: fewer members, pixels or examples.", UsageError.exit_code)
        mistake = f"{type(error).__name__}: {error}".rstrip(": ")
        return _report(error, f"this is a mistake in kazami ({mistake}); please report it together with what `kazami --debug …` prints", 1)


def _is_short_of_memory(error: Exception) -> bool:
    """Tell Python's and numpy's MemoryError, and what torch raises in its place: an OutOfMemoryError on cards, on the processor a plain RuntimeError."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)


def _report(error: Exception, sentence: str, exit_code: int) -> int:
    if os.environ.get("KAZAMI_DEBUG"):
        traceback.print_exception(error)
    print(f"kazami: {sentence}", file=sys.stderr)
    return exit_code


def _set_debug(context: click.Context, option: click.Parameter, value: bool) -> None:
    del context, option
    if value:
        os.environ["KAZAMI_DEBUG"] = "1"  # in the environment, so that kazami's own subprocesses know it too


@click.group(cls=CommandFolder, folder=__path__[0], package=__name__, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Show the tracebacks of kazami's own errors.")
def kazami() -> None:
    """The weather service for neural-network training: watches a PyTorch training, says what is wrong with it, and shows why."""
