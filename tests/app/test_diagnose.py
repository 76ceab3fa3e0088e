"""The page Diagnose & cure in a real browser."""

import os
import re
from dataclasses import replace

import pytest

from kazami.app import curing as curing_file
from kazami.records import Launch, RunInfo
from kazami.storage import RunWriter, StoredProof, trace_head, write_proof
from tests.app.stage import is_accessible, rows_of, written
from tests.app.test_curing import WAITING
from tests.pages import answers, comes_to, eventually, expect, fits, low_contrast
from tests.reports import proofs, runs

pytestmark = pytest.mark.browser
LOW_CONTRAST = low_contrast(".gauge *, .diff *")
PIXEL = """([picture, row, rows, share]) => {
  const canvas = document.querySelector(`#${picture}-section .stage canvas`), ratio = canvas.width / canvas.clientWidth, height = canvas.clientHeight - 32;
  const y = 6 + (rows - 1 - row + 0.5) * (height / rows), x = 100 + share * (canvas.clientWidth - 150);
  return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}"""
HOW = Launch("train.py", ("--lr", "9"))
# Says that it tries something, and ends when a file appears, as a cure ends when its proof is written.
UNTIL_GO = """
import pathlib, sys, time
print("kazami-progress:   1 / 30 s  diagnosis", file=sys.stderr, flush=True)
print("kazami-progress:   2 / 30 s  lower_learning_rate", file=sys.stderr, flush=True)
while not pathlib.Path("go").exists():
    time.sleep(0.02)
"""


@pytest.fixture(name="folder")
def work(tmp_path):
    (tmp_path / "train.py").write_text("")
    os.utime(tmp_path / "train.py", (0, 0))
    return tmp_path / "runs"


def sick(folder, launch=HOW):
    """Write a run whose gradients vanish, of a script that can be started again; return its id."""
    run = runs.vanishing()
    place = folder / "sick"
    head = {} if launch is None else launch.seen_from(str(place), directory=str(folder.parent)).to_dict()
    writer = RunWriter(str(place), RunInfo("sick", command="train.py --lr 9", started=run.info.started, launch=head))
    for step, row in rows_of(run.trace):
        writer.append(step, row)
    findings = [finding.to_dict() for finding in run.findings]
    writer.close(ended="x", reason="finished", exit_code=0, findings=findings, trace=trace_head(run.trace), wind=run.info.wind, steps=run.info.steps)
    return "sick"


def proved(folder, proof=None, name="2026-11-21-train-cure-1", **maps):
    """Write the proof of a cure of that script."""
    place = folder / name
    launch = HOW.seen_from(str(place), directory=str(folder.parent)).to_dict()
    writer = RunWriter(str(place), RunInfo(name, command="kazami cure train.py --lr 9", started="2026-11-21T10:00:00+00:00", launch=launch))
    shown = proof or proofs.cured()
    write_proof(str(place), StoredProof(shown, proofs.DIFF if shown.cured else "", **maps))
    writer.close(ended="x", reason="finished")


def weather():
    return {"before": runs.vanishing().trace, "after": runs.healthy().trace}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("ja", 380)])
def test_the_page_is_readable_in_both_languages_and_themes_wide_and_narrow(app, show, folder, language, width, theme):
    sick(folder)
    proved(folder, **weather())
    page = show(app(), f"#/diagnose?run=sick&lang={language}&theme={theme}", width=width)
    page.locator("#proof-curves-section canvas").wait_for()
    expect(page.locator("#finding-1")).to_contain_text({"en": "Why", "ja": "なぜ"}[language], use_inner_text=True)
    expect(page.locator("#metrics")).to_contain_text({"en": "3/3 seeds improved", "ja": "3 シード中 3 で改善"}[language], use_inner_text=True)
    assert fits(page, width)
    assert comes_to(answers(page, LOW_CONTRAST), [])
    assert is_accessible(page)


