"""The walk in a real browser: keys, buttons, slider, both languages, both themes, and without a script."""

import pytest

from kazami.derivatives import backprop
from tests.derivatives.test_backpropagation import network
from tests.pages import UNNAMED, answers, chromium, comes_to, expect, fits, low_contrast, watched

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast("title, desc, .unseen-by-eye, .kg")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("walk") / "steps.html"
    return path, backprop(*network((3, 4, 2), "tanh", "cross_entropy", examples=2)).write(str(path))


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def show(browser, page_file):
    """Open the page from disk; complain at the end about any message on the console and any request."""
    trouble, pages = [], []

    def shown(query="", width=1200, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce", **options)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or trouble.append(request.url))
        page.goto(f"{page_file[0].as_uri()}{query}")
        pages.append(page)
        return page

    yield shown
    for page in pages:
        page.close()
    assert trouble == []


SHOWN = "[...document.querySelectorAll('.step')].filter((one) => one.getClientRects().length).map((one) => one.dataset.name)"


def shows(page, name):
    """Tell that one step is shown, sooner or later: that of a name."""
    return comes_to(answers(page, SHOWN), [name])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_can_be_read(show, theme, width, language):
    page = show(f"?lang={language}&theme={theme}#step-delta_1", width)
    for _ in range(2):
        assert comes_to(answers(page, LOW_CONTRAST), [])
        assert comes_to(answers(page, UNNAMED), [])
        assert fits(page, width)
        page.keyboard.press("End")


def test_keys_walk_through_the_steps(show):
    page = show()
    for name in ("A_0", "Z_1", "A_1", "Z_2", "A_2", "C", "delta_2", "dW_2", "db_2", "delta_1", "dW_1", "db_1"):
        assert shows(page, name)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert shows(page, "db_1")
    page.keyboard.press("ArrowLeft")
    assert shows(page, "dW_1")
    page.keyboard.press("Home")
    assert shows(page, "A_0")


def test_buttons_slider_and_circles_walk_too(show):
    page = show("?lang=en")
    page.get_by_role("button", name="Next step").click()
    assert shows(page, "Z_1")
    page.locator("#slider").fill("6")
    assert shows(page, "delta_2")
    page.locator("#slider").press("ArrowRight")
    assert shows(page, "dW_2")
    page.locator('.wide .node[data-id="A_1"]').click()
    assert shows(page, "A_1")
    page.get_by_role("button", name="Last step").click()
    assert shows(page, "db_1")
    expect(page.get_by_role("button", name="Next step")).to_be_disabled()


def test_numbers_appear_as_they_are_computed(show):
    page = show("#step-delta_2")
    visible = "[...document.querySelectorAll('.wide .numbers')].filter((one) => getComputedStyle(one).visibility === 'visible').length"
    assert comes_to(answers(page, visible), 5 + 7)  # W, b twice and T; seven steps
    for kind, names in (("is-now", ["delta_2", "dloss", "slope_2"]), ("is-used", ["A_2", "C", "T", "Z_2"])):
        assert comes_to(answers(page, f"[...document.querySelectorAll('.wide .node.{kind}')].map((one) => one.dataset.id).sort()"), names)


def test_it_plays_and_pauses(show):
    page = show("?lang=ja#step-dW_1")
    comes = watched(page)
    page.get_by_role("button", name="再生").click()
    page.locator("#place", has_text="12 / 12").wait_for()
    page.get_by_role("button", name="再生").wait_for()
    assert comes("一時停止")


def test_the_narrow_graph_follows(show):
    page = show("#step-C", 390)
    inside = """() => { const frame = document.querySelector('.window').getBoundingClientRect();
      const at = document.querySelector('.narrow .node[data-id="C"]').getBoundingClientRect(); return at.top >= frame.top && at.bottom <= frame.bottom; }"""
    assert comes_to(answers(page, inside), True)
    page.keyboard.press("Home")
    assert comes_to(answers(page, inside), False)


def test_the_language_switch_changes_words_and_what_is_spoken(show):
    page = show("?lang=en")
    page.get_by_role("button", name="日本語").click()
    expect(page.locator("h1")).to_have_text("誤差逆伝播を一歩ずつ", use_inner_text=True)
    expect(page.locator(".wide text:visible", has_text="逆伝播")).to_have_count(1)
    spoken = "[...document.querySelectorAll('[data-ja]')].every((one) => one.dataset.go === 'play' || one.getAttribute('aria-label') === one.dataset.ja)"
    assert comes_to(answers(page, spoken), True)


def test_without_a_script_all_steps_are_a_list_with_small_pictures(show):
    page = show(java_script_enabled=False, color_scheme="dark")
    expect(page.locator(".step:visible")).to_have_count(12)
    expect(page.locator(".small:visible")).to_have_count(12)
    expect(page.locator(".steering:visible")).to_have_count(0)
    expect(page.locator("body")).to_have_css("background-color", "rgb(15, 22, 25)")
