"""The page Wind tunnel in a real browser."""

import json
import re

import pytest

from kazami.app.tunnelling import Tunnelling
from tests.app.stage import Serving, is_accessible
from tests.pages import answers, comes_to, eventually, expect, fits, low_contrast

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast("svg text")
QUICK = "n=120&t=600&k=90"  # a small diagram
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
    """Wait until nothing is computed, and nothing will be."""
    page.locator(".budget[data-state=idle]").wait_for()
    page.locator("#tunnel-orbit-section svg").wait_for()


def number_in(page, field):
    """Return how to read a field that holds a number, to be waited for."""
    return lambda: float(page.locator(field).input_value() or "nan")


def branches(page, *shares):
    """Return how to count the branches of the diagram at shares of its width, to be waited for."""
    return lambda: [page.evaluate(BRANCHES, share) for share in shares]


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "dark", 1280), ("ja", "light", 380)])
def test_the_page_is_readable_in_both_languages_and_themes_wide_and_narrow(app, show, language, theme, width):
    page = opened(app, show, f"theme={theme}", language, width=width)
    expect(page.locator("#tunnel-diagram-title")).to_contain_text({"en": "The period doubles at η = 1.00", "ja": "η = 1.00 で周期が倍に"}[language])
    assert fits(page, width)
    assert comes_to(answers(page, LOW_CONTRAST), [])
    assert is_accessible(page)
    for name in ("diagram", "exponents", "regimes", "orbit"):
        expect(page.locator(f"#tunnel-{name}-section svg")).to_have_attribute("aria-label", re.compile("."))
        page.locator(f"#tunnel-{name}-section details").evaluate("(one) => { one.open = true; }")
        page.locator(f"#tunnel-{name}-section tbody tr").nth(3).wait_for()


def test_the_diagram_has_one_two_and_four_branches_and_a_window_computes_it_finer(app, show):
    page = opened(app, show, "from=0.9&to=1.28")
    assert comes_to(branches(page, *((rate - 0.9) / 0.38 for rate in (0.95, 1.15, 1.26))), [1, 2, 4])
    svg = page.locator("#tunnel-diagram-section svg")
    width = eventually(svg.bounding_box, bool)["width"]
    svg.hover(position={"x": 0.7 * width, "y": 40})  # which scrolls, and waits until it stands still
    page.mouse.down()
    svg.hover(position={"x": 0.9 * width, "y": 300}, force=True)
    page.mouse.up()
    eventually(number_in(page, "#from"), lambda low: low > 1.1)
    settled(page)
    low, high = (number_in(page, name)() for name in ("#from", "#to"))
    assert 1.1 < low < high < 1.28
    address = answers(page, "Number(new URLSearchParams(location.hash.split('?')[1]).get('from'))")
    assert eventually(address, lambda found: found > 1.1) == pytest.approx(low, rel=1e-5)
    svg.focus()
    page.keyboard.press("Backspace")
    assert comes_to(number_in(page, "#from"), 0.9)
    assert comes_to(branches(page, 0.25 / 0.38), [2])


def test_one_cursor_moves_in_all_pictures_and_the_orbit_follows(app, show):
    page = opened(app, show, "eta=1.1")
    expect(page.locator("[data-cursor='1.1']")).to_have_count(3)
    page.locator("#eta").fill("0.9")
    page.locator("#eta").press("Enter")
    settled(page)
    page.locator("#tunnel-orbit-title", has_text="rest").or_(page.locator("#tunnel-orbit-title", has_text="settle")).or_(
        page.locator("#tunnel-orbit-title", has_text="onverge")
    ).first.wait_for()
    expect(page.locator("[data-cursor='0.9']")).to_have_count(3)
    expect(page).to_have_url(re.compile(re.escape("eta=0.9")))
    page.locator("#tunnel-exponents-section svg").focus()
    page.keyboard.press("ArrowRight")
    assert eventually(number_in(page, "#eta"), lambda found: found > 0.9) < 0.93
    settled(page)
    page.get_by_role("button", name="Growth of a difference").click()
    expect(page).to_have_url(re.compile(re.escape("view=growth")))