def test_before_is_darker_than_after_and_the_change_lowers_the_loss(app, show, folder):
    sick(folder)
    proved(folder, **weather())
    page = show(app(), "#/diagnose?run=sick")
    page.locator("#map-after-section canvas").first.wait_for()
    page.locator("#map-before-section canvas").first.wait_for()
    rows = [len(trace.layers) for trace in weather().values()]
    places = [[f"map-{name}", 0, n, 0.5] for name, n in zip(("before", "after"), rows, strict=True)]
    pair = eventually(lambda: [page.evaluate(PIXEL, place) for place in places], lambda found: all(pixel[3] for pixel in found))
    before, after = (sum(pixel[:3]) for pixel in pair)
    assert before < after / 2
    expect(page.locator("#proof-curves-title")).to_contain_text("With the change the loss ends at 0.0999; without it the loss ends at 2.32")
    expect(page.locator("#chance")).to_contain_text("once in 20", use_inner_text=True)
    expect(page.locator("#change .diff .added")).to_have_text("+optimizer = torch.optim.SGD(model.parameters(), lr=0.1)")


def test_a_cure_is_started_by_keyboard_followed_and_its_proof_opens(app, show, folder, monkeypatch):
    monkeypatch.setattr(curing_file, "START", UNTIL_GO)
    sick(folder)
    page = show(app(), "#/diagnose?run=sick&budget=30")
    page.locator("#start").wait_for()
    first = page.locator("button.try").first
    label, _, name = first.text_content().partition(": ")
    assert label == "Try this cure"
    first.focus()
    page.keyboard.press("Enter")
    page.locator("#cancel").wait_for()
    page.get_by_text(f"Trying one change: {name}").wait_for()
    page.get_by_text("Tries lower learning rate").first.wait_for()
    expect(page.locator("#cancel")).to_be_focused()
    expect(page.locator("#spent")).to_contain_text("of 30 s", use_inner_text=True)
    expect(page.locator("[role=progressbar]")).to_have_attribute("aria-valuemax", "30")
    expect(page.locator("button.try").first).to_be_disabled()
    assert is_accessible(page)
    place = next(one for one in folder.iterdir() if "cure" in one.name)
    proved(folder, name=place.name)
    (folder.parent / "go").touch()
    page.locator("#proof-state").wait_for()
    expect(page.locator("#proof-state")).to_contain_text("proved", use_inner_text=True)
    expect(page.locator("#outcome")).to_contain_text("exit code 0", use_inner_text=True)
    expect(page).to_have_url(re.compile(re.escape(f"proof={place.name}")))


def test_cancel_ends_the_process(app, show, folder, monkeypatch):
    monkeypatch.setattr(curing_file, "START", WAITING)
    sick(folder)
    served = app()
    page = show(served, "#/diagnose?run=sick")
    page.locator("#start").click()
    page.get_by_text("Tries clip gradients").first.wait_for()
    process = next(iter(next(iter(thing._jobs.values())) for kind, thing in served.server._house.things.items() if kind is curing_file.Curing)).process
    page.locator("#cancel").click()
    page.locator("#outcome").wait_for()
    expect(page.locator("#outcome")).to_contain_text("Cancelled", use_inner_text=True)
    expect(page.locator("#start")).to_have_text("Try again", use_inner_text=True)
    eventually(process.poll, lambda code: code is not None)


def test_a_cure_that_failed_says_so_and_offers_the_next_candidate(app, show, folder):
    sick(folder)
    proved(folder, proofs.unproved())
    page = show(app(), "#/diagnose?run=sick")
    page.locator("#proof-state").wait_for()
    expect(page.locator("#proof-state")).to_contain_text("not proved", use_inner_text=True)
    page.locator(".outcome.next").first.wait_for()
    expect(page.locator("#next")).to_contain_text("Try again with 5 min", use_inner_text=True)
    expect(page.locator("#change")).to_have_count(0)


