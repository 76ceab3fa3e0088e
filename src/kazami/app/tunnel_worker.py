"""The process that computes for the wind tunnel: reads wishes from its standard input, writes what it found to its standard output, ends with the server."""

import os
import pickle
import sys
import threading
import time
from queue import SimpleQueue
from typing import BinaryIO

from ..errors import KazamiError
from ..records.finding import Sentence
from .tunnel_work import work
from .wire_tunnel import JobPart, TunnelWish

BETWEEN = 0.1  # seconds between two reports of progress
BROKEN = Sentence("The computation failed ({name}). Try other numbers.", "計算に失敗しました（{name}）。別の値を試してください。")


def main() -> None:
    """Work until the server closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    os.nice(10)
    wishes: SimpleQueue[TunnelWish] = SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, wishes), daemon=True).start()
    import torch

    torch.set_num_threads(1)

    while True:
        _answer(wishes.get(), answers)


def _read(pipe: BinaryIO, wishes: "SimpleQueue[TunnelWish]") -> None:
    """Take wishes; when the server is gone, end at once, whatever is being computed."""
    try:
        while True:
            wishes.put(pickle.load(pipe))
    except (EOFError, OSError, pickle.UnpicklingError):
        os._exit(0)


def _answer(wish: TunnelWish, pipe: BinaryIO) -> None:
    last = [0.0]

    def tell(done: int, total: int, part: JobPart | None) -> None:
        now = time.monotonic()
        if part is None and now - last[0] < BETWEEN:
            return
        last[0] = now
        _send(pipe, (done, total, part))

    try:
        work(wish, tell)
        _send(pipe, None)
    except KazamiError as error:
        _send(pipe, Sentence(str(error), str(error)))
    except Exception as error:  # the page is told; the process lives on
        _send(pipe, Sentence(BROKEN.en.format(name=type(error).__name__), BROKEN.ja.format(name=type(error).__name__)))


def _send(pipe: BinaryIO, message: object) -> None:
    pickle.dump(message, pipe)
    pipe.flush()


if __name__ == "__main__":
    main()
