"""The server: static pages, routes, the stream, behind the guard."""

import asyncio
import json
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..errors import KazamiError, RunNotFound, UsageError
from ..records.finding import Sentence
from ..registry import plugins
from .folder import RunFolder, trouble_of
from .guard import TOO_LARGE, Doors, Guard
from .house import House
from .hub import Hub, positions_in
from .reading import json_from
from .refusals import Busy
from .routes._base import AbstractRoute, Asked, Attachment
from .wire import Problem, encoded

USUAL_PORT = 9463  # "wind" on the keys of a telephone
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOT_BUILT = "<!DOCTYPE html><title>kazami</title><p>The pages are not built. In a checkout, run: <code>python hatch_build.py</code></p>"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens.

    Attributes:
        host: As given.
        port: The port it got.
        token: What visitors must show, ``None`` on this machine alone.
    """

    host: str
    port: int
    token: str | None = None

    @property
    def url(self) -> str:
        """What to open in a browser; the token in it moves into a cookie at once."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/" + (f"?token={quote(self.token, safe='')}" if self.token else "")


def application(house: House, hub: Hub) -> Starlette:
    """Return the application without its guard."""
    routes = [_route(kind(house)) for kind in plugins(f"{__package__}.routes", AbstractRoute)]
    static = Path(str(files(__package__).joinpath("static")))

    async def page(request: Request) -> Response:
        del request
        index = static / "index.html"
        content = await run_in_threadpool(index.read_text, "utf-8") if index.is_file() else NOT_BUILT
        return Response(content, media_type="text/html", headers={"cache-control": "no-store"})

    async def stream(request: Request) -> Response:
        if hub.is_full:
            return _refusal(503, Problem("busy", Sentence("Too many tabs are open.", "開いているタブが多すぎます。")))
        topics = request.query_params.getlist("topic")
        positions = positions_in(request.headers.get("last-event-id", request.query_params.get("after", "")))
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(hub.stream(topics, positions), media_type="text/event-stream", headers=headers)

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        del app
        yield
        hub.close()
        house.close()

    assets = Mount("/assets", _Assets(directory=static / "assets", check_dir=False))
    handlers: dict[Any, Any] = {404: _nothing, 405: _not_so, Exception: _broken}
    return Starlette(routes=[Route("/", page), Route("/api/stream", stream), *routes, assets], lifespan=life, exception_handlers=handlers)


async def _nothing(request: Request, error: Exception) -> Response:
    del request, error
    return _refusal(404, Problem("not_found", Sentence("There is nothing at this address.", "このアドレスには何もありません。")))


async def _not_so(request: Request, error: Exception) -> Response:
    del request, error
    return _refusal(405, Problem("bad_request", Sentence("This method is not used here.", "このメソッドは使えません。")))


async def _broken(request: Request, error: Exception) -> Response:
    del request, error  # whose traceback is logged
    return _refusal(500, Problem("broken", Sentence("kazami itself failed; its log says where.", "kazami 内部のエラーです。詳細はログを見てください。")))


class _Assets(StaticFiles):
    """Files whose names hold a hash of their content: they never change."""

    def file_response(self, *args: Any, **settings: Any) -> Response:
        """Return the file, to be kept for ever."""
        response = super().file_response(*args, **settings)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def _route(route: AbstractRoute) -> Route:
    async def handle(request: Request) -> Response:
        try:
            body = json_from(await request.body()) if route.method != "GET" else None
            asked = Asked(dict(request.path_params), dict(request.query_params), body)
            return _response(await run_in_threadpool(lambda: _bytes_or_attachment(route.answer(asked))))
        except ClientDisconnect:  # who hears this has not gone: the guard cut the body off
            return _refusal(413, TOO_LARGE)
        except UsageError as error:
            return _refusal(400, Problem("bad_request", trouble_of(error)))
        except Busy as error:
            return _refusal(503, Problem("busy", error.say))
        except RunNotFound as error:
            return _refusal(404, Problem("not_found", trouble_of(error)))
        except KazamiError as error:
            return _refusal(422, Problem("unreadable", trouble_of(error)))

    return Route(route.path, handle, methods=[route.method])


def _bytes_or_attachment(answer: object) -> bytes | Attachment:
    return answer if isinstance(answer, Attachment) else encoded(answer)


def _response(answer: bytes | Attachment) -> Response:
    if isinstance(answer, Attachment):
        name = json.dumps("".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in answer.name))
        return Response(
            answer.content, media_type=answer.media_type, headers={"content-disposition": f"attachment; filename={name}", "cache-control": "no-store"}
        )
    return Response(answer, media_type="application/json", headers={"cache-control": "no-store"})


def _refusal(status: int, problem: Problem) -> Response:
    return Response(encoded(problem), status_code=status, media_type="application/json")


def bound(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens: on ``port``, or without one on the usual port, or on any if that is taken.

    Raises:
        UsageError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    candidates = [port] if port is not None else [USUAL_PORT, 0]
    for candidate in candidates:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(64)
        except OSError as error:
            listener.close()
            if candidate == candidates[-1]:
                raise UsageError(f"Port {candidate} of {host} cannot be had ({error.strerror or error}). Pass another one: --port N.") from None
        else:
            return listener
    raise UsageError(f"No port of {host} can be had.")


class _EndingStreams(uvicorn.Server):
    """A server that ends its streams when it is told to stop: they would keep it for ever."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the signal to stop."""
        self._hub.end_streams()
        super().handle_exit(sig, frame)


class Server:
    """One server on one address.

    Args:
        runs: Folder of runs, or one run.
        host: Address to listen on.
        port: Port, ``None`` for the usual one or any that is free.
        token: What visitors must show; needed where ``host`` is not this machine alone.

    Raises:
        UsageError: The address cannot be had, or a foreign one has no token.
    """

    def __init__(self, runs: str, *, host: str = "127.0.0.1", port: int | None = None, token: str | None = None) -> None:
        if host not in LOOPBACK and not token:
            raise UsageError(f"{host} can be reached from other machines, so visitors need a token: --token {secrets.token_urlsafe(12)} (or any secret)")
        self._socket = bound(host, port)
        self.address = Address(host, self._socket.getsockname()[1], token)
        self._house = House(RunFolder(runs), is_local=host in LOOPBACK)
        self.hub = Hub(self._house)
        names = {f"{name}:{self.address.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        doors = Doors(frozenset(names), token, is_any_host=host not in LOOPBACK)
        config = uvicorn.Config(
            Guard(application(self._house, self.hub), doors),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=64 * 1024,
            lifespan="on",
            ws="none",
        )
        self._server = _EndingStreams(config, self.hub)

    def serve(self, *, until: Callable[[], bool] | None = None) -> None:
        """Serve until Ctrl-C, or until ``until`` says so.

        Args:
            until: Asked once a second.
        """
        warm_up = threading.Thread(target=import_module, args=("pyarrow.parquet",), daemon=True, name="kazami-warm-up")  # the first page need not wait for it
        warm_up.start()
        if until is not None:
            threading.Thread(target=self._watch, args=(until,), daemon=True, name="kazami-until").start()
        with suppress(KeyboardInterrupt):
            asyncio.run(self._server.serve(sockets=[self._socket]))
        with suppress(KeyboardInterrupt):
            warm_up.join()  # a thread that still imports a library when Python ends takes the process down with it

    def stop(self) -> None:
        """End serving, from any thread."""
        self._server.should_exit = True
        self.hub.end_streams()

    def _watch(self, until: Callable[[], bool]) -> None:
        while not until():
            time.sleep(1.0)
        self.stop()
