"""The page Wind tunnel in a real browser."""

import json
import time

import pytest

from kazami.app.tunnelling import Tunnelling
from tests.app.stage import Serving, violations
from tests.pages import low_contrast

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast("svg text")
SECONDS = 90_000
QUICK = "n=120&t=600&k=90"  # a small diagram
IDLE = "() => !document.querySelector('#cancel') && document.querySelector('#tunnel-orbit-section svg')"
BRANCHES = """(share) => new Promise((resolve) => { const image = new Image(); image.onload = () => {
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  [canvas.width, canvas.height] = [image.width, image.height];
  pen.drawImage(image, 0, 0);
  const data = pen.getImageData(Math.round(share * image.width), 0, 1, image.height).data;
  let branches = 0, before = false;
  for (let at = 3; at < data.length; at += 4) { if (data[at] > 0 && !before) branches += 1; before = data[at] > 0; }
  resolve(branches);
}; image.src = document.querySelector("#tunnel-diagram-section image").getAttribute("href"); })"""


@pytest.fixture(scope="module")
def wind(tmp_path_factory):
    """One server for all tests, so that its computing process starts once."""
    serving = Serving(tmp_path_factory.mktemp("runs"))
    yield serving
    serving.stop()


@pytest.fixture
def app(wind):
    """The server, with nothing computed for the page of the test before."""
    tunnelling = wind.server._house.of(Tunnelling, Tunnelling)
    for name in list(tunnelling._jobs):
        tunnelling.cancel(name)
    return lambda: wind


def opened(app, show, query="", language="en", **options):
    """Open the page and wait until the first pictures are there."""
    page = show(app(), f"#/tunnel?lang={language}&{QUICK}&{query}", wait="#budget", **options)
    settled(page)
    return page


def settled(page):
    """Wait until nothing is computed."""
    page.wait_for_timeout(900)
    page.wait_for_function(IDLE, timeout=SECONDS)


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "dark", 1280), ("ja", "light", 380)])
def test_the_page_is_readable_in_both_languages_and_themes_wide_and_narrow(app, show, language, theme, width):
    page = opened(app, show, f"theme={theme}", language, width=width)
    title = page.locator("#tunnel-diagram-title").inner_text()
    assert {"en": "The period doubles at η = 1.00", "ja": "η = 1.00 で周期が倍に"}[language] in title
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(LOW_CONTRAST) == []
    assert violations(page) == []
    for name in ("diagram", "exponents", "regimes", "orbit"):
        assert page.locator(f"#tunnel-{name}-section svg").get_attribute("aria-label")
        page.locator(f"#tunnel-{name}-section details").evaluate("(one) => { one.open = true; }")
        assert page.locator(f"#tunnel-{name}-section tbody tr").count() > 3


def test_the_diagram_has_one_two_and_four_branches_and_a_window_computes_it_finer(app, show):
    page = opened(app, show, "from=0.9&to=1.28")
    assert [page.evaluate(BRANCHES, (rate - 0.9) / 0.38) for rate in (0.95, 1.15, 1.26)] == [1, 2, 4]
    svg = page.locator("#tunnel-diagram-section svg")
    box = svg.bounding_box()
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 300, steps=4)
    page.mouse.up()
    settled(page)
    low, high = (float(page.locator(name).input_value()) for name in ("#from", "#to"))
    assert 1.1 < low < high < 1.28
    assert float(page.url.partition("from=")[2].partition("&")[0]) == pytest.approx(low, rel=1e-5)
    svg.focus()
    page.keyboard.press("Backspace")
    assert float(page.locator("#from").input_value()) == 0.9
    assert page.evaluate(BRANCHES, 0.25 / 0.38) == 2


def test_one_cursor_moves_in_all_pictures_and_the_orbit_follows(app, show):
    page = opened(app, show, "eta=1.1")
    assert page.locator("[data-cursor='1.1']").count() == 3
    page.locator("#eta").fill("0.9")
    page.locator("#eta").press("Enter")
    settled(page)
    page.locator("#tunnel-orbit-title", has_text="rest").or_(page.locator("#tunnel-orbit-title", has_text="settle")).or_(
        page.locator("#tunnel-orbit-title", has_text="onverge")
    ).first.wait_for()
    assert page.locator("[data-cursor='0.9']").count() == 3
    assert "eta=0.9" in page.url
    page.locator("#tunnel-exponents-section svg").focus()
    page.keyboard.press("ArrowRight")
    assert 0.9 < float(page.locator("#eta").input_value()) < 0.93
    settled(page)
    page.get_by_role("button", name="Growth of a difference").click()
    assert "view=growth" in page.url


