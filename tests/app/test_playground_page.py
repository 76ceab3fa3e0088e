"""The playground in a browser: build, train, look, change, save."""

import json
import re
from urllib.parse import quote

import numpy as np
import pytest

from tests.app.stage import is_accessible
from tests.pages import comes_to, eventually, expect, fits

pytestmark = pytest.mark.browser
SMALL = {"task": "xor", "samples": 60, "blocks": [{"kind": "linear", "width": 6}, {"kind": "activation", "name": "tanh"}]}


def opened(app, show, spec=SMALL, more=""):
    page = show(app(), f"#/playground?net={quote(json.dumps(spec))}{more}", wait="#run")
    page.locator("#run:not([disabled])").wait_for()
    return page


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1280, "light"), ("ja", 1280, "dark"), ("en", 420, "dark")])
def test_it_begins_with_a_network_that_works(app, show, language, width, theme):
    page = show(app(), f"#/playground?lang={language}&theme={theme}", width=width, wait="#run:not([disabled])")
    expect(page.locator("#play-answers-section svg")).to_be_visible()
    expect(page.locator("#play-network-section [data-neuron]")).to_have_count(2 + 8 + 8 + 2)
    expect(page.locator("#play-network-section [data-weight]")).to_have_count(2 * 8 + 8 * 8 + 8 * 2)
    assert fits(page, width)
    assert is_accessible(page)


def test_run_pause_step_and_reset(app, show):
    page = opened(app, show)
    expect(page.locator("#play-weather-title")).to_contain_text("No wind yet")
    page.click("#run")
    page.wait_for_function("/Step \\d\\d/.test(document.getElementById('play-answers-title').innerText)")
    page.click("#run")
    page.wait_for_function("document.getElementById('run').innerText === 'Run'")
    page.locator("#play-weather-section canvas").first.wait_for()
    expect(page.locator("#play-weather-title")).not_to_contain_text("No wind yet")
    page.click("#reset")
    page.wait_for_function("document.getElementById('play-answers-title').innerText.startsWith('Not trained')")
    expect(page.locator("#play-weather-title")).to_contain_text("No wind yet")
    page.get_by_role("button", name="One step").click()
    page.wait_for_function("document.getElementById('play-answers-title').innerText.startsWith('Step 1:')")


def test_the_address_holds_the_network(app, show):
    page = opened(app, show)
    page.locator("ol.blocks input[type=number]").first.fill("9")
    page.locator("ol.blocks input[type=number]").first.press("Tab")
    page.wait_for_function("decodeURIComponent(location.hash).includes('\"width\":9')")
    page.reload()
    page.locator("#run:not([disabled])").wait_for()
    expect(page.locator("ol.blocks input[type=number]").first).to_have_value("9")


def test_without_non_linearities_the_one_matrix_appears(app, show):
    page = opened(app, show)
    expect(page.locator("#matrix-title")).to_have_count(0)
    page.check("#linear")
    page.locator("#matrix-title").wait_for()
    expect(page.locator("table.matrix tr")).to_have_count(2)


def test_widths_that_do_not_meet_are_told_at_their_place_and_mended(app, show):
    spec = {**SMALL, "blocks": [{"kind": "linear", "width": 8}, {"kind": "residual", "shortcut": "identity", "blocks": [{"kind": "linear", "width": 16}]}]}
    page = show(app(), f"#/playground?net={quote(json.dumps(spec))}", wait=".misfit")
    expect(page.locator(".misfit")).to_contain_text("8 ≠ 16", use_inner_text=True)
    page.locator(".misfit button").first.click()
    page.locator("#run:not([disabled])").wait_for()
    expect(page.locator(".misfit")).to_have_count(0)


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
    expect(page.locator("ol.blocks > li")).to_have_count(5)
    expect(page.locator("img")).to_have_count(0)


