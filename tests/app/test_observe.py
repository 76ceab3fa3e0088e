"""The page Observe in a real browser."""

import re
import subprocess
import sys
import time

import numpy as np
import pytest

from kazami.records import Layer, Series, Trace
from kazami.storage import RunWriter
from tests.app.stage import Serving, is_accessible, rows_of, written
from tests.pages import PATIENCE, answers, comes_to, eventually, expect, fits, low_contrast
from tests.reports import runs

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast(".graph .node *, .graph .node")
PIXEL = """([row, rows, share]) => {
  const canvas = document.querySelector(".stage canvas"), ratio = canvas.width / canvas.clientWidth, height = canvas.clientHeight - 32;
  const y = 6 + (rows - 1 - row + 0.5) * (height / rows), x = 80 + share * (canvas.clientWidth - 120);
  return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}"""


def hover(place, share, top):
    """Point at a place once it stands still: a share of its width from the left, pixels from the top."""
    place.hover(position={"x": share * eventually(place.bounding_box, bool)["width"], "y": top})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("ja", 380)])
def test_the_page_is_readable_in_both_languages_and_themes_wide_and_narrow(app, show, language, width, theme):
    page = show(app([runs.vanishing(), runs.storm()]), f"#/observe?run=digits-sigmoid-12&lang={language}&theme={theme}", width=width)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expected = {"en": "The gradient fades on its way back", "ja": "勾配が入力側へ戻る途中で消えています"}[language]
    expect(page.locator("#verdict")).to_contain_text(expected, use_inner_text=True)
    assert fits(page, width)
    assert comes_to(answers(page, LOW_CONTRAST), [])
    assert is_accessible(page)


def test_the_first_layer_of_a_dead_calm_is_darker_than_the_last(app, show):
    page = show(app([runs.vanishing()]))
    page.locator(".stage canvas").first.wait_for()
    pair = eventually(lambda: [page.evaluate(PIXEL, [row, 12, 0.95]) for row in (0, 11)], lambda found: 0 < sum(found[0][:3]) < sum(found[1][:3]) / 2)
    assert pair[0][2] > pair[0][0] + 30


def test_the_badge_is_the_diagnosis_and_speaks(app, show):
    page = show(app([runs.storm()]))
    expect(page.locator("#badge")).to_contain_text("hurricane", use_inner_text=True)
    expect(page.locator("#badge")).to_have_attribute("role", "status")
    expect(page.locator("#connection")).to_have_attribute("data-state", "finished")


def test_an_empty_folder_says_what_to_do(app, show):
    page = show(app())
    expect(page.locator("#empty pre")).to_have_count(2)
    expect(page.locator("#empty pre").nth(1)).to_contain_text('kazami.watch(model, optimizer, run="runs/mine")', use_inner_text=True)
    expect(page.locator("#demo")).to_be_enabled()
    assert is_accessible(page)


def test_a_run_that_cannot_be_read_says_why_and_what_helps(app, show, tmp_path):
    broken = tmp_path / "runs" / "broken"
    broken.mkdir(parents=True)
    (broken / "run.json").write_text('{"format_version": 99}')
    page = show(app(), wait="#error")
    expect(page.locator("#error")).to_contain_text("pip install --upgrade kazami", use_inner_text=True)
    assert is_accessible(page)


def test_loading_is_said_until_the_run_is_there(app, show):
    serving = app([runs.healthy()])
    page = show(serving, tolerate=("ERR_FAILED",))
    page.route("**/api/stream*", lambda route: route.abort())
    page.reload()
    expect(page.locator("#loading")).to_contain_text("Looking for runs", use_inner_text=True)
    page.unroute("**/api/stream*")  # and asked again by itself
    page.locator("#verdict").wait_for()


def test_a_live_run_grows_and_goes_stale_when_nothing_comes(app, show, tmp_path):
    run = runs.healthy()
    writer = written(run, tmp_path / "runs", is_ended=False, until=100)
    page = show(app(), clock=0)  # what the page takes for the time moves only when it is told to: how long things last here says nothing
    expect(page.locator("#run")).to_contain_text("100 steps", use_inner_text=True)
    rows = [row for row in rows_of(run.trace) if row[0] > 100]
    for step, row in rows[:60]:
        writer.append(step, row)
    page.get_by_text("160 steps").first.wait_for()
    page.locator("#connection[data-state=live]").wait_for()
    page.clock.set_fixed_time(6_000)
    page.locator("#connection[data-state=stale]").wait_for()
    expect(page.locator("#weather-map-section.stale .veil")).to_be_visible()
    for step, row in rows[60:70]:
        writer.append(step, row)
    page.locator("#connection[data-state=live]").wait_for()
    writer.close(ended="2026-11-22T10:00:00+00:00", reason="finished", steps=170)
    page.locator("#connection[data-state=finished]").wait_for()
    expect(page.locator("#run")).to_contain_text("170 steps", use_inner_text=True)
    assert not list((tmp_path / "runs").rglob("live.jsonl"))