def test_a_cell_of_the_regime_map_opens_its_orbit(app, show):
    page = opened(app, show)
    svg = page.locator("#tunnel-regimes-section svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    settled(page)
    assert "row=" in page.url
    assert "start w₀" in page.locator("#tunnel-orbit-section .notice").first.inner_text()
    letters = page.locator("#tunnel-regimes-section [data-letter]").evaluate_all("(all) => all.map((one) => one.dataset.letter)")
    assert {"C", "P", "X"} <= set(letters)


def test_what_is_computed_has_a_budget_and_cancelling_keeps_what_is_there(app, show):
    page = show(app(), "#/tunnel?lang=en&n=4000&t=4000&k=900", wait="#cancel")
    page.locator("#tunnel-diagram-section svg").wait_for(timeout=SECONDS)
    budget = page.locator("#budget").inner_text()
    assert "of 4000 runs" in budget
    begun = time.monotonic()
    page.locator("#cancel").click()
    page.locator("#tunnel-diagram-section", has_text="what is shown is a part").wait_for()
    assert time.monotonic() - begun < 10
    assert page.locator("#tunnel-diagram-section svg").is_visible()
    assert "Nothing is being computed" in page.locator("#budget").inner_text()
    assert "Not computed yet" in page.locator("#tunnel-edge-section").inner_text()  # the state empty, with what to do


def test_wrong_numbers_are_answered_with_a_sentence(app, show):
    page = show(app(), "#/tunnel?lang=en&from=3&to=2&n=50", wait="#budget", tolerate=("503", "400"))
    page.locator("#tunnel-diagram-section [role=alert]").first.wait_for(timeout=SECONDS)
    assert "larger than" in page.locator("#tunnel-diagram-section [role=alert]").first.inner_text()


def test_a_silent_server_leaves_the_pictures_under_a_veil_and_is_asked_again(app, show):
    page = show(app(), "#/tunnel?lang=en&n=4000&t=4000&k=600", wait="#cancel", tolerate=("ERR_FAILED", "Failed to fetch"))
    page.locator("#tunnel-diagram-section svg").wait_for(timeout=SECONDS)
    page.route("**/api/tunnel/jobs/*", lambda route: route.abort())
    page.locator("#tunnel-diagram-section.stale").wait_for()
    page.unroute("**/api/tunnel/jobs/*")
    page.locator("#tunnel-diagram-section.live").wait_for(timeout=SECONDS)
    page.locator("#cancel").click()


def test_a_three_cycle_has_three_branches_and_the_letter_of_a_cycle(app, show):
    page = opened(app, show, "from=1.44&to=1.47")
    assert page.evaluate(BRANCHES, (1.455 - 1.44) / 0.03) == 3
    page.locator("[data-regime='P'][stroke]").first.wait_for(timeout=SECONDS)  # named with all evidence
    band = page.locator("[data-regime]").evaluate_all("(all) => all.map((one) => one.dataset.regime)")
    assert {"P", "X"} <= set(band)


@pytest.mark.slow
def test_the_map_of_trainability_comes_in_tiles_and_zooms_by_keys_and_wheel(app, show):
    page = opened(app, show, "eta=1.1")
    page.locator("#compute-edge").click()
    section = page.locator("#tunnel-edge-section")
    section.locator("[data-tile='0/0/0']").wait_for(timeout=SECONDS)  # the coarse one is there first
    section.locator("[data-tile^='2/']").first.wait_for(timeout=SECONDS)
    svg = section.locator("svg").first
    svg.focus()
    page.keyboard.press("+")
    page.wait_for_function("location.hash.includes('edge=')")
    low, high, *_ = window(page)
    assert (low, high) == pytest.approx((0.1 * 10**1.25, 1e4 / 10**1.25))
    box = svg.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.wheel(0, -120)
    page.wait_for_function("(low) => Number(new URLSearchParams(location.hash.split('?')[1]).get('edge').split(',')[0]) > low", arg=low * 1.01)
    section.locator("[data-tile^='3/']").first.wait_for(timeout=SECONDS)
    svg.focus()
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    assert page.locator("#back-edge").is_disabled()
    assert "edge=" not in page.url
    section.locator("details").evaluate("(one) => { one.open = true; }")
    assert {"trains", "fails"} <= {row.split("\t")[-1] for row in section.locator("tbody tr").all_inner_texts()}


def window(page):
    """Return the four learning rates of the map that stand in the address."""
    return json.loads("[" + page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('edge')") + "]")