def test_an_address_with_numbers_out_of_bounds_is_refused_in_words(app, show):
    page = show(app(), f"#/playground?net={quote(json.dumps({**SMALL, 'samples': 10**9}))}", wait="[role=alert]", tolerate=("400",))
    expect(page.locator("[role=alert]").first).to_contain_text("samples", use_inner_text=True)


def numbers(text):
    return [float(one.replace("−", "-")) for one in text.split()]


def _is_of_linear(response):
    """Return whether a session was begun without non-linearities; the one before may answer late."""
    return response.url.endswith("/api/playground/sessions") and '"is_linear":true' in (response.request.post_data or "").replace(" ", "")


def test_the_one_matrix_reproduces_the_networks_outputs(app, show):
    page = opened(app, show, {**SMALL, "task": "circles"})
    with page.expect_response(_is_of_linear) as answer:
        page.check("#linear")
    page.locator("#matrix-title").wait_for()
    expect(page.locator("table.matrix tr")).to_have_count(2)
    rows = np.array([numbers(row) for row in page.locator("table.matrix tr").all_inner_texts()])  # (outputs, inputs + bias), as people read them
    picture = np.array(answer.value.json()["frame"]["picture"])
    line = np.linspace(-1.15, 1.15, len(picture))
    x, y = np.meshgrid(line, line)
    logits = np.stack([x, y, np.ones_like(x)], axis=-1) @ rows.T
    np.testing.assert_allclose(1.0 / (1.0 + np.exp(logits[..., 0] - logits[..., 1])), picture, atol=5e-3)


def test_the_vanish_preset_is_calmer_at_its_first_layer_than_at_its_last(app, show):
    page = show(app(), "#/playground", wait="#run:not([disabled])")
    page.wait_for_function("document.querySelectorAll('#preset option').length > 3")
    page.select_option("#preset", "vanish")
    page.wait_for_function("document.querySelectorAll('ol.blocks > li').length > 40")
    page.locator("#run:not([disabled])").wait_for()
    page.get_by_role("button", name="One step").click()
    section = page.locator("#play-weather-section")
    section.locator("canvas").first.wait_for()
    section.locator("summary").click()
    rows = eventually(section.locator("tbody tr").all_inner_texts, lambda found: len(found) > 20)  # the table is filled by an event that comes later
    winds = {int(name): float(re.search(r"-?[\d.]+", newest.replace("−", "-"))[0]) for name, newest, *_ in (row.split("\t") for row in rows)}
    assert winds[min(winds)] < winds[max(winds)] - 8


@pytest.mark.slow
def test_a_shortcut_mends_it_and_both_curves_are_seen(app, show):
    page = show(app(), "#/playground", wait="#run:not([disabled])")
    page.wait_for_function("document.querySelectorAll('#preset option').length > 3")
    page.select_option("#preset", "residual")
    page.wait_for_function("document.querySelectorAll('ol.blocks > li').length > 20")
    page.locator("#run:not([disabled])").wait_for()
    page.click("#run")
    page.wait_for_function("Number(/Loss ([\\d.]+) after/.exec(document.getElementById('play-loss-title').innerText)?.[1] ?? 9) < 0.5")
    page.click("#run")
    page.uncheck("#shortcuts")  # the same seed trains as far as the one before, by itself
    title = page.locator("#play-loss-title", has_text="With shortcuts")
    title.wait_for()
    with_them, without = (float(one) for one in re.findall(r"(?:is|without) ([\d.]+)", title.inner_text()))
    assert with_them < 0.8 * without
    expect(page.locator("#play-loss-section")).to_contain_text("without shortcuts", use_inner_text=True)


def order(page):
    return page.locator("ol.blocks > li:not(.adding)").evaluate_all(
        "(all) => all.map((one) => one.className.split(' ')[0] + (one.querySelector('input[type=number]')?.value ?? ''))"
    )