def test_pause_stops_the_display_and_counts_what_waits(app, show, tmp_path):
    run = runs.healthy()
    writer = written(run, tmp_path / "runs", is_ended=False, until=50)
    page = show(app())
    page.keyboard.press("Space")
    page.locator("#pause[aria-pressed=true]").wait_for()
    for step, row in [row for row in rows_of(run.trace) if row[0] > 50][:40]:
        writer.append(step, row)
    page.get_by_text("+40 steps waiting").wait_for()
    expect(page.locator("#run")).to_contain_text("50 steps", use_inner_text=True)
    page.keyboard.press("Space")
    page.get_by_text("90 steps").first.wait_for()
    writer.close()


def test_the_keyboard_walks_pages_help_search_zoom_and_layers(app, show):
    page = show(app([runs.vanishing()]))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator("input[type=search]")).to_be_focused()
    page.keyboard.type("fc12")
    expect(page.locator("#layers tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(re.escape("layer=fc12")))
    page.focus(".stage")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#reading")).to_contain_text("fc2,", use_inner_text=True)
    page.keyboard.press("+")
    expect(page.locator(".zoomed")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape("zoom=")))
    page.keyboard.press("0")
    expect(page.locator(".zoomed")).to_have_count(0)
    page.keyboard.press("Enter")
    page.locator("#drawer h3").first.wait_for()
    expect(page.locator("#drawer-title")).to_contain_text("fc2", use_inner_text=True)
    assert is_accessible(page)
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_have_count(0)


def test_one_cross_hair_over_all_pictures(app, show):
    page = show(app([runs.vanishing()]))
    page.locator("#loss-section canvas").first.wait_for()
    hover(page.locator(".stage"), 0.5, 40)
    expect(page.locator("#loss-section .reading")).to_contain_text("step 29", use_inner_text=True)
    expect(page.locator(".tip")).to_contain_text("gradient norm", use_inner_text=True)


def test_everything_that_matters_stands_in_the_address(app, show):
    serving = app([runs.vanishing(), runs.storm()])
    page = show(serving, "#/observe?run=cifar-too-fast&zoom=20-60&lang=ja&theme=dark&loss=linear")
    expect(page.locator(".zoomed")).to_contain_text("ステップ 20 ～ 60", use_inner_text=True)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("#run-picker").click()
    page.locator(".runs button", has_text="digits-sigmoid-12").click()
    page.get_by_text("digits-sigmoid-12 · 600").wait_for()
    expect(page).to_have_url(re.compile(re.escape("run=digits-sigmoid-12")))


def test_pictures_are_saved_in_four_forms_and_the_python_runs(app, show, tmp_path):
    page = show(app([runs.vanishing()]))
    for form, ending in [("PNG", "png"), ("SVG", "svg"), ("CSV", "csv"), ("Python, redraws it", "py")]:
        page.locator("#weather-map-section .tool[aria-haspopup]").click()
        with page.expect_download() as waiting:
            page.get_by_role("button", name=form, exact=True).click()
        assert waiting.value.suggested_filename == f"weather-map.{ending}"
        waiting.value.save_as(tmp_path / f"map.{ending}")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "map.csv").read_bytes().startswith(b"step,layer,wind,gradient_norm\r\n")
    script = (tmp_path / "map.py").read_text().replace("plt.show()", "assert wind.shape == (12, len(steps)); assert np.nanmax(wind[0]) < np.nanmin(wind[-1])")
    subprocess.run([sys.executable, "-c", script], check=True, env={"MPLBACKEND": "agg", "PATH": ""}, timeout=PATIENCE)


