"""The page in a real browser."""

from pathlib import Path

import pytest

from kazami.reports import render_html
from tests.pages import chromium, low_contrast
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
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(LOW_CONTRAST) == []
    picture = page.screenshot()
    assert len(set(picture)) > 200
    assert page.locator("#weather-map-title").inner_text()


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
    bottom, top = pixel(page, 0, 0.97), pixel(page, 11, 0.97)
    assert sum(bottom[:3]) < sum(top[:3]) / 2
    assert bottom[2] > bottom[0] + 30


def test_the_language_switches_and_the_address_wins(show):
    page = show(runs.storm())
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("button", name="日本語").click()
    assert page.locator("html").get_attribute("lang") == "ja"
    assert page.locator("#verdict").inner_text() == "学習率が安定限界の 33 倍です。"
    assert "颶風" in page.locator("#badge").inner_text()
    other = show(runs.storm(), "?lang=ja")
    assert other.locator("#weather-map-title").inner_text() == "ステップ 83 以降、勾配が NaN または無限大"


def test_the_keyboard_moves_one_cross_hair_over_both_pictures(show):
    page = show(runs.healthy())
    page.focus(".stage")
    page.keyboard.press("ArrowLeft")
    assert "step 400" in page.locator("#reading").inner_text()
    page.keyboard.press("ArrowLeft")
    assert "step 399" in page.locator("#reading").inner_text()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert "step 389" in page.locator("#reading").inner_text()
    assert "gradient norm" in page.locator(".tip").inner_text()
    assert "step 389" in page.locator("#loss-section .reading").inner_text()
    page.keyboard.press("Home")
    assert "step 1," in page.locator("#reading").inner_text()
    page.focus("#loss-section .chart")
    page.keyboard.press("ArrowRight")
    assert "step 2," in page.locator("#reading").inner_text()


def test_the_mouse_reads_both_pictures(show):
    page = show(runs.vanishing())
    page.locator(".stage").scroll_into_view_if_needed()
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 35)
    assert page.locator(".tip").inner_text().startswith("fc1 · step 29")
    assert "step 29" in page.locator("#loss-section .reading").inner_text()
    page.mouse.move(5, 5)
    assert page.locator(".tip").is_hidden()
    assert "now" in page.locator("#loss-section .reading").inner_text()


def test_the_table_sorts_by_keyboard(show):
    page = show(runs.vanishing())
    page.focus("[data-sort=gradient_norm]")
    page.keyboard.press("Enter")
    assert page.locator("#layers tbody tr td.name").first.inner_text() == "fc12"
    page.keyboard.press("Enter")
    assert page.locator("#layers tbody tr td.name").first.inner_text() == "fc1"
    assert page.locator("th[aria-sort=ascending]").count() == 1


def test_nan_is_marked_in_both_pictures(show):
    page = show(runs.storm())
    assert magenta(page, ".stage canvas", 0.9, 0.5)
    assert not magenta(page, ".stage canvas", 0.3, 0.5)
    assert magenta(page, "#loss-section canvas", 0.9, 0.85)
    assert not magenta(page, "#loss-section canvas", 0.3, 0.85)


def test_the_loss_has_two_scales_and_the_line_of_guessing(show):
    page = show(runs.healthy())
    picture = page.locator("#loss-section canvas")
    log = picture.screenshot()
    assert page.get_by_role("button", name="Log").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Linear").click()
    page.wait_for_timeout(60)
    assert picture.screenshot() != log
    with page.expect_download() as waiting:
        page.locator("#loss-section .tool[aria-haspopup]").click()
        page.get_by_role("button", name="SVG").click()
    assert "guessing 2.3" in Path(waiting.value.path()).read_text(encoding="utf-8")


def test_the_theme_switches(show):
    page = show(runs.healthy(), "?theme=light")
    before = pixel(page, 3, 0.5)
    page.get_by_role("button", name="Dark").click()
    page.wait_for_timeout(60)
    assert sum(pixel(page, 3, 0.5)[:3]) < sum(before[:3])


def test_evil_names_stay_text(show):
    run = runs.vanishing(name=runs.EVIL)
    finding = run.findings[0].replaced(place=runs.EVIL, sentence=type(run.findings[0].sentence)(runs.EVIL, runs.EVIL))
    info = runs.info(runs.EVIL, 600, command=runs.EVIL, blind=[runs.EVIL], environment={runs.EVIL: {"a": runs.EVIL}})
    page = show(runs.Run(info, run.trace, (finding,)))
    assert page.locator("img").count() == 0
    assert page.locator("#verdict").inner_text() == runs.EVIL
    assert page.locator("#layers td.name").first.inner_text() == runs.EVIL
    assert runs.EVIL in page.locator("#setting").inner_text()


def test_the_numbers_can_be_saved_and_the_cure_copied(show):
    page = show(runs.vanishing())
    with page.expect_download() as waiting:
        page.locator("#download").click()
    assert waiting.value.suggested_filename == "digits-sigmoid-12.json"
    page.locator(".copy").first.click()
    page.get_by_text("Copied").wait_for()


def test_it_prints_light_and_without_controls(show):
    page = show(runs.vanishing(), "?theme=dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert page.locator("#languages").is_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_pale_text_would_be_seen(browser):
    page = browser.new_page()
    page.set_content('<p style="color:#aaa">pale</p><p>dark</p><p class="flag"><b style="color:#aaa">left out</b></p>')
    assert [text.partition(":")[0] for text in page.evaluate(low_contrast(".flag *"))] == ["pale"]
    page.close()
