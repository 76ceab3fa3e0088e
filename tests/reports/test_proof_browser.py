"""The page of a proof in a real browser."""

import re

import pytest

from kazami.reports import render_proof_html
from tests.pages import UNNAMED, answers, chromium, comes_to, eventually, expect, fits, low_contrast, watched
from tests.reports import proofs, runs

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast(".map .rows span")  # a name may lie over the card's edge where it is cut


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def show(browser, tmp_path):
    """Open a proof's page from disk; complain at the end about any error on the console and any request."""
    trouble, pages = [], []

    def shown(proof, query="", width=1280, **options):
        file = tmp_path / "report.html"
        file.write_text(render_proof_html(runs.info("train-cure-1", 200), proof, **options), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
        page.on("console", lambda message: message.type == "error" and trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: trouble.append("dialog"))
        page.on("request", lambda request: request.url.startswith(("file:", "data:", "blob:")) or trouble.append(request.url))
        page.goto(f"{file.as_uri()}{query}")
        pages.append(page)
        return page

    yield shown
    for page in pages:
        page.close()
    assert trouble == []


def whole():
    return {"diff": proofs.DIFF, "before": runs.storm().trace, "after": runs.long_and_deep().trace}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_is_readable_in_both_languages_and_themes_wide_and_narrow(show, theme, width, language):
    page = show(proofs.run_away(), f"?lang={language}&theme={theme}", width, **whole())
    assert fits(page, width)
    assert comes_to(answers(page, LOW_CONTRAST), [])
    assert comes_to(answers(page, UNNAMED), [])
    expect(page.locator("h1")).to_have_text(
        {"en": "Cured and proved: lower_learning_rate.", "ja": "治療を証明しました：lower_learning_rate。"}[language], use_inner_text=True
    )
    expect(page.locator("svg.curves:visible")).to_have_count(1)
    expect(page.locator("svg.weather:visible")).to_have_count(3)


def test_the_reader_changes_language_and_theme(show):
    page = show(proofs.cured(), **whole())
    expect(page.locator("#tried h2 .en")).to_be_visible()
    page.get_by_role("button", name="日本語").click()
    expect(page.locator("#tried h2 .ja")).to_be_visible()
    expect(page.locator("#tried h2 .en")).to_be_hidden()
    expect(page.locator("svg.curves:visible")).to_have_attribute("aria-label", re.compile("^変更後は"))
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert eventually(answers(page, "getComputedStyle(document.body).backgroundColor"), lambda found: found != paper)


def test_the_diff_is_copied_as_it_is(show):
    page = show(proofs.cured(), **whole())
    page.evaluate("window.copied = []; document.addEventListener('copy', (event) => copied.push(event.target.value ?? getSelection().toString()), true)")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    comes = watched(page)
    page.locator("[data-copies='diff']").click()
    assert comes_to(answers(page, "copied"), [proofs.DIFF])
    assert comes("Copied")


def test_a_users_markup_stays_text_and_an_evil_proof_runs_nothing(show):
    page = show(proofs.evil(), diff=f"+{proofs.EVIL}\n")
    expect(page.locator("img")).to_have_count(0)
    expect(page.locator("#diff")).to_contain_text(proofs.EVIL, use_inner_text=True)


def test_the_grey_band_lies_above_the_coloured_one_at_the_end(show):
    page = show(proofs.cured())
    page.locator("svg.curves.wide").wait_for()
    ends = page.evaluate("""() => ["before", "after"].map((kind) => {
      const line = [...document.querySelectorAll(`svg.curves.wide .line.${kind}`)].pop();
      return line.getPointAtLength(line.getTotalLength()).y;
    })""")
    assert ends[0] < ends[1]


def test_without_a_script_the_page_can_be_read(browser, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(render_proof_html(runs.info("train-cure-1", 200), proofs.cured(), language="ja"), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False, color_scheme="dark")
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.locator("h1")).to_have_text("治療を証明しました：lower_learning_rate。", use_inner_text=True)
    assert page.evaluate("1") == 1
    context.close()