def test_a_note_is_written_and_stays_text(app, show, tmp_path):
    page = show(app([runs.healthy()]))
    page.locator("#mark").click()
    page.locator("#mark-text").fill(runs.EVIL)
    page.keyboard.press("Enter")
    page.locator(".rail .flag", has_text="✎").wait_for()
    expect(page.locator(".rail .flag[title*='onerror']").first).to_have_attribute("title", re.compile(re.escape(runs.EVIL)))
    expect(page.locator("img")).to_have_count(0)
    assert len((tmp_path / "runs" / "digits-relu-8" / "marks.jsonl").read_text().splitlines()) == 1


def test_evil_names_stay_text(app, show, tmp_path):
    run = runs.vanishing(name=runs.EVIL)
    finding = run.findings[0].replaced(place=runs.EVIL, sentence=type(run.findings[0].sentence)(runs.EVIL, runs.EVIL))
    evil = runs.Run(runs.info("a run <img src=x onerror=alert(1)>", 600, command=runs.EVIL, blind=[runs.EVIL]), run.trace, (finding,))
    page = show(app([evil]))
    expect(page.locator("img")).to_have_count(0)
    expect(page.locator("#verdict")).to_have_text(runs.EVIL, use_inner_text=True)
    expect(page.locator("#layers td.name").first).to_have_text(runs.EVIL, use_inner_text=True)


def test_three_tabs_see_the_same(app, show, tmp_path):
    run = runs.healthy()
    writer = written(run, tmp_path / "runs", is_ended=False, until=20)
    serving = app()
    tabs = [show(serving) for _ in range(3)]
    for step, row in [row for row in rows_of(run.trace) if row[0] > 20][:30]:
        writer.append(step, row)
    for tab in tabs:
        tab.get_by_text("50 steps").first.wait_for()
    writer.close()


def test_a_killed_server_is_seen_and_a_new_one_found_again(show, tmp_path):
    run = runs.healthy()
    writer = written(run, tmp_path / "runs", is_ended=False, until=30)
    first = Serving(tmp_path / "runs")
    port = first.server.address.port
    page = show(first, tolerate=("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"))
    first.stop()
    page.locator("#connection[data-state=disconnected]").wait_for()
    expect(page.locator("#run")).to_contain_text("30 steps", use_inner_text=True)
    for step, row in [row for row in rows_of(run.trace) if row[0] > 30][:30]:
        writer.append(step, row)
    writer.flush()
    second = Serving(tmp_path / "runs", port=port)
    page.get_by_text("60 steps").first.wait_for()
    page.locator("#connection[data-state=live]").wait_for()
    second.stop()
    writer.close()


def test_a_run_that_begins_later_is_shown_by_itself(app, show, tmp_path):
    page = show(app(), wait="#empty")
    writer = written(runs.healthy(), tmp_path / "runs", is_ended=False, until=10)
    page.locator("#verdict").wait_for()
    assert isinstance(writer, RunWriter)
    writer.close()


@pytest.mark.slow
def test_a_hundred_layers_and_twenty_thousand_steps_open_soon(app, show):
    serving = app([runs.long_and_deep(100, 20_000)])
    show(serving, wait="#empty, #verdict")  # the first page of a server also loads its libraries
    began = time.monotonic()
    page = show(serving, "#/observe?run=transformer-80", wait=".stage canvas")
    expect(page.locator(".stage canvas").first).to_be_visible()
    print(f"opened in {time.monotonic() - began:.2f} s")
    assert comes_to(lambda: page.evaluate(PIXEL, [40, 100, 0.5])[3], 255)
    assert 1 < eventually(page.locator(".graph .node").count, lambda found: found > 1) <= 27  # folded: as many nodes as an eye can follow
    assert page.locator(".stage canvas").first.evaluate("canvas => canvas.width") <= 4000
    print(f"longest frame while scrolling {page.evaluate(SCROLL):.0f} ms")


def branching(run):
    """Give a made-up run the data flow of a residual network: a skip past its second layer."""
    n = len(run.trace.layers)
    nodes = [["input"], *(["layer", row, 0, [8]] for row in range(n)), ["join", "+", [8]], ["loss"]]
    chain = [[row, row + 1] for row in range(n)]
    flow = {"nodes": nodes, "edges": [*chain, [n, n + 1], [1, n + 1], [n + 1, n + 2]]}
    return run.__class__(run.info, run.trace.replaced(facts={**run.trace.facts, "data_flow": flow}), run.findings)