def test_blocks_are_reordered_by_keyboard_and_by_hand(app, show):
    blocks = [{"kind": "linear", "width": 6}, {"kind": "activation", "name": "tanh"}, {"kind": "linear", "width": 4}]
    page = opened(app, show, {**SMALL, "blocks": blocks})
    assert comes_to(lambda: order(page), ["linear6", "activation", "linear4"])
    page.locator("ol.blocks > li .grip").first.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.closest('li').dataset.place === '1'")  # the hand stays on the block
    assert comes_to(lambda: order(page), ["activation", "linear6", "linear4"])
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.closest('li').dataset.place === '2'")
    assert comes_to(lambda: order(page), ["activation", "linear4", "linear6"])
    page.locator("ol.blocks > li .grip").nth(2).hover(position={"x": 5, "y": 5})
    page.mouse.down()
    first = eventually(page.locator("ol.blocks > li .line").first.bounding_box, bool)
    page.mouse.move(first["x"] + 5, first["y"] + 3, steps=4)
    page.mouse.up()
    page.wait_for_function('decodeURIComponent(location.hash).includes(\'[{"kind":"linear","width":6}\')')
    assert comes_to(lambda: order(page), ["linear6", "activation", "linear4"])


def test_a_number_keeps_the_hand_while_it_is_edited(app, show):
    page = opened(app, show)
    page.click("#run")
    field = page.locator("ol.blocks input[type=number]").first
    field.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("1", delay=30)
    seen = page.locator("#play-answers-title").inner_text()
    eventually(page.locator("#play-answers-title").inner_text, lambda title: title != seen)  # pictures arrive meanwhile
    page.keyboard.type("2")
    expect(field).to_have_value("12")
    page.keyboard.press("Enter")
    page.wait_for_function("decodeURIComponent(location.hash).includes('\"width\":12')")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("decodeURIComponent(location.hash).includes('\"width\":13')")
    expect(field).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("9999\n")
    page.wait_for_function("decodeURIComponent(location.hash).includes('\"width\":128')")
    expect(field).to_have_value("128")  # what is shown is what is built


def test_the_chosen_activation_shows_its_curve_its_slope_and_where_it_saturates(app, show):
    page = opened(app, show)
    title = page.locator("#play-curve-title")
    title.filter(has_text="tanh").wait_for()
    page.locator("ol.blocks select").first.select_option("sigmoid")
    title.filter(has_text="sigmoid: The slope is at most 0.25").wait_for()
    section = page.locator("#play-curve-section")
    expect(section.locator("[data-largest]")).to_have_attribute("data-largest", "0.25")
    expect(section.locator("[data-saturated]")).to_have_count(4)  # on both sides, in both pictures
    section.locator("svg").first.focus()
    page.keyboard.press("ArrowRight")
    expect(section.locator("[data-reading]")).to_have_count(2)


NO_WEBGL = """() => {
  const own = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind.startsWith("webgl") ? null : own.call(this, kind, ...rest); };
}"""


def test_the_loss_surface_is_there_without_webgl_and_says_so(app, show):
    page = opened(app, show)
    page.evaluate(NO_WEBGL)
    page.click("#run")
    page.wait_for_function("/Step [3-9]\\d|Step \\d{3}/.test(document.getElementById('play-answers-title').innerText)")
    page.click("#run")
    section = page.locator("#play-surface-section")
    section.get_by_label("Plane").select_option("pca")
    page.click("#compute-surface")
    section.get_by_text("no WebGL").wait_for()
    expect(section.locator("canvas")).to_have_count(0)
    section.locator("path[data-level]").nth(3).wait_for(state="attached")
    expect(section.locator("[data-walk]")).to_have_count(1)
    section.locator("summary").click()
    rows = eventually(section.locator("tbody tr").all_inner_texts, lambda found: len(found) > 1)  # the table is filled by an event that comes later
    losses = [float(row.split("\t")[-1]) for row in rows]
    assert losses[-1] < losses[0]
    assert is_accessible(page)
