"""A Python program that ends when the process that started it does, however that one ended: its standard input is a pipe from there."""

import os
import runpy
import sys
import threading


def run() -> None:
    """Run the module named first among the arguments, as ``python -m`` does, until it ends or nobody holds the other end of standard input any more."""
    threading.Thread(target=_end_with_starter, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_starter() -> None:
    while os.read(0, 1):  # nothing is ever sent; at its end the pipe gives nothing at once
        pass
    os._exit(1)
