"""The page in a real browser."""

import re
from pathlib import Path

import pytest

from kazami.reports import render_html
from tests.pages import answers, chromium, comes_to, eventually, expect, fits, low_contrast, watched
from tests.reports import runs

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast(".graph .node *, .graph .node")


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def show(browser, tmp_path):
    """Open a run's report from disk; complain at the end about any error on the console and any request."""
    trouble, pages = [], []

    def shown(run, query="", width=1280):
        file = tmp_path / "report.html"
        file.write_text(render_html(run.info, run.trace, run.findings), encoding="utf-8")
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


def pixel(page, layer_from_bottom, share):
    """Return the colour in the midst of a row of the map, ``share`` of the way from the first step to the last."""
    script = """([row, share]) => {
      const canvas = document.querySelector(".stage canvas"), ratio = canvas.width / canvas.clientWidth, height = canvas.clientHeight - 32;
      const rows = JSON.parse(document.getElementById("kazami-data").textContent).layers.length;
      const y = 6 + (rows - 1 - row + 0.5) * (height / rows), x = 60 + share * (canvas.clientWidth - 100);
      return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
    }"""
    return page.evaluate(script, [layer_from_bottom, share])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", runs.ALL)
def test_every_run_is_drawn_within_the_window_and_readably(show, name, width, theme):
    page = show(runs.ALL[name](), f"?theme={theme}", width)
    assert fits(page, width)
    assert comes_to(answers(page, LOW_CONTRAST), [])
    picture = page.screenshot()
    assert len(set(picture)) > 200
    expect(page.locator("#weather-map-title")).to_have_text(re.compile("."))


def magenta(page, canvas, x, y):
    """Tell whether a pixel near a place of a canvas, as shares of its width and height, has the colour of what is not finite."""
    script = """([selector, x, y]) => {
      const canvas = document.querySelector(selector), side = 26;
      const { data } = canvas.getContext("2d").getImageData(Math.round(x * canvas.width) - side / 2, Math.round(y * canvas.height) - side / 2, side, side);
      for (let at = 0; at < data.length; at += 4) if (Math.abs(data[at] - 194) < 12 && data[at + 1] < 50 && Math.abs(data[at + 2] - 154) < 12) return true;
      return false;
    }"""
    return page.evaluate(script, [canvas, x, y])


def test_the_bottom_row_is_darker_blue_than_the_top_at_the_last_step(show):
    page = show(runs.vanishing())
    pair = eventually(lambda: (pixel(page, 0, 0.97), pixel(page, 11, 0.97)), lambda found: 0 < sum(found[0][:3]) < sum(found[1][:3]) / 2)
    assert pair[0][2] > pair[0][0] + 30


def test_the_language_switches_and_the_address_wins(show):
    page = show(runs.storm())
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="日本語").click()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.locator("#verdict")).to_have_text("学習率が安定限界の 33 倍です。", use_inner_text=True)
    expect(page.locator("#badge")).to_contain_text("颶風", use_inner_text=True)
    other = show(runs.storm(), "?lang=ja")
    expect(other.locator("#weather-map-title")).to_have_text("ステップ 83 以降、勾配が NaN または無限大")


def test_the_keyboard_moves_one_cross_hair_over_both_pictures(show):
    page = show(runs.healthy())
    page.focus(".stage")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#reading")).to_contain_text("step 400", use_inner_text=True)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#reading")).to_contain_text("step 399", use_inner_text=True)
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#reading")).to_contain_text("step 389", use_inner_text=True)
    expect(page.locator(".tip")).to_contain_text("gradient norm", use_inner_text=True)
    expect(page.locator("#loss-section .reading")).to_contain_text("step 389", use_inner_text=True)
    page.keyboard.press("Home")
    expect(page.locator("#reading")).to_contain_text("step 1,", use_inner_text=True)
    page.focus("#loss-section .chart")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#reading")).to_contain_text("step 2,", use_inner_text=True)


