"""The playground in a browser: build, train, look, change, save."""

import json
from urllib.parse import quote

import pytest

from tests.app.stage import violations

pytestmark = pytest.mark.browser
SMALL = {"task": "xor", "samples": 60, "blocks": [{"kind": "linear", "width": 6}, {"kind": "activation", "name": "tanh"}]}


def opened(app, show, spec=SMALL, more=""):
    page = show(app(), f"#/playground?net={quote(json.dumps(spec))}{more}", wait="#run")
    page.locator("#run:not([disabled])").wait_for()
    return page


def step_of(page):
    return page.locator("#play-answers-title").inner_text()


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1280, "light"), ("ja", 1280, "dark"), ("en", 420, "dark")])
def test_it_begins_with_a_network_that_works(app, show, language, width, theme):
    page = show(app(), f"#/playground?lang={language}&theme={theme}", width=width, wait="#run:not([disabled])")
    assert page.locator("#play-answers-section svg").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")
    assert violations(page) == []


def test_run_pause_step_and_reset(app, show):
    page = opened(app, show)
    page.click("#run")
    page.wait_for_function("/Step \\d\\d/.test(document.getElementById('play-answers-title').innerText)")
    page.click("#run")
    page.wait_for_function("document.getElementById('run').innerText === 'Run'")
    page.locator("#play-weather-section canvas").first.wait_for()
    page.click("#reset")
    page.wait_for_function("document.getElementById('play-answers-title').innerText.startsWith('Not trained')")
    page.get_by_role("button", name="One step").click()
    page.wait_for_function("document.getElementById('play-answers-title').innerText.startsWith('Step 1:')")


def test_the_address_holds_the_network(app, show):
    page = opened(app, show)
    page.locator("ol.blocks input[type=number]").first.fill("9")
    page.locator("ol.blocks input[type=number]").first.press("Tab")
    page.wait_for_function("decodeURIComponent(location.hash).includes('\"width\":9')")
    page.reload()
    page.locator("#run:not([disabled])").wait_for()
    assert page.locator("ol.blocks input[type=number]").first.input_value() == "9"


def test_without_non_linearities_the_one_matrix_appears(app, show):
    page = opened(app, show)
    assert page.locator("#matrix-title").count() == 0
    page.check("#linear")
    page.locator("#matrix-title").wait_for()
    assert page.locator("table.matrix tr").count() == 2


def test_widths_that_do_not_meet_are_told_at_their_place_and_mended(app, show):
    spec = {**SMALL, "blocks": [{"kind": "linear", "width": 8}, {"kind": "residual", "shortcut": "identity", "blocks": [{"kind": "linear", "width": 16}]}]}
    page = show(app(), f"#/playground?net={quote(json.dumps(spec))}", wait=".misfit")
    assert "8 ≠ 16" in page.locator(".misfit").inner_text()
    page.locator(".misfit button").first.click()
    page.locator("#run:not([disabled])").wait_for()
    assert page.locator(".misfit").count() == 0


def test_a_dead_calm_is_seen_and_shortcuts_are_a_fair_comparison(app, show):
    page = show(app(), "#/playground", wait="#run:not([disabled])")
    page.wait_for_function("document.querySelectorAll('#preset option').length > 3")
    page.select_option("#preset", "vanish")
    page.wait_for_function("document.querySelectorAll('ol.blocks > li').length > 40")
    page.locator("#run:not([disabled])").wait_for()
    page.click("#run")
    page.wait_for_function("document.getElementById('play-weather-title').innerText.includes('dead calm')")


def test_the_script_is_saved(app, show, tmp_path):
    page = opened(app, show)
    with page.expect_download() as download:
        page.click("#export")
    place = tmp_path / "playground.py"
    download.value.save_as(place)
    compile(place.read_text(encoding="utf-8"), "playground.py", "exec")


def test_an_address_with_nonsense_begins_with_the_network_that_works(app, show):
    evil = {"task": "xor", "blocks": [{"kind": "linear", "width": 4}, {"kind": "<img src=x onerror=alert(1)>"}]}
    page = show(app(), f"#/playground?net={quote(json.dumps(evil))}", wait="#run:not([disabled])")
    assert page.locator("ol.blocks > li").count() == 5
    assert page.locator("img").count() == 0


def test_an_address_with_numbers_out_of_bounds_is_refused_in_words(app, show):
    page = show(app(), f"#/playground?net={quote(json.dumps({**SMALL, 'samples': 10**9}))}", wait="[role=alert]", tolerate=("400",))
    assert "samples" in page.locator("[role=alert]").first.inner_text()
