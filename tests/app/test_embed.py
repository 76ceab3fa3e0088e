"""The chapters of Learn in somebody else's page, opened from disk: no server, no network, nothing of the page disturbed."""

import shutil

import pytest

from tests.app.stage import is_accessible
from tests.house.tree import ROOT
from tests.pages import answers, comes_to, eventually, expect

pytestmark = pytest.mark.browser
BUILT = ROOT / "src" / "kazami" / "app" / "static" / "embed"
CHAPTERS = ("neuron", "layer", "depth", "descent", "chain", "counting", "chaos")
HOSTILE = "svg { display: none } h2, p, button { font-size: 3px !important; color: lime !important } * { box-sizing: content-box } .card { display: none }"


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page of one's own from disk, with some HTML in its body; complain about errors and about requests that leave the folder."""
    trouble, contexts = [], []
    for file in BUILT.glob("*.js"):
        shutil.copy(file, tmp_path / file.name)

    def show(body, *, head="", lang="en", width=900):
        page_file = tmp_path / "page.html"
        page_file.write_text(
            f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>A page</title>{head}</head><body><main>{body}</main></body></html>',
            encoding="utf-8",
        )
        context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: request.url.startswith((tmp_path.as_uri(), "data:")) or trouble.append(request.url))
        page.goto(page_file.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert trouble == []


def line(chapter, more=""):
    """The two lines of HTML of the documentation, without the script."""
    return f'<div data-kazami-chapter="{chapter}" {more}></div>'


SCRIPT = '<script src="learn.js" defer></script>'


def test_all_chapters_stand_in_a_foreign_page_and_leave_it_as_it_is(opened):
    page = opened("<h1>Mine</h1>" + "".join(line(name, 'data-language="en"') for name in CHAPTERS) + SCRIPT, head=f"<style>{HOSTILE}</style>", lang="de")
    for name in CHAPTERS:
        chapter = page.locator(f"[data-kazami-chapter={name}]")
        expect(chapter.locator("svg.learn-figure").first).to_be_visible()
        chapter.locator("math").first.wait_for()
        expect(chapter.locator(".question")).to_have_count(1)
    heading = page.locator(".chapter-title").first
    size = "(one) => parseFloat(getComputedStyle(one).fontSize)"
    assert eventually(lambda: heading.evaluate(size), lambda found: found >= 20)  # the page's 3 px stay outside
    said = answers(page, "[document.documentElement.lang, document.documentElement.dataset.theme, location.hash, document.title]")
    assert comes_to(said, ["de", None, "", "A page"])
    expect(page.locator("head style")).to_have_count(1)
    assert is_accessible(page)


@pytest.mark.parametrize(("language", "says"), [("en", "crawls"), ("ja", "這う")])
def test_a_figure_lives_and_speaks_its_language(opened, language, says):
    page = opened(line("descent", f'data-language="{language}" data-show="figure"') + SCRIPT, lang=language)
    page.locator("#learn-descent-section svg.learn-figure").wait_for()
    expect(page.locator(".question")).to_have_count(0)
    page.locator("#learn-descent-section input[type=range]").first.evaluate(
        "(slider) => { slider.value = 0.02; slider.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(page.locator("#learn-descent-title")).to_contain_text(says)


def test_the_light_follows_the_ground_of_the_page(opened):
    page = opened(line("neuron", 'data-show="figure"') + SCRIPT, head="<style>body { background: #fff } body.night { background: #111 }</style>")
    card = page.locator("#learn-neuron-section")
    expect(card).to_have_css("background-color", "rgb(255, 255, 255)")
    page.evaluate("document.body.classList.add('night')")
    page.wait_for_function("getComputedStyle(document.querySelector('.kazami-learn').shadowRoot.querySelector('.card')).backgroundColor === 'rgb(23, 32, 37)'")


def test_mount_and_destroy_and_two_languages_on_one_page(opened):
    page = opened('<div id="one"></div><div id="two"></div>' + SCRIPT)
    page.wait_for_function("window.kazamiLearn")
    assert tuple(page.evaluate("kazamiLearn.chapters")) == CHAPTERS
    page.evaluate(
        "window.made = ['one', 'two'].map((id, at) => kazamiLearn.mount(document.getElementById(id), { chapter: 'depth', language: ['en', 'ja'][at] }))"
    )
    titles = [eventually(page.locator(f"#{one} h2").first.inner_text, bool) for one in ("one", "two")]
    assert titles[0] != titles[1]
    page.evaluate("made[0].destroy()")
    expect(page.locator("#one")).to_be_empty()
    expect(page.locator("#two svg.learn-figure")).to_be_visible()


def test_an_unknown_chapter_is_answered_with_those_there_are(opened):
    page = opened(line("<b>storms</b>") + SCRIPT)
    expect(page.get_by_role("alert")).to_contain_text("neuron, layer, depth")
    expect(page.locator("b")).to_have_count(0)