def test_the_mouse_reads_both_pictures(show):
    page = show(runs.vanishing())
    stage = page.locator(".stage")
    box = eventually(stage.bounding_box, bool)
    stage.hover(position={"x": box["width"] / 2, "y": box["height"] - 35})
    expect(page.locator(".tip")).to_have_text(re.compile("^fc1 · step 29"))
    expect(page.locator("#loss-section .reading")).to_contain_text("step 29", use_inner_text=True)
    page.mouse.move(5, 5)
    expect(page.locator(".tip")).to_be_hidden()
    expect(page.locator("#loss-section .reading")).to_contain_text("now", use_inner_text=True)


def test_the_table_sorts_by_keyboard(show):
    page = show(runs.vanishing())
    page.focus("[data-sort=gradient_norm]")
    page.keyboard.press("Enter")
    expect(page.locator("#layers tbody tr td.name").first).to_have_text("fc12", use_inner_text=True)
    page.keyboard.press("Enter")
    expect(page.locator("#layers tbody tr td.name").first).to_have_text("fc1", use_inner_text=True)
    expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)


def test_nan_is_marked_in_both_pictures(show):
    page = show(runs.storm())
    for canvas, height in ((".stage canvas", 0.5), ("#loss-section canvas", 0.85)):
        assert eventually(lambda canvas=canvas, height=height: magenta(page, canvas, 0.9, height), bool)
        assert not magenta(page, canvas, 0.3, height)


def test_the_loss_has_two_scales_and_the_line_of_guessing(show):
    page = show(runs.healthy())
    picture = page.locator("#loss-section canvas")
    log = eventually(lambda: [picture.screenshot(), picture.screenshot()], lambda found: found[0] == found[1])[0]  # nothing is drawn any more
    expect(page.get_by_role("button", name="Log")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Linear").click()
    assert eventually(picture.screenshot, lambda found: found != log)
    with page.expect_download() as waiting:
        page.locator("#loss-section .tool[aria-haspopup]").click()
        page.get_by_role("button", name="SVG").click()
    assert "guessing 2.3" in Path(waiting.value.path()).read_text(encoding="utf-8")


def test_the_theme_switches(show):
    page = show(runs.healthy(), "?theme=light")
    before = eventually(lambda: pixel(page, 3, 0.5), lambda found: found[3])
    page.get_by_role("button", name="Dark").click()
    assert eventually(lambda: pixel(page, 3, 0.5), lambda found: found[3] and sum(found[:3]) < sum(before[:3]))


def test_evil_names_stay_text(show):
    run = runs.vanishing(name=runs.EVIL)
    finding = run.findings[0].replaced(place=runs.EVIL, sentence=type(run.findings[0].sentence)(runs.EVIL, runs.EVIL))
    info = runs.info(runs.EVIL, 600, command=runs.EVIL, blind=[runs.EVIL], environment={runs.EVIL: {"a": runs.EVIL}})
    page = show(runs.Run(info, run.trace, (finding,)))
    expect(page.locator("img")).to_have_count(0)
    expect(page.locator("#verdict")).to_have_text(runs.EVIL, use_inner_text=True)
    expect(page.locator("#layers td.name").first).to_have_text(runs.EVIL, use_inner_text=True)
    expect(page.locator("#setting")).to_contain_text(runs.EVIL, use_inner_text=True)


def test_the_numbers_can_be_saved_and_the_cure_copied(show):
    page = show(runs.vanishing())
    with page.expect_download() as waiting:
        page.locator("#download").click()
    assert waiting.value.suggested_filename == "digits-sigmoid-12.json"
    comes = watched(page)
    page.locator(".copy").first.click()
    assert comes("Copied")


def test_it_prints_light_and_without_controls(show):
    page = show(runs.vanishing(), "?theme=dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator("#languages")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_pale_text_would_be_seen(browser):
    page = browser.new_page()
    page.set_content('<p style="color:#aaa">pale</p><p>dark</p><p class="flag"><b style="color:#aaa">left out</b></p>')
    assert comes_to(lambda: [text.partition(":")[0] for text in page.evaluate(low_contrast(".flag *"))], ["pale"])
    page.close()
