"""The page Observe in a real browser."""

import subprocess
import sys
import time

import numpy as np
import pytest

from kazami.records import Layer, Series, Trace
from kazami.storage import RunWriter
from tests.app.stage import Serving, rows_of, violations, written
from tests.pages import low_contrast
from tests.reports import runs

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast(".graph .node *, .graph .node")
PIXEL = """([row, rows, share]) => {
  const canvas = document.querySelector(".stage canvas"), ratio = canvas.width / canvas.clientWidth, height = canvas.clientHeight - 32;
  const y = 6 + (rows - 1 - row + 0.5) * (height / rows), x = 80 + share * (canvas.clientWidth - 120);
  return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("ja", 380)])
def test_the_page_is_readable_in_both_languages_and_themes_wide_and_narrow(app, show, language, width, theme):
    page = show(app([runs.vanishing(), runs.storm()]), f"#/observe?run=digits-sigmoid-12&lang={language}&theme={theme}", width=width)
    assert page.locator("html").get_attribute("lang") == language
    expected = {"en": "The gradient fades on its way back", "ja": "勾配が入力側へ戻る途中で消えています"}[language]
    assert expected in page.locator("#verdict").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(LOW_CONTRAST) == []
    assert violations(page) == []


def test_the_first_layer_of_a_dead_calm_is_darker_than_the_last(app, show):
    page = show(app([runs.vanishing()]))
    bottom, top = (page.evaluate(PIXEL, [row, 12, 0.95]) for row in (0, 11))
    assert sum(bottom[:3]) < sum(top[:3]) / 2
    assert bottom[2] > bottom[0] + 30


def test_the_badge_is_the_diagnosis_and_speaks(app, show):
    page = show(app([runs.storm()]))
    assert "hurricane" in page.locator("#badge").inner_text()
    assert page.locator("#badge").get_attribute("role") == "status"
    assert page.locator("#connection").get_attribute("data-state") == "finished"


def test_an_empty_folder_says_what_to_do(app, show):
    page = show(app())
    assert page.locator("#empty pre").count() == 2
    assert 'kazami.watch(model, optimizer, run="runs/mine")' in page.locator("#empty pre").nth(1).inner_text()
    assert page.locator("#demo").is_enabled()
    assert violations(page) == []


def test_a_run_that_cannot_be_read_says_why_and_what_helps(app, show, tmp_path):
    broken = tmp_path / "runs" / "broken"
    broken.mkdir(parents=True)
    (broken / "run.json").write_text('{"format_version": 99}')
    page = show(app(), wait="#error")
    assert "pip install --upgrade kazami" in page.locator("#error").inner_text()
    assert violations(page) == []


def test_loading_is_said_until_the_run_is_there(app, show):
    serving = app([runs.healthy()])
    page = show(serving, tolerate=("ERR_FAILED",))
    page.route("**/api/stream*", lambda route: route.abort())
    page.reload()
    assert "Looking for runs" in page.locator("#loading").inner_text()
    page.unroute("**/api/stream*")
    page.locator("#verdict").wait_for()


def test_a_live_run_grows_and_goes_stale_when_nothing_comes(app, show, tmp_path):
    run = runs.healthy()
    writer = written(run, tmp_path / "runs", is_ended=False, until=100)
    page = show(app())
    assert "100 steps" in page.locator("#run").inner_text()
    rows = [row for row in rows_of(run.trace) if row[0] > 100]
    for step, row in rows[:60]:
        writer.append(step, row)
        time.sleep(0.02)
    page.get_by_text("160 steps").first.wait_for()
    assert page.locator("#connection").get_attribute("data-state") == "live"
    page.locator("#connection[data-state=stale]").wait_for()
    assert page.locator("#weather-map-section.stale .veil").is_visible()
    for step, row in rows[60:70]:
        writer.append(step, row)
        time.sleep(0.05)
    page.locator("#connection[data-state=live]").wait_for()
    writer.close(ended="2026-11-22T10:00:00+00:00", reason="finished", steps=170)
    page.locator("#connection[data-state=finished]").wait_for()
    assert "170 steps" in page.locator("#run").inner_text()
    assert not list((tmp_path / "runs").rglob("live.jsonl"))


def test_pause_stops_the_display_and_counts_what_waits(app, show, tmp_path):
    run = runs.healthy()
    writer = written(run, tmp_path / "runs", is_ended=False, until=50)
    page = show(app())
    page.keyboard.press("Space")
    for step, row in [row for row in rows_of(run.trace) if row[0] > 50][:40]:
        writer.append(step, row)
        time.sleep(0.03)
    page.get_by_text("+40 steps waiting").wait_for()
    assert "50 steps" in page.locator("#run").inner_text()
    page.keyboard.press("Space")
    page.get_by_text("90 steps").first.wait_for()
    writer.close()


def test_the_keyboard_walks_pages_help_search_zoom_and_layers(app, show):
    page = show(app([runs.vanishing()]))
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("fc12")
    assert page.locator("#layers tbody tr").count() == 1
    assert "layer=fc12" in page.url
    page.focus(".stage")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert "fc2," in page.locator("#reading").inner_text()
    page.keyboard.press("+")
    assert page.locator(".zoomed").is_visible()
    assert "zoom=" in page.url
    page.keyboard.press("0")
    assert page.locator(".zoomed").count() == 0
    page.keyboard.press("Enter")
    page.locator("#drawer h3").first.wait_for()
    assert "fc2" in page.locator("#drawer-title").inner_text()
    assert violations(page) == []
    page.keyboard.press("Escape")
    assert page.locator("#drawer").count() == 0


def test_one_cross_hair_over_all_pictures(app, show):
    page = show(app([runs.vanishing()]))
    page.locator(".stage").scroll_into_view_if_needed()
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    assert "step 29" in page.locator("#loss-section .reading").inner_text()
    assert "gradient norm" in page.locator(".tip").inner_text()


def test_everything_that_matters_stands_in_the_address(app, show):
    serving = app([runs.vanishing(), runs.storm()])
    page = show(serving, "#/observe?run=cifar-too-fast&zoom=20-60&lang=ja&theme=dark&loss=linear")
    assert "ステップ 20 ～ 60" in page.locator(".zoomed").inner_text()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.locator("#run-picker").click()
    page.locator(".runs button", has_text="digits-sigmoid-12").click()
    page.get_by_text("digits-sigmoid-12 · 600").wait_for()
    assert "run=digits-sigmoid-12" in page.url


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
    subprocess.run([sys.executable, "-c", script], check=True, env={"MPLBACKEND": "agg", "PATH": ""}, timeout=60)


def test_a_note_is_written_and_stays_text(app, show, tmp_path):
    page = show(app([runs.healthy()]))
    page.locator("#mark").click()
    page.locator("#mark-text").fill(runs.EVIL)
    page.keyboard.press("Enter")
    page.locator(".rail .flag", has_text="✎").wait_for()
    assert runs.EVIL in page.locator(".rail .flag[title*='onerror']").first.get_attribute("title")
    assert page.locator("img").count() == 0
    assert len((tmp_path / "runs" / "digits-relu-8" / "marks.jsonl").read_text().splitlines()) == 1


def test_evil_names_stay_text(app, show, tmp_path):
    run = runs.vanishing(name=runs.EVIL)
    finding = run.findings[0].replaced(place=runs.EVIL, sentence=type(run.findings[0].sentence)(runs.EVIL, runs.EVIL))
    evil = runs.Run(runs.info("a run <img src=x onerror=alert(1)>", 600, command=runs.EVIL, blind=[runs.EVIL]), run.trace, (finding,))
    page = show(app([evil]))
    assert page.locator("img").count() == 0
    assert page.locator("#verdict").inner_text() == runs.EVIL
    assert page.locator("#layers td.name").first.inner_text() == runs.EVIL


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
    assert "30 steps" in page.locator("#run").inner_text()
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
    assert page.locator(".stage canvas").first.is_visible()
    print(f"opened in {time.monotonic() - began:.2f} s")
    assert page.evaluate(PIXEL, [40, 100, 0.5])[3] == 255
    assert page.locator(".graph .node").count() <= 27  # folded: as many nodes as an eye can follow
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
    assert page.locator(".graph .node.join").count() == 1
    page.locator("#flow-section details summary").click()
    assert "fc1, fc12" in page.locator("#flow-section table").inner_text().replace("fc12, fc1", "fc1, fc12")
    first = page.locator(".graph .node.operation rect").first
    newest = first.evaluate("node => node.style.fill")
    page.focus(".stage")
    page.keyboard.press("Home")
    page.get_by_text("Colours: the wind of step 1").wait_for()
    assert first.evaluate("node => node.style.fill") != newest
    page.keyboard.press("Escape")
    page.get_by_text("Colours: the newest wind").wait_for()
    assert first.evaluate("node => node.style.fill") == newest


def test_an_older_run_without_a_graph_is_a_chain_and_says_so(app, show):
    page = show(app([runs.vanishing()]))
    assert "holds no graph" in page.locator("#flow-section").inner_text()
    assert page.locator(".graph .node.join").count() == 0


def test_a_deep_graph_is_folded_and_unfolds(app, show):
    page = show(app([branching(long_run(60, 4))]))
    assert page.locator(".graph .node").count() <= 27
    page.locator(".graph .node.folded").focus()
    page.keyboard.press("Enter")
    assert page.locator(".graph .node.folded").count() == 0
    assert page.locator(".graph .node.operation").count() == 60


def test_the_drawer_shows_distributions_or_says_that_there_are_none(app, show, tmp_path):
    run = runs.vanishing()
    written(run, tmp_path / "runs", is_ended=False, until=10)
    page = show(app(), "#/observe")
    page.locator("#layers td.name button").first.click()
    page.get_by_text("holds no distributions").wait_for()


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
