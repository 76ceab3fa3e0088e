"""Fixtures of the tests of the app: ``app`` starts a server over a folder of runs, ``show`` opens a page of it."""

import pytest

from tests.app.stage import Serving, is_built, written
from tests.pages import chromium


@pytest.fixture(scope="module")
def browser():
    """The browser, opened once a file: two of them cannot be open in one process."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def app(tmp_path):
    """Start a server over runs: ``app(runs=[...], host=...)``; it ends with the test."""
    assert is_built(), "the pages are not built: python hatch_build.py"
    serving = []

    def start(runs=(), folder=None, **options):
        place = folder or tmp_path / "runs"
        for run in runs:
            written(run, place)
        serving.append(Serving(place, **options))
        return serving[-1]

    yield start
    for one in serving:
        one.stop()


@pytest.fixture
def show(browser):
    """Open a page: ``show(app, "#/observe")``; complain at the end about errors on the console and requests that leave the origin."""
    trouble, opened = [], []
    tolerated = []

    def shown(app, address="", *, width=1280, height=900, tolerate=(), wait="#verdict, #empty, #error", clock=None):
        tolerated.extend(tolerate)
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", locale="en-GB", bypass_csp=True)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: trouble.append("dialog"))
        origin = app.url.partition("?")[0]
        page.on("request", lambda request: request.url.startswith((origin, "data:", "blob:")) or trouble.append(request.url))
        opened.append(context)
        if clock is not None:
            page.clock.set_fixed_time(clock)
        page.goto(f"{app.url}{address}")
        if wait:
            page.locator(wait).first.wait_for()
        return page

    yield shown
    for context in opened:
        context.close()
    assert [text for text in trouble if not any(word in text for word in tolerated)] == []
