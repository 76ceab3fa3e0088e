"""The other end of a spawned process: applies functions to items until the pipe is shut."""

import os
import pickle
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from ._pools import Failure, parcel

HEADER = 8  # bytes that say how long the message is


def send(pipe: IO[bytes], message: tuple[Any, ...]) -> None:
    """Write one message."""
    data = pickle.dumps(message)
    pipe.write(len(data).to_bytes(HEADER, "little"))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Return the next message.

    Raises:
        EOFError: The other end is gone.
    """
    header = pipe.read(HEADER)
    if len(header) < HEADER:
        raise EOFError
    size = int.from_bytes(header, "little")
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)


def serve() -> None:
    """Remember ``("function", (arguments, bytes))`` and answer ``("item", bytes)`` by ``(is_result, bytes)``; end when the parent does, even in the middle."""
    outwards, inwards = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)  # what the function prints must not come between
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inwards, messages), daemon=True).start()
    _bound_threads()
    send(outwards, ("ready",))
    function: Callable[[Any], Any] | Failure = Failure("NoFunction", "No function was sent.")
    while True:
        what, data = messages.get()
        if what == "function":
            sys.argv, code = data  # the user's functions may read them
            function = _opened(code)
        else:
            answer = _answer(function, data)
            _say_what_was_printed()  # before the answer: the parent may end this process as soon as it has the last one
            send(outwards, answer)


def _listen(pipe: IO[bytes], messages: "queue.SimpleQueue[Any]") -> None:
    while True:
        try:
            messages.put(receive(pipe))
        except (EOFError, OSError):
            os._exit(0)  # the parent is gone: nobody wants the result


def _say_what_was_printed() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def _bound_threads() -> None:
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def _opened(data: bytes) -> Any:
    try:
        return pickle.loads(data)
    except Exception as error:
        return Failure.of(error)


def _answer(function: Any, data: bytes) -> tuple[bool, bytes]:
    if isinstance(function, Failure):
        return False, pickle.dumps(function)
    try:
        return True, parcel(function(pickle.loads(data)))
    except Exception as error:  # also a result that cannot be pickled
        return False, pickle.dumps(Failure.of(error))