def test_where_nothing_can_be_started_the_reason_and_the_command_stand(app, show, folder):
    sick(folder, launch=None)
    page = show(app(), "#/diagnose?run=sick")
    page.locator("#why-not").wait_for()
    expect(page.locator("#why-not")).to_contain_text("how its script was started", use_inner_text=True)
    expect(page.locator("#command")).to_have_text("kazami cure train.py --lr 9", use_inner_text=True)
    expect(page.locator("button.try, #start")).to_have_count(0)


def test_a_finding_can_be_ignored_by_a_line(app, show, folder):
    sick(folder)
    page = show(app(), "#/diagnose?run=sick")
    page.locator("#finding-1 details.ignore summary").click()
    expect(page.locator("#finding-1 details.ignore code")).to_have_text(re.compile(r"^# kazami: ignore\[KZ101\]"))


def test_a_healthy_run_lists_its_checks_and_values(app, show, folder):
    run = runs.healthy()
    checked = run.__class__(run.info, run.trace.replaced(facts={**run.trace.facts, "checks": ["nan_inf", "dead_units", "lr_too_high"]}), run.findings)
    written(checked, folder)
    page = show(app(), f"#/diagnose?run={run.info.id}")
    page.locator("#checks tbody tr").first.wait_for()
    expect(page.locator("#checks tbody tr")).to_have_count(3)
    expect(page.locator("#checks")).to_contain_text("all finite", use_inner_text=True)
    assert is_accessible(page)


def test_without_a_run_and_with_a_broken_one_it_says_what_to_do(app, show, folder):
    page = show(app(), "#/diagnose")
    expect(page.locator("#empty a")).to_have_attribute("href", "#/observe")
    (folder / "broken").mkdir(parents=True)
    (folder / "broken" / "run.json").write_text('{"format_version": 99}')
    page = show(app(), "#/diagnose?run=broken")
    expect(page.locator("#error")).to_have_attribute("role", "alert")


def test_when_the_server_is_gone_what_is_there_stays_with_a_word(app, show, folder):
    sick(folder)
    proved(folder)
    served = app()
    page = show(served, "#/diagnose?run=sick", tolerate=("Failed to load", "ERR_"))
    page.locator("#proof").wait_for()
    served.stop()
    page.locator("#stale").wait_for()
    expect(page.locator("#proof-title")).to_be_visible()


def test_strings_of_a_proof_are_text(app, show, folder):
    sick(folder)
    proved(folder, proofs.evil())
    page = show(app(), "#/diagnose?run=sick")
    page.locator("#proof").wait_for()
    expect(page.locator("#proof")).to_contain_text("</script><img", use_inner_text=True)
    expect(page.locator("main img")).to_have_count(0)


def test_a_number_of_evidence_has_its_course_beside_its_limit_or_says_that_there_is_none(app, show, folder):
    sick(folder)
    page = show(app(), "#/diagnose?run=sick")
    page.locator("#finding-1 [data-picture^=course] canvas, #finding-1 .no-course").first.wait_for()
    n_rows = page.locator("#finding-1 table.evidence tbody tr").count()
    courses, excuse = page.locator("#finding-1 [data-picture^=course]"), page.locator("#finding-1 .no-course")
    assert eventually(lambda: (courses.count(), excuse.count()), lambda found: found[0] == n_rows or found[1] == 1)


def test_one_that_was_not_proved_alone_shows_its_own_curve_beside_the_unchanged_one(app, show, folder):
    sick(folder)
    failed = proofs.unproved()
    proved(folder, replace(failed, losses_after=(failed.losses_before[0],)))
    page = show(app(), "#/diagnose?run=sick")
    page.locator("#proof-curves-section canvas").first.wait_for()
    reading = page.locator("#proof-curves-section .reading")
    for either in ("before|without", "after|with"):
        expect(reading).to_have_text(re.compile(either, re.IGNORECASE))
