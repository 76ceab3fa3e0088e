"""The guard at the door: which hosts, origins, tokens and sizes are let in, and what every answer says to the browser."""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ..records.finding import Sentence
from .wire import Problem, encoded

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

COOKIE = "kazami_token"
MOST_BODY = 2 * 2**20  # bytes of a request
TOO_LARGE = Problem("bad_request", Sentence("The request is too large.", "リクエストが大きすぎます。"))
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


@dataclass(frozen=True, slots=True)
class Doors:
    """Who may come in.

    Attributes:
        hosts: ``Host`` headers that are ours, with port, in lower case.
        token: What a visitor must show, ``None`` where the server listens on this machine alone.
        is_any_host: Whether every ``Host`` is ours: the server listens on a foreign address and the token guards it.
    """

    hosts: frozenset[str]
    token: str | None = None
    is_any_host: bool = False


class Refused(Exception):
    """A request is not let in."""

    def __init__(self, status: int, word: str, en: str, ja: str) -> None:
        super().__init__(en)
        self.status = status
        self.problem = Problem(word, Sentence(en, ja))


class Guard:
    """Wraps an application: refuses what should not come in, and puts the policy on everything that goes out.

    Args:
        application: What is guarded.
        doors: Who may come in.
    """

    def __init__(self, application: Application, doors: Doors) -> None:
        self._application = application
        self._doors = doors

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._application(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        protected = _with_headers(send)
        try:
            fresh = self._examine(scope, headers)
        except Refused as refusal:
            await _answer(protected, refusal.status, encoded(refusal.problem))
            return
        if fresh is not None:
            await _greet(protected, scope, fresh)
            return
        await self._application(scope, _bounded(receive), protected)

    def _examine(self, scope: MutableMapping[str, Any], headers: dict[str, str]) -> str | None:
        """Refuse, or return a token that came in the address and should move into a cookie."""
        host = headers.get("host", "").lower()
        if not self._doors.is_any_host and host not in self._doors.hosts:
            raise Refused(400, "bad_request", "This host name is not ours.", "このホスト名では応答しません。")
        self._examine_origin(scope["method"], host, headers)
        if int(headers.get("content-length", "0") if headers.get("content-length", "0").isdigit() else MOST_BODY + 1) > MOST_BODY:
            raise Refused(413, TOO_LARGE.problem, TOO_LARGE.say.en, TOO_LARGE.say.ja)
        return self._examine_token(scope, headers)

    def _examine_origin(self, method: str, host: str, headers: dict[str, str]) -> None:
        origin = headers.get("origin")
        if (origin is not None and not _is_at(origin, host)) or _is_embedded(headers):
            raise Refused(403, "bad_request", "Pages of other origins may not use this server.", "別オリジンのページからは利用できません。")
        if method in ("GET", "HEAD"):
            return
        if method not in ("POST", "PUT", "DELETE"):
            raise Refused(405, "bad_request", "This method is not used here.", "このメソッドは使えません。")
        if origin is None or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused(403, "bad_request", "A change must come from this server's own page.", "変更は、このサーバー自身のページからのみ受け付けます。")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, "bad_request", "A change must be application/json.", "変更は application/json で送ってください。")

    def _examine_token(self, scope: MutableMapping[str, Any], headers: dict[str, str]) -> str | None:
        token = self._doors.token
        if token is None:
            return None
        if _is_same(_cookie(headers.get("cookie", "")), token) or _is_same(_utf8(headers.get("authorization", "")).removeprefix("Bearer "), token):
            return None
        offered = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "GET" and _is_same(offered, token):
            return token
        raise Refused(
            401,
            "bad_request",
            "Open the address that kazami app printed: it holds the token.",
            "kazami app が表示した（トークン付きの）アドレスを開いてください。",
        )


def _is_at(origin: str, host: str) -> bool:
    """Tell whether an origin is the server's own."""
    try:
        parts = urlsplit(origin)
    except ValueError:  # half an address in brackets
        return False
    return parts.netloc.lower() == host and parts.scheme in ("http", "https")


def _is_embedded(headers: dict[str, str]) -> bool:
    """Tell whether a foreign page asks by an image, a script or a frame, which send no ``Origin``; a link that a person follows is none."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-dest") != "document"


def _is_same(offered: str, token: str) -> bool:
    return hmac.compare_digest(offered.encode(), token.encode())


def _cookie(text: str) -> str:
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return unquote(found.value) if found is not None else ""


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


async def _greet(send: Send, scope: MutableMapping[str, Any], token: str) -> None:
    """Move the token from the address into a cookie, so that it stands in no history and no screenshot.

    The cookie is ``Lax``: a strict one would not be shown on the way from a link on another site, and the person would have to click twice. It is still
    sent with nothing but what a person opens; changes need our own origin besides, and reading an address changes nothing.
    """
    cookie = f"{COOKIE}={quote(token, safe='')}; HttpOnly; SameSite=Lax; Path=/".encode()
    place = "/" + quote(scope["path"].lstrip("/"))  # two slashes would name another host
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", place.encode()), (b"set-cookie", cookie)]})
    await send({"type": "http.response.body", "body": b""})


async def _answer(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *HEADERS]
        await send(message)

    return sending


def _bounded(receive: Receive) -> Receive:
    """Cut off a body that grows beyond what it may be, whatever its length claimed."""
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > MOST_BODY:
                return {"type": "http.disconnect"}
        return message

    return receiving
