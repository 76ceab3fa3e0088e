"""What the tests that open a page in a real browser share: the browser itself, patience, and what makes a page unreadable.

What a page does comes later than what was done to it. So no test reads a page once: it says what should come, by ``expect`` or `comes_to`, and
that is waited for.
"""

import os
import random
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

try:
    from playwright.sync_api import expect
except ImportError:  # then `chromium` skips whoever asks for a page
    expect = None

Read = TypeVar("Read")
PATIENCE = 150.0  # seconds that anything may take: CI is two cores with other work on them

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
UNNAMED = """() => [...document.querySelectorAll('[role="img"], [role="region"], button, nav, a')]
  .filter((node) => node.getClientRects().length && !(node.getAttribute("aria-label") || node.textContent.trim() || node.getAttribute("aria-labelledby")))
  .map((node) => node.outerHTML.slice(0, 80))"""
_LOW_CONTRAST = """() => {
  const parts = (code) => code.match(/[\\d.]+/g).map(Number);
  const bend = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = (code) => parts(code).slice(0, 3).reduce((sum, part, at) => sum + bend(part) * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    while (node && (parts(getComputedStyle(node).backgroundColor)[3] ?? 1) < 0.99) node = node.parentElement;
    return node ? getComputedStyle(node).backgroundColor : "rgb(255, 255, 255)";
  };
  const found = [];
  for (const node of document.querySelectorAll("body *:not(script, style, noscript, canvas)")) {
    const isText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!isText || !node.getClientRects().length || node.closest("SKIPPED")) continue;
    const colour = node.closest("svg") ? getComputedStyle(node).fill : getComputedStyle(node).color;
    const [dim, bright] = [light(colour), light(behind(node))].sort((one, other) => one - other);
    if ((bright + 0.05) / (dim + 0.05) < 4.5) found.push(`${node.textContent.trim().slice(0, 40)}: ${colour} on ${behind(node)}`);
  }
  return found;
}"""


SEEN = """() => {
  window.seen = [];
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) for (const node of [target, ...addedNodes]) window.seen.push(node.ariaLabel ?? "", node.textContent);
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter: ["aria-label"] });
}"""


def eventually(read: Callable[[], Read], holds: Callable[[Read], object], *, seconds: float = PATIENCE) -> Read:
    """Return what ``read`` gives as soon as ``holds`` is true of it; whoever waits for ever fails with what was read last."""
    deadline = time.monotonic() + seconds
    while not holds(found := read()):
        assert time.monotonic() < deadline, f"it never came; instead: {found!r}"
        time.sleep(0.03)
    return found


def comes_to(read: Callable[[], Read], wanted: Read) -> bool:
    """Tell that what is read becomes what is wanted, sooner or later."""
    return eventually(read, lambda found: found == wanted) == wanted


def answers(page: Any, script: str, argument: object = None) -> Callable[[], Any]:
    """Return how to ask a page for something, to be waited for."""
    return lambda: page.evaluate(script, argument)


def fits(page: Any, width: int) -> bool:
    """Tell that nothing of a page stands out of its window."""
    return eventually(answers(page, "document.documentElement.scrollWidth"), lambda found: found <= width) <= width


def watched(page: Any) -> Callable[[str], bool]:
    """Return what waits for a text of a page that stands there for a moment only; it is watched for from now on."""
    page.evaluate(SEEN)
    return lambda text: bool(eventually(answers(page, "window.seen"), lambda seen: any(text in one for one in seen)))


def low_contrast(skipped: str) -> str:
    """Return a script that lists the texts whose colour stands out less than 4.5:1 from the first opaque background behind them.

    Args:
        skipped: CSS selector of what is left out, with all that is in it.
    """
    return _LOW_CONTRAST.replace("SKIPPED", skipped)


def free_port() -> int:
    """Return a port that nobody listens on, below those that the system hands out by itself: no other test and no connection takes it meanwhile."""
    while True:
        port = random.SystemRandom().randrange(10_240, 32_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@contextmanager
def chromium() -> Iterator[Any]:
    """Open the browser; where there is none skip with a reason, or fail if ``KAZAMI_REQUIRE_BROWSER`` is 1."""
    if CHROMIUM is None and os.environ.get("KAZAMI_REQUIRE_BROWSER") == "1":
        pytest.fail("KAZAMI_REQUIRE_BROWSER is 1, and chromium is not installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        api.expect.set_options(timeout=1000 * PATIENCE)
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split(), timeout=2000 * PATIENCE)
        try:
            yield Patient(opened)
        finally:
            opened.close()


class Patient:
    """A browser whose pages wait as long as `PATIENCE` says."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def new_context(self, **options: Any) -> Any:
        """Open a window of its own."""
        context = self._browser.new_context(**options)
        context.set_default_timeout(1000 * PATIENCE)
        context.set_default_navigation_timeout(1000 * PATIENCE)
        return context

    def new_page(self, **options: Any) -> Any:
        """Open a page in a window of its own."""
        page = self._browser.new_page(**options)
        page.set_default_timeout(1000 * PATIENCE)
        page.set_default_navigation_timeout(1000 * PATIENCE)
        return page