def test_a_cell_of_the_regime_map_opens_its_orbit(app, show):
    page = opened(app, show)
    svg = page.locator("#tunnel-regimes-section svg")
    box = eventually(svg.bounding_box, bool)
    svg.click(position={"x": 0.2 * box["width"], "y": 0.3 * box["height"]})
    expect(page).to_have_url(re.compile(re.escape("row=")))
    settled(page)
    expect(page.locator("#tunnel-orbit-section .notice").first).to_contain_text("start w₀", use_inner_text=True)
    cells = page.locator("#tunnel-regimes-section [data-letter]")
    assert eventually(lambda: set(cells.evaluate_all("(all) => all.map((one) => one.dataset.letter)")), lambda found: found >= {"C", "P", "X"})


def test_what_is_computed_has_a_budget_and_cancelling_keeps_what_is_there(app, show):
    page = show(app(), "#/tunnel?lang=en&n=4000&t=4000&k=900", wait="#cancel")
    page.locator("#tunnel-diagram-section svg").wait_for()
    expect(page.locator("#budget")).to_contain_text("of 4000 runs")
    page.locator("#cancel").click()
    page.locator("#tunnel-diagram-section", has_text="what is shown is a part").wait_for()
    expect(page.locator("#tunnel-diagram-section svg")).to_be_visible()
    expect(page.locator("#budget")).to_contain_text("Nothing is being computed", use_inner_text=True)
    expect(page.locator("#tunnel-edge-section")).to_contain_text("Not computed yet")  # the state empty, with what to do


def test_wrong_numbers_are_answered_with_a_sentence(app, show):
    page = show(app(), "#/tunnel?lang=en&from=3&to=2&n=50", wait="#budget", tolerate=("503", "400"))
    page.locator("#tunnel-diagram-section [role=alert]").first.wait_for()
    expect(page.locator("#tunnel-diagram-section [role=alert]").first).to_contain_text("larger than", use_inner_text=True)


def test_a_silent_server_leaves_the_pictures_under_a_veil_and_is_asked_again(app, show):
    page = show(app(), "#/tunnel?lang=en&n=4000&t=4000&k=600", wait="#cancel", tolerate=("ERR_FAILED", "Failed to fetch"))
    page.locator("#tunnel-diagram-section svg").wait_for()
    page.route("**/api/tunnel/jobs/*", lambda route: route.abort())
    page.locator("#tunnel-diagram-section.stale").wait_for()
    page.unroute("**/api/tunnel/jobs/*")
    page.locator("#tunnel-diagram-section.live").wait_for()
    page.locator("#cancel").click()


def test_a_three_cycle_has_three_branches_and_the_letter_of_a_cycle(app, show):
    page = opened(app, show, "from=1.44&to=1.47")
    assert comes_to(branches(page, (1.455 - 1.44) / 0.03), [3])
    page.locator("[data-regime='P'][stroke]").first.wait_for()  # named with all evidence
    band = page.locator("[data-regime]")
    assert eventually(lambda: set(band.evaluate_all("(all) => all.map((one) => one.dataset.regime)")), lambda found: found >= {"P", "X"})


@pytest.mark.slow
def test_the_map_of_trainability_comes_in_tiles_and_zooms_by_keys_and_wheel(app, show):
    page = opened(app, show, "eta=1.1")
    page.locator("#compute-edge").click()
    section = page.locator("#tunnel-edge-section")
    section.locator("[data-tile='0/0/0']").wait_for()  # the coarse one is there first
    section.locator("[data-tile^='2/']").first.wait_for()
    svg = section.locator("svg").first
    svg.focus()
    page.keyboard.press("+")
    page.wait_for_function("location.hash.includes('edge=')")
    low, high, *_ = window(page)
    assert (low, high) == pytest.approx((0.1 * 10**1.25, 1e4 / 10**1.25))
    svg.hover(position={"x": 200, "y": 200})
    page.mouse.wheel(0, -120)
    page.wait_for_function("(low) => Number(new URLSearchParams(location.hash.split('?')[1]).get('edge').split(',')[0]) > low", arg=low * 1.01)
    section.locator("[data-tile^='3/']").first.wait_for()
    svg.focus()
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(page.locator("#back-edge")).to_be_disabled()
    assert comes_to(answers(page, "location.hash.includes('edge=')"), False)
    section.locator("details").evaluate("(one) => { one.open = true; }")
    rows = section.locator("tbody tr")
    assert eventually(lambda: {row.split("\t")[-1] for row in rows.all_inner_texts()}, lambda found: found >= {"trains", "fails"})


def window(page):
    """Return the four learning rates of the map that stand in the address."""
    return json.loads("[" + page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('edge')") + "]")
