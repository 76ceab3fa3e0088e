"""The page in a real browser: opens from disk, switches language and theme, and can be read."""

import pytest

from kazami.tour.page import render_page
from kazami.tour.panels import descent, neuron_to_network
from kazami.tour.taking import Tour, take
from tests.pages import UNNAMED, answers, chromium, comes_to, eventually, expect, fits, low_contrast

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast("title, desc, .unseen-by-eye, .kg")


@pytest.fixture(scope="module")
def page_text():
    panels = (neuron_to_network.NeuronToNetwork(), descent.Descent())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(descent, "BUDGET", 0.1)
        return render_page(Tour(list(take(panels, lambda panel, sentence: None))))


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def show(browser, page_text, tmp_path):
    """Open the page from disk; complain at the end about any error on the console and any request."""
    trouble, pages = [], []

    def shown(query="", width=1280, **options):
        file = tmp_path / "tour.html"
        file.write_text(page_text, encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce", **options)
        page.on("console", lambda message: message.type in ("error", "warning") and trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or trouble.append(request.url))
        page.goto(f"{file.as_uri()}{query}")
        pages.append(page)
        return page

    yield shown
    for page in pages:
        page.close()
    assert trouble == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_can_be_read(show, theme, width, language):
    page = show(f"?lang={language}&theme={theme}", width)
    assert comes_to(answers(page, LOW_CONTRAST), [])
    assert comes_to(answers(page, UNNAMED), [])
    assert fits(page, width)


def test_the_language_switch_changes_words_figures_and_what_is_spoken(show):
    page = show("?lang=en")
    expect(page.locator("h1")).to_have_text("The weather of training, in five panels", use_inner_text=True)
    page.get_by_role("button", name="日本語").click()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.locator("h1")).to_contain_text("パネル", use_inner_text=True)
    expect(page.locator("svg text:visible", has_text="損失")).to_have_count(1)
    assert comes_to(answers(page, "[...document.querySelectorAll('svg[data-ja]')].every((svg) => svg.getAttribute('aria-label') === svg.dataset.ja)"), True)


def test_the_theme_switch_turns_the_page(show):
    page = show("?theme=light")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert eventually(answers(page, "getComputedStyle(document.body).backgroundColor"), lambda found: found != before)


def test_everything_is_there_without_javascript(browser, page_text, tmp_path):
    file = tmp_path / "tour.html"
    file.write_text(page_text, encoding="utf-8")
    page = browser.new_page(java_script_enabled=False)
    page.goto(file.as_uri())
    expect(page.locator("h2:visible")).to_have_count(2)
    assert eventually(page.locator("figure:visible svg:visible").count, lambda found: found >= 7)
    page.locator("summary:visible").first.click()
    expect(page.locator("table:visible")).to_have_count(1)
    page.close()
