"""``kazami tour``: the screen, the page, the document, and how it ends."""

import json

import pytest

from kazami import cli
from kazami.tour import taking
from tests.tour.invented import Failing, Fine, Interrupted


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run ``kazami tour`` over invented panels in an empty directory; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def ran(panels, *arguments):
        monkeypatch.setattr(taking, "all_panels", lambda: tuple(kind() for kind in panels))
        with pytest.raises(SystemExit) as ending:
            cli.main(["tour", *arguments])
        captured = capsys.readouterr()
        return ending.value.code, captured.out, captured.err

    return ran


def test_findings_on_stdout_progress_on_stderr_and_a_page(run, tmp_path):
    code, out, err = run([Fine], "--lang", "en")
    assert code == 0
    assert "Found 42" in out
    assert "kazami-tour.html" in out
    assert "1/5 A topic" in err
    assert '<html lang="en">' in (tmp_path / "kazami-tour.html").read_text(encoding="utf-8")


def test_it_speaks_japanese(run, tmp_path):
    code, out, err = run([Fine], "--lang", "ja", "-o", "ja.html")
    assert code == 0
    assert "42 を発見" in out
    assert "話題" in err
    assert '<html lang="ja">' in (tmp_path / "ja.html").read_text(encoding="utf-8")


def test_json_is_alone_on_stdout(run):
    code, out, _ = run([Fine], "--json", "-")
    assert code == 0
    assert json.loads(out)["panels"][0]["numbers"]["answer"] == 42


def test_json_goes_to_a_file_beside_the_screen(run, tmp_path):
    _, out, _ = run([Fine], "--json", "tour.json", "--lang", "en")
    assert "Found 42" in out
    assert json.loads((tmp_path / "tour.json").read_text(encoding="utf-8"))["schema"] == 1


def test_a_failed_panel_ends_with_1_and_keeps_the_others(run, tmp_path):
    code, out, _ = run([Failing, Fine], "--lang", "en")
    assert code == 1
    assert "could not be computed" in out
    assert "Found 42" in (tmp_path / "kazami-tour.html").read_text(encoding="utf-8")


def test_an_interruption_keeps_what_is_finished_and_ends_with_130(run, tmp_path):
    code, out, _ = run([Fine, Interrupted, Failing], "--lang", "en")
    assert code == 130
    assert "cut short after 1 panels" in out
    assert "Found 42" in (tmp_path / "kazami-tour.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_refused_before_any_work(run):
    code, out, err = run([Failing], "-o", "nowhere/page.html")
    assert code == 1
    assert out == ""
    assert "nowhere/page.html cannot be written" in err
    assert "-o" in err


def test_an_unknown_language_is_a_matter_of_usage(run):
    code, _, err = run([Fine], "--lang", "fr")
    assert code == 2
    assert "fr" in err


@pytest.mark.slow
def test_the_whole_tour_takes_less_than_a_minute_of_work_and_meets_its_expectations(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        cli.main(["tour", "--json", "-"])
    assert ending.value.code == 0
    data = json.loads(capsys.readouterr().out)
    assert [check["name"] for panel in data["panels"] for check in panel["checks"] if not check["passed"]] == []
