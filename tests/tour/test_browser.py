"""The page in a real browser: opens from disk, switches language and theme, and can be read."""

import shutil

import pytest

from kazami.tour.page import render_page
from kazami.tour.panels import descent, neuron_to_network
from kazami.tour.taking import Tour, take

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
# Texts whose colour stands out less than 4.5:1 from the first opaque background behind them.
LOW_CONTRAST = """() => {
  const parts = (code) => code.match(/[\\d.]+/g).map(Number);
  const bend = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = (code) => parts(code).slice(0, 3).reduce((sum, part, at) => sum + bend(part) * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    while (node && (parts(getComputedStyle(node).backgroundColor)[3] ?? 1) < 0.99) node = node.parentElement;
    return node ? getComputedStyle(node).backgroundColor : "rgb(255, 255, 255)";
  };
  const found = [];
  for (const node of document.querySelectorAll("body *:not(script, style)")) {
    const isText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!isText || !node.getClientRects().length || node.closest("title, desc, .unseen-by-eye, .kg")) continue;
    const colour = node.closest("svg") ? getComputedStyle(node).fill : getComputedStyle(node).color;
    const [dim, bright] = [light(colour), light(behind(node))].sort((one, other) => one - other);
    if ((bright + 0.05) / (dim + 0.05) < 4.5) found.push(`${node.textContent.trim().slice(0, 40)}: ${colour} on ${behind(node)}`);
  }
  return found;
}"""
UNNAMED = """() => [...document.querySelectorAll('[role="img"], [role="region"], button, nav, a')]
  .filter((node) => node.getClientRects().length && !(node.getAttribute("aria-label") || node.textContent.trim() || node.getAttribute("aria-labelledby")))
  .map((node) => node.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def page_text():
    panels = (neuron_to_network.NeuronToNetwork(), descent.Descent())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(descent, "BUDGET", 0.1)
        return render_page(Tour(list(take(panels, lambda panel, sentence: None))))


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield opened
        opened.close()


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
    assert page.evaluate(LOW_CONTRAST) == []
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_language_switch_changes_words_figures_and_what_is_spoken(show):
    page = show("?lang=en")
    assert page.locator("h1").inner_text() == "The weather of training, in five panels"
    page.get_by_role("button", name="日本語").click()
    assert page.evaluate("document.documentElement.lang") == "ja"
    assert "パネル" in page.locator("h1").inner_text()
    assert page.locator("svg text:visible", has_text="損失").count() == 1
    assert page.evaluate("[...document.querySelectorAll('svg[data-ja]')].every((svg) => svg.getAttribute('aria-label') === svg.dataset.ja)")


def test_the_theme_switch_turns_the_page(show):
    page = show("?theme=light")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_everything_is_there_without_javascript(browser, page_text, tmp_path):
    file = tmp_path / "tour.html"
    file.write_text(page_text, encoding="utf-8")
    page = browser.new_page(java_script_enabled=False)
    page.goto(file.as_uri())
    assert page.locator("h2:visible").count() == 2
    assert page.locator("figure:visible svg:visible").count() >= 7
    page.locator("summary:visible").first.click()
    assert page.locator("table:visible").count() == 1
    page.close()
