"""Hostile requests against a real server."""

import http.client
import json
import os
import re

import pytest

from kazami.app.routes._base import AbstractRoute
from kazami.app.server import Server
from kazami.errors import UsageError
from kazami.registry import plugins
from tests.app.stage import Serving, written
from tests.pages import PATIENCE
from tests.reports import runs

ORIGIN = "http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("guard") / "runs"


@pytest.fixture(scope="module")
def serving(folder):
    written(runs.one_step(), folder)
    secret = folder.parent / "secret"
    written(runs.healthy(), secret)
    os.symlink(secret / "digits-relu-8", folder / "link")
    one = Serving(folder)
    yield one
    one.stop()


def ask(serving, path, method="GET", body=None, **headers):
    port = serving.server.address.port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    sent = {name.replace("_", "-"): value.format(port=port) for name, value in headers.items()}
    try:
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def post(serving, path, body, **headers):
    sent = {"Origin": ORIGIN, "Content_Type": "application/json"} | headers
    return ask(serving, path, "POST", body if isinstance(body, bytes) else json.dumps(body).encode(), **{name: value for name, value in sent.items() if value})


MARK = "/api/runs/check/marks"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
def test_a_foreign_host_is_refused(serving, host):
    assert ask(serving, "/", Host=host)[0].status == 400


def test_our_own_names_are_let_in(serving):
    for host in ("127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"):
        assert ask(serving, "/", Host=host)[0].status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://[", "null", "http://127.0.0.1:1", "ftp://127.0.0.1:{port}", "http://127.0.0.1:{port}.evil.example"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_origin_is_refused(serving, origin, method):
    assert ask(serving, MARK, method, b"{}", Origin=origin, Content_Type="application/json")[0].status == 403


def test_a_change_needs_our_origin_and_our_content_type(serving):
    assert post(serving, MARK, {"step": 1, "text": "a"}, Origin="")[0].status == 403
    assert post(serving, MARK, {"step": 1, "text": "a"}, Content_Type="text/plain")[0].status == 415
    assert post(serving, MARK, {"step": 1, "text": "a"}, Sec_Fetch_Site="cross-site")[0].status == 403
    assert post(serving, MARK, {"step": 1, "text": "a"})[0].status == 200


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "OPTIONS", "CONNECT"])
def test_other_methods_are_refused(serving, method):
    assert ask(serving, "/", method, Origin=ORIGIN)[0].status == 405


@pytest.mark.parametrize("run", ["..", "%2e%2e", "..%2Fsecret%2Fdigits-relu-8", "link", "%00", "a" * 5000, ".", "check%2F..%2Fcheck", "nothing"])
def test_runs_are_opened_by_id_inside_the_folder_alone(serving, run):
    answer, body = ask(serving, f"/api/runs/{run}/layers/0")
    assert answer.status in (400, 404, 405)
    assert b"fc1" not in body


@pytest.mark.parametrize("path", ["/assets/../wire.py", "/assets/%2e%2e/%2e%2e/server.py", "/assets//etc/passwd", "/static/index.html", "/../pyproject.toml"])
def test_no_file_but_the_pages_is_served(serving, path):
    answer, body = ask(serving, path)
    assert answer.status == 404
    assert b"import" not in body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"step": 1}',
        b'{"step": "1", "text": "a"}',
        b'{"step": true, "text": "a"}',
        b'{"step": 1, "text": "a", "more": 1}',
        b'{"step": NaN, "text": "a"}',
        b"[" * 100_000,
        b'{"step": -1, "text": "a"}',
        b'{"step": 1, "text": "  "}',
        b"\xff\xfe",
        b'{"step": 1e400, "text": "a"}',
        b'{"step": 1' + b"0" * 400 + b', "text": "a"}',
    ],
)
def test_what_is_no_note_is_refused_in_words(serving, body):
    answer, text = post(serving, MARK, body)
    assert answer.status == 400
    assert_said_in_both_languages(text)


