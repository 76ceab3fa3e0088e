"""Learn in a browser: each figure means what its chapter says."""

import re
from functools import partial

import pytest
import torch

from tests.app.stage import is_accessible
from tests.pages import eventually, expect, fits

pytestmark = pytest.mark.browser
CHAPTERS = ("neuron", "layer", "depth", "descent", "chain", "counting", "chaos")


def title(page, name):
    return page.locator(f"#learn-{name}-title").inner_text()


def slide(page, name, index, value):
    """Put a slider of a figure somewhere, as a hand would."""
    page.locator(f"#learn-{name}-section input[type=range]").nth(index).evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', { bubbles: true })); }", str(value)
    )


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1280, "light"), ("ja", 1280, "dark"), ("ja", 420, "light")])
def test_seven_chapters_in_both_languages(app, show, language, width, theme):
    page = show(app(), f"#/learn?lang={language}&theme={theme}", width=width, wait="#chapter-chaos")
    for name in CHAPTERS:
        section = page.locator(f"#chapter-{name}")
        section.locator("math").first.wait_for()
        expect(section.locator("svg.learn-figure")).to_be_visible()
    assert fits(page, width)
    assert is_accessible(page)


def test_a_question_mark_opens_its_chapter(app, show):
    page = show(app(), "#/learn?chapter=chaos", wait="#chapter-chaos")
    page.wait_for_function("Math.abs(document.getElementById('chapter-chaos').getBoundingClientRect().top) < 200")


def test_the_learning_rate_leads_from_rest_over_cycles_to_chaos_and_out(app, show):
    page = show(app(), "#/learn?chapter=descent", wait="#chapter-descent")
    said = {}
    for rate in (0.02, 0.5, 1.1, 1.26, 1.5, 2.1):
        slide(page, "descent", 0, rate)
        page.wait_for_function("rate => document.getElementById('learn-descent-title').innerText.includes(rate)", arg=f"{rate:g}")
        said[rate] = title(page, "descent")
    assert [re.sub(r".*: ", "", text) for text in said.values()] == ["crawls.", "converges.", "cycle of 2.", "cycle of 4.", "chaos.", "escapes."]


def test_cures_bring_the_wind_back(app, show):
    page = show(app(), "#/learn?chapter=chain", wait="#chapter-chain")
    expect(page.locator("#learn-chain-title")).to_have_text(re.compile("^Dead calm"))
    section = page.locator("#learn-chain-section")
    section.get_by_label("shortcuts").check()
    page.wait_for_function("document.getElementById('learn-chain-title').innerText.startsWith('A light breeze')")
    section.get_by_role("button", name="explode").click()
    page.wait_for_function("document.getElementById('learn-chain-title').innerText.startsWith('Storm')")


def test_without_activations_the_border_is_straight_and_the_matrix_is_there(app, show):
    page = show(app(), "#/learn?chapter=depth", wait="#chapter-depth")
    expect(page.locator("#learn-depth-title")).to_contain_text("bends")
    page.locator("#learn-depth-section").get_by_label("activations").uncheck()
    page.wait_for_function("document.getElementById('learn-depth-title').innerText.includes('one matrix')")


def test_a_picture_has_a_table_and_can_be_walked_by_keyboard(app, show):
    page = show(app(), "#/learn?chapter=layer", wait="#chapter-layer")
    figure = page.locator("#learn-layer-section svg.learn-figure")
    before = title(page, "layer")
    figure.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.getElementById('learn-layer-title').innerText !== before", arg=before)
    page.locator("#learn-layer-section summary").click()
    expect(page.locator("#learn-layer-section tbody tr")).to_have_count(2)


def test_four_optimizers_walk_on_the_surface_as_pytorch_does(app, show):
    page = show(app(), "#/learn?chapter=descent", wait="#learn-relief-section")
    section = page.locator("#learn-relief-section")
    slide(page, "relief", 2, 0.05)
    slide(page, "relief", 3, 10)  # none of the four has left the picture by then
    page.locator("#learn-relief-title", has_text="10 steps").wait_for()
    section.locator("summary").click()
    section.locator("tbody tr").nth(10).wait_for()  # the table is filled by an event that comes later
    heads = section.locator("thead th").all_inner_texts()
    last = [float(one) for one in section.locator("tbody tr").last.inner_text().split()]
    makers = {"SGD": torch.optim.SGD, "SGD + momentum": partial(torch.optim.SGD, momentum=0.9), "RMSprop": torch.optim.RMSprop, "Adam": torch.optim.Adam}
    assert last[0] == 10
    for at, (name, make) in enumerate(makers.items()):
        weights = torch.tensor([-1.4, 1.1], dtype=torch.float64, requires_grad=True)
        optimizer = make([weights], lr=0.05)
        for _ in range(10):
            optimizer.zero_grad()
            (0.5 * (weights[0] * weights[1] - 1.0) ** 2).backward()
            optimizer.step()
        assert heads[1 + 3 * at].startswith(name)
        assert last[1 + 3 * at : 3 + 3 * at] == pytest.approx(weights.tolist(), rel=1e-3)


def test_the_surface_is_turned_by_keyboard_and_can_be_seen_from_above(app, show):
    page = show(app(), "#/learn?chapter=descent", wait="#learn-relief-section")
    section = page.locator("#learn-relief-section")
    section.scroll_into_view_if_needed()
    section.locator("canvas.relief").or_(section.get_by_text("no WebGL")).first.wait_for()
    if section.locator("canvas.relief").count():
        before = eventually(lambda: section.locator(".relief-label").first.get_attribute("style"), bool)
        section.locator("canvas.relief").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("before => document.querySelector('.relief-label').getAttribute('style') !== before", arg=before)
        section.get_by_role("button", name="From above").click()
    section.locator("svg [data-walk]").first.wait_for()
    expect(section.locator("svg [data-walk]")).to_have_count(4)