def test_the_graph_has_its_skip_connection_and_the_colours_of_the_cross_hair(app, show):
    page = show(app([branching(runs.vanishing())]))
    expect(page.locator(".graph .node.join")).to_have_count(1)
    page.locator("#flow-section details summary").click()
    expect(page.locator("#flow-section table")).to_contain_text(re.compile("fc1, fc12|fc12, fc1"), use_inner_text=True)
    page.get_by_text("Colours: the newest wind").wait_for()
    first = page.locator(".graph .node.operation rect").first
    newest = eventually(lambda: first.evaluate("node => node.style.fill"), bool)
    page.focus(".stage")
    page.keyboard.press("Home")
    page.get_by_text("Colours: the wind of step 1").wait_for()
    eventually(lambda: first.evaluate("node => node.style.fill"), lambda fill: fill != newest)
    page.keyboard.press("Escape")
    page.get_by_text("Colours: the newest wind").wait_for()
    assert comes_to(lambda: first.evaluate("node => node.style.fill"), newest)


def test_an_older_run_without_a_graph_is_a_chain_and_says_so(app, show):
    page = show(app([runs.vanishing()]))
    expect(page.locator("#flow-section")).to_contain_text("holds no graph", use_inner_text=True)
    expect(page.locator(".graph .node.join")).to_have_count(0)


def test_a_deep_graph_is_folded_and_unfolds(app, show):
    page = show(app([branching(long_run(60, 4))]))
    assert 1 < eventually(page.locator(".graph .node").count, lambda found: found > 1) <= 27
    page.locator(".graph .node.folded").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".graph .node.folded")).to_have_count(0)
    expect(page.locator(".graph .node.operation")).to_have_count(60)


def test_the_drawer_shows_distributions_or_says_that_there_are_none(app, show, tmp_path):
    run = runs.vanishing()
    written(run, tmp_path / "runs", is_ended=False, until=10)
    page = show(app(), "#/observe")
    page.locator("#layers td.name button").first.click()
    page.get_by_text("holds no distributions").wait_for()


def test_the_drawer_says_in_which_of_its_five_states_it_is(app, show, tmp_path):
    run = runs.vanishing()
    writer = written(run, tmp_path / "runs", is_ended=False, until=10)
    page = show(app(), "#/observe", clock=0, tolerate=("ERR_FAILED",))
    writer.append(*next(row for row in rows_of(run.trace) if row[0] > 10))
    page.get_by_text("11 steps").first.wait_for()  # so that there is news at what the page takes for now
    answers_held = []
    page.route("**/layers/0", lambda route: answers_held.append(route))
    for answer, state in ((lambda route: route.abort(), "error"), (lambda route: route.fulfill(json={"series": [], "distributions": []}), "empty")):
        page.locator("#layers td.name button").first.click()
        page.locator("#drawer[data-state=loading] [role=status]").wait_for()
        eventually(lambda: page.evaluate("1") and answers_held, bool)
        answer(answers_held.pop())
        page.locator(f"#drawer[data-state={state}] .notice").first.wait_for()
        page.keyboard.press("Escape")
        expect(page.locator("#drawer")).to_have_count(0)
    page.unroute("**/layers/0")
    page.locator("#layers td.name button").first.click()
    page.locator("#drawer[data-state=live] [data-picture]").first.wait_for()
    page.clock.set_fixed_time(6_000)
    page.locator("#drawer[data-state=stale] #drawer-stale").wait_for()
    writer.close()


def long_run(n_layers, n_steps):
    """Return a run of so many layers and steps, whose wind is calm at the input."""
    steps = np.arange(1, n_steps + 1)
    layers = tuple(Layer(f"fc{row}", "linear", (8, 8), 8, 8, "relu", is_output=row == n_layers - 1) for row in range(n_layers))
    wind = np.tile(np.linspace(-5, 0, n_layers), (n_steps, 1)) + 0.01 * np.sin(steps)[:, None]
    series = {"loss": Series(steps, 2 * 0.999**steps), "layer_wind": Series(steps, wind), "gradient_norm": Series(steps, 10**wind)}
    return runs.Run(runs.info("long", n_steps), Trace(step=n_steps, layers=layers, series=series), ())


SCROLL = """() => new Promise((done) => {
  let [last, longest, n] = [performance.now(), 0, 0];
  const step = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    window.scrollBy(0, 60);
    n += 1;
    n < 60 ? requestAnimationFrame(step) : done(longest);
  };
  requestAnimationFrame(step);
})"""