def test_a_large_body_is_refused_whatever_it_claims(serving):
    assert post(serving, MARK, b"x" * (3 * 2**20))[0].status == 413
    assert post(serving, MARK, b"{}", Content_Length="lots")[0].status in (400, 413)


def test_a_body_that_does_not_say_its_length_is_cut_off(serving):
    answer, text = ask(serving, MARK, "POST", iter([b"x" * 2**20] * 3), Origin=ORIGIN, Content_Type="application/json")
    assert answer.status == 413
    assert_said_in_both_languages(text)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_cannot_ask_by_an_image_but_a_person_may_follow_a_link(serving, site):
    for path in ("/", "/api/tunnel", "/api/stream?topic=runs"):
        answer, text = ask(serving, path, Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image")
        assert answer.status == 403
        assert_said_in_both_languages(text)
    assert ask(serving, "/", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")[0].status == 200
    assert ask(serving, "/", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors", Sec_Fetch_Dest="empty")[0].status == 200


def test_a_note_of_half_a_letter_is_written_and_read(serving):
    assert post(serving, MARK, b'{"step": 1, "text": "a\\ud800"}')[0].status == 200


def test_notes_are_not_written_through_a_link(serving, folder, tmp_path):
    (tmp_path / "mine").write_text("untouched")
    notes = folder / "check" / "marks.jsonl"
    kept = notes.read_bytes() if notes.exists() else b""
    notes.unlink(missing_ok=True)
    notes.symlink_to(tmp_path / "mine")
    try:
        answer, text = post(serving, MARK, {"step": 1, "text": "a"})
    finally:
        notes.unlink()
        notes.write_bytes(kept)
    assert answer.status == 400
    assert_said_in_both_languages(text)
    assert (tmp_path / "mine").read_text() == "untouched"


def test_an_error_of_our_own_is_said_in_both_languages(serving, monkeypatch):
    monkeypatch.setattr("kazami.app.folder.RunFolder.open", lambda self, run: 1 // 0)
    answer, text = ask(serving, "/api/runs/check/layers/0")
    assert answer.status == 500
    assert "default-src" in answer.headers["content-security-policy"]
    assert_said_in_both_languages(text)


def test_every_answer_carries_the_policy(serving):
    for path in ("/", "/api/runs/check/layers/0", "/nowhere"):
        headers = ask(serving, path)[0].headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_the_page_has_no_script_of_its_own_in_it(serving):
    _, page = ask(serving, "/")
    assert b"<script>" not in page
    assert b"http://" not in page
    assert b"https://" not in page


def test_a_mark_is_cut_and_their_number_is_bounded(serving):
    for _ in range(205):
        answer, _ = post(serving, MARK, {"step": 1, "text": "x" * 1000})
    assert answer.status == 400


def test_another_host_needs_a_token(tmp_path):
    with pytest.raises(UsageError, match="--token"):
        Server(str(tmp_path), host="0.0.0.0")


def test_the_token_moves_from_the_address_into_a_cookie(tmp_path):
    one = Serving(tmp_path, token="secret")
    assert ask(one, "/")[0].status == 401
    assert ask(one, "/?token=wrong")[0].status == 401
    answer, _ = ask(one, "/?token=secret")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ask(one, "/", Cookie=cookie.partition(";")[0])[0].status == 200
    assert ask(one, "/api/stream?topic=runs", Cookie="kazami_token=wrong")[0].status == 401
    one.stop()


@pytest.mark.parametrize("token", ["two words; and=more", '"風", 100 %+'])
def test_any_secret_can_be_a_token(tmp_path, token):
    one = Serving(tmp_path, token=token)
    answer, _ = ask(one, one.url.removeprefix(f"http://127.0.0.1:{one.server.address.port}"))
    assert answer.status == 303
    assert ask(one, "/", Cookie=answer.headers["set-cookie"].partition("; ")[0])[0].status == 200
    assert ask(one, "/", Authorization=f"Bearer {token}".encode().decode("latin-1"))[0].status == 200
    one.stop()


@pytest.mark.parametrize(("path", "place"), [("//evil.example/x", "/evil.example/x"), ("/%0d%0aX-Evil:1", "/%0D%0AX-Evil%3A1"), ("/%E9%A2%A8", "/%E9%A2%A8")])
def test_the_way_from_the_address_with_the_token_stays_here(tmp_path, path, place):
    one = Serving(tmp_path, token="secret")
    answer, _ = ask(one, f"{path}?token=secret")
    assert (answer.status, answer.headers["location"], answer.headers["x-evil"]) == (303, place, None)
    one.stop()


def test_a_port_that_is_taken_is_told_or_another_one_found(tmp_path, serving, monkeypatch):
    port = serving.server.address.port
    with pytest.raises(UsageError, match="--port"):
        Server(str(tmp_path), port=port)
    monkeypatch.setattr("kazami.app.server.USUAL_PORT", port)
    other = Serving(tmp_path, port=None)
    assert other.server.address.port != port
    other.stop()


def assert_said_in_both_languages(text):
    """A refusal is a sentence in English and another one in Japanese."""
    say = json.loads(text)["say"]
    assert say["en"].isascii()
    assert any("\u3040" <= letter <= "\u9fff" for letter in say["ja"]), say


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/runs/nothing/layers/0", 404),
        ("/api/runs/check/layers/999", 404),
        ("/api/runs/check/layers/x", 404),
        ("/api/runs/check/layers/%C2%B2", 404),
        (f"/api/runs/check/layers/{'1' * 5000}", 404),
        ("/api/runs/check/window?first=%C2%B2&last=1", 400),
        ("/api/runs/check/window?first=9&last=1", 400),
        ("/api/runs/check/window?first=a&last=1", 400),
        ("/api/runs/check/cures/check", 404),
        ("/api/runs/check/cures/check/patch", 404),
        ("/api/nothing", 404),
        ("/nowhere", 404),
    ],
)
def test_every_refusal_of_a_route_is_said_in_both_languages(serving, path, status):
    answer, text = ask(serving, path)
    assert answer.status == status
    assert_said_in_both_languages(text)


def test_every_refusal_of_the_guard_is_said_in_both_languages(serving):
    for answer, text in (
        ask(serving, "/", Host="evil.example"),
        ask(serving, "/", Origin="http://evil.example"),
        ask(serving, "/", "PATCH", Origin=ORIGIN),
        post(serving, MARK, {"step": 1, "text": "a"}, Content_Type="text/plain"),
        post(serving, MARK, b"x" * (3 * 2**20)),
        post(serving, "/api/runs/check/marks", {"step": 1}),
    ):
        assert answer.status in (400, 403, 405, 413, 415)
        assert_said_in_both_languages(text)


def test_without_the_token_nothing_can_be_asked_or_started_from_another_machine(tmp_path):
    one = Serving(tmp_path, host="0.0.0.0", token="secret")
    for kind in plugins("kazami.app.routes", AbstractRoute):
        path = re.sub(r"\{\w+\}", "x", kind.path)
        answer, text = post(one, path, {}) if kind.method == "POST" else ask(one, path)
        assert answer.status == 401, kind.path
        assert_said_in_both_languages(text)
    assert list(tmp_path.iterdir()) == []  # no demonstration was started
    one.stop()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_cookie_opens_no_door_to_another_site(tmp_path, method):
    one = Serving(tmp_path, token="secret")
    cookie = ask(one, "/?token=secret")[0].headers["set-cookie"].partition(";")[0]
    answer, _ = ask(one, "/api/demo", method, b"{}", Cookie=cookie, Origin="http://evil.example", Content_Type="application/json")
    assert answer.status == 403
    answer, _ = ask(one, "/api/tunnel", Cookie=cookie, Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="image")
    assert answer.status == 403
    one.stop()
