"""What the tests that open a page in a real browser share: the browser itself, and what makes a page unreadable."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

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


def low_contrast(skipped: str) -> str:
    """Return a script that lists the texts whose colour stands out less than 4.5:1 from the first opaque background behind them.

    Args:
        skipped: CSS selector of what is left out, with all that is in it.
    """
    return _LOW_CONTRAST.replace("SKIPPED", skipped)


@contextmanager
def chromium() -> Iterator[Any]:
    """Open the browser; where there is none skip with a reason, or fail if ``KAZAMI_REQUIRE_BROWSER`` is 1."""
    if CHROMIUM is None and os.environ.get("KAZAMI_REQUIRE_BROWSER") == "1":
        pytest.fail("KAZAMI_REQUIRE_BROWSER is 1, and chromium is not installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield opened
        opened.close()
