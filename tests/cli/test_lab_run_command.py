"""`kazami lab list` and `kazami lab run`, with experiments that take no time."""

import json
from typing import ClassVar

import pytest

from kazami import cli, lab
from kazami.lab.experiments._base import AbstractExperiment, both
from kazami.lab.line_figure import line_figure
from kazami.lab.outcome import Table
from kazami.records import Check


class Sure(AbstractExperiment):
    """Measures its seed, and expects ``expected``."""

    name: ClassVar = "sure-thing"
    title: ClassVar = both("A sure thing", "確かなこと")
    question: ClassVar = both("Is one one?", "一は一か。")
    claim: ClassVar = both("One is one.", "一は一である。")
    citation: ClassVar = "Peano 1889"
    seconds: ClassVar = (1.0, 2.0)
    stop_at: int | None = None

    def conditions(self, *, quick, seed):
        """Two conditions."""
        return [{"seed": seed, "part": part, "quick": quick} for part in (0, 1)]

    def measure(self, condition):
        """Ctrl-C in the part ``stop_at``."""
        if condition["part"] == self.stop_at:
            raise KeyboardInterrupt
        return {"value": 1.0 + condition["seed"]}

    def checks(self, rows):
        """Expect one."""
        return [Check("value", rows.mean("value"), 1.0, 0.5, unit="apples", source="counting", name_ja="値")]

    def tables(self, rows):
        """All values."""
        return [Table.of(both("Values", "値の表"), [("part", "部分"), ("value", "値")], [(row["part"], row["value"]) for row in rows])]

    def finding(self, rows):
        """The mean."""
        return both(f"It is {rows.mean('value'):g}.", f"{rows.mean('value'):g} である。")

    def draw(self, rows, language):
        """One line."""
        return line_figure({"value": rows.values("value")}, title=self.title, labels=(both("part", "部分"), both("value", "値")), language=language)


class Other(Sure):
    """Another name."""

    name: ClassVar = "other-thing"


@pytest.fixture(autouse=True)
def experiments(monkeypatch):
    """Put the two in the place of the real ones."""
    monkeypatch.setattr(lab, "all_experiments", lambda: (Other(), Sure()))
    monkeypatch.setenv("LANG", "C")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)


def call(*words):
    """Run ``kazami lab`` with ``words``, and return its exit code."""
    with pytest.raises(SystemExit) as leaving:
        cli.main(["lab", *words])
    return leaving.value.code


def test_list_names_questions_and_seconds(capsys):
    assert call("list") == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["other-thing  Is one one?  1, 2", "sure-thing   Is one one?  1, 2"]


def test_list_as_json_and_in_japanese(capsys):
    assert call("list", "--json", "--lang", "ja") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["experiments"][1] == {
        "name": "sure-thing",
        "title": "確かなこと",
        "question": "一は一か。",
        "claim": "一は一である。",
        "citation": "Peano 1889",
        "seconds": [1.0, 2.0],
    }


def test_run_shows_expected_and_measured_side_by_side(capsys):
    assert call("run", "sure-thing") == 0
    out = capsys.readouterr().out
    assert "✓  value  1 ± 0.5 apples  1 apples" in out
    assert "1 of 1 checks passed" in out
    assert "Values\npart  value\n0     1\n1     1" in out
    assert out.endswith("It is 1.\n")


def test_a_check_outside_its_tolerance_gives_4_and_its_source(capsys):
    assert call("run", "sure_thing", "--seed", "1") == 4
    out = capsys.readouterr().out
    assert "✗  value  1 ± 0.5 apples  2 apples" in out
    assert "value was expected by: counting" in out


def test_run_in_japanese(capsys):
    assert call("run", "sure-thing", "--lang", "ja") == 0
    out = capsys.readouterr().out
    assert "✓  値        1 ± 0.5 apples  1 apples" in out
    assert "1 である。" in out


def test_json_to_stdout_is_one_document_and_nothing_else(capsys):
    assert call("run", "sure-thing", "--quick", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["experiment"], document["quick"], document["seed"]) == (1, "sure-thing", True, 0)
    assert document["checks"][0]["name"] == "value"
    assert document["checks"][0]["passed"] is True


def test_several_experiments_share_one_document(capsys, tmp_path):
    place = tmp_path / "outcome.json"
    assert call("run", "sure-thing", "other-thing", "sure-thing", "--json", str(place)) == 0
    assert capsys.readouterr().out.count("It is 1.") == 2
    document = json.loads(place.read_text(encoding="utf-8"))
    assert [check["experiment"] for check in document["checks"]] == ["sure-thing", "other-thing"]
    assert [one["experiment"] for one in document["experiments"]] == ["sure-thing", "other-thing"]
    assert document["passed"] is True


def test_all_means_all(capsys):
    assert call("run", "all") == 0
    assert capsys.readouterr().out.count("It is 1.") == 2


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_figure_is_written(capsys, tmp_path, ending):
    place = tmp_path / f"figure.{ending}"
    assert call("run", "sure-thing", "-o", str(place), "--lang", "ja") == 0
    assert place.stat().st_size > 1000
    assert f"図: {place}" in capsys.readouterr().out


def test_with_several_experiments_each_figure_has_its_name(tmp_path):
    assert call("run", "all", "-o", str(tmp_path / "figure.svg")) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["figure-other-thing.svg", "figure-sure-thing.svg"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sure-thin"], 'There is no experiment "sure-thin". Did you mean "sure-thing"?'),
        (["sure-thing", "-o", "figure.gif"], "should end in .png, .svg, .pdf"),
        (["sure-thing", "-o", "no/such/folder/figure.png"], "there is no folder"),
        (["sure-thing", "--seed", "-1"], "Invalid value for '--seed'"),
        ([], "Missing argument"),
    ],
)
def test_mistakes_are_told_before_the_work(capsys, words, sentence):
    assert call("run", *words) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.out == ""


def test_ctrl_c_shows_what_was_measured_and_gives_130(capsys, monkeypatch):
    monkeypatch.setattr(Sure, "stop_at", 1)
    assert call("run", "all") == 130
    out = capsys.readouterr().out
    assert "Values\npart  value\n0     1\n\n" in out
    assert "Interrupted after 1 of 2 conditions" in out
    assert out.count("Interrupted") == 1  # the next experiment is not begun


def test_ctrl_c_before_anything_was_measured_gives_130(monkeypatch):
    monkeypatch.setattr(Sure, "stop_at", 0)
    assert call("run", "sure-thing") == 130


def test_a_place_that_cannot_be_written_is_told(capsys, tmp_path):
    assert call("run", "sure-thing", "--json", str(tmp_path)) == 1
    assert "cannot be written" in capsys.readouterr().err
