"""``kazami bench``: a table for people, one document for programs, both languages, Ctrl-C."""

import json

import pytest
from click.testing import CliRunner

from kazami.cli import kazami
from kazami.lab import engine_bench
from kazami.lab.bench_trainings import iris_training
from kazami.lab.engine_bench import BenchPlan, Carried, Ceilings


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """One precision, two sizes, moments."""
    monkeypatch.setattr(engine_bench, "QUICK", BenchPlan(members=(1, 4), seconds=1e-4, dtypes=("float32",), slow=("compiled", "processes", "fused")))
    monkeypatch.setattr(engine_bench, "ceilings", lambda dtype, names: Ceilings(dtype, 1e11, dict.fromkeys(names, 4e9), 4e11))
    monkeypatch.setattr(engine_bench, "why_not", lambda: None)
    monkeypatch.setattr(engine_bench, "bench_trainings", lambda: (iris_training(),))


def run(*words):
    return CliRunner().invoke(kazami, ["bench", "--quick", *words], standalone_mode=False)


def test_the_table_names_engines_floor_and_what_is_missing():
    found = run("--lang", "en")
    assert found.return_value == 0, found.output
    rows = [line.split() for line in found.stdout.splitlines() if line.startswith(("eager ", "batched "))]
    assert [row[:3] for row in rows].count(["batched", "float32", "4"]) == 2  # plain and with a tangent
    assert [row[:3] for row in rows].count(["eager", "float32", "1"]) == 2
    assert "100 G multiply–adds/s (float32), 4 G tanh/s" in found.stdout
    assert "iris, float32 1 280 000;" in found.stdout  # 1 / (25500 / 1e11 + 2100 / 4e9)
    assert "  cluster: it needs an address" in found.stdout
    assert "  batched (iris; members: 1): " in found.stdout


def test_japanese():
    found = run("--lang", "ja", "--engine", "eager")
    assert found.return_value == 0, found.output
    assert "エンジン" in found.stdout
    assert "理論上限" in found.stdout
    assert "1 つずつ順に計算" in found.stdout


def test_json_is_one_document_and_nothing_else():
    found = run("--engine", "eager", "--json", "-")
    document = json.loads(found.stdout)
    assert document["schema"] == 1
    assert document["complete"] is True
    row = document["rows"][0]
    assert {"engine", "training", "dtype", "n_tangents", "members", "start_seconds", "per_cpu_second", "per_wall_second", "fraction", "difference"} <= set(row)
    assert row["engine"] == "eager"
    floor = next(each for each in document["floors"] if (each["training"], each["n_tangents"]) == (row["training"], row["n_tangents"]))
    assert row["fraction"] == pytest.approx(row["per_cpu_second"] / floor["per_cpu_second"])


def test_json_into_a_file_beside_the_table(tmp_path):
    place = tmp_path / "rows.json"
    found = run("--engine", "eager", "--json", str(place), "--lang", "en")
    assert "eager" in found.stdout
    assert json.loads(place.read_text(encoding="utf-8"))["rows"]


def test_ctrl_c_shows_the_rows_and_exits_130(monkeypatch):
    whole, count = Carried.go, 0

    def interrupted(self, steps):
        nonlocal count
        count += 1
        if count > 7:  # a row is five calls: its own first and the reference's, and three that are timed
            raise KeyboardInterrupt
        return whole(self, steps)

    monkeypatch.setattr(Carried, "go", interrupted)
    monkeypatch.setattr(engine_bench, "QUICK", BenchPlan(members=(1,), seconds=0.0, dtypes=("float32",)))
    found = run("--engine", "eager", "--lang", "en")
    assert found.return_value == 130
    assert len([line for line in found.stdout.splitlines() if line.startswith("eager ")]) == 1
    assert "Interrupted" in found.stderr


def test_an_unknown_engine_and_a_missing_folder_are_usage_errors(tmp_path):
    from kazami.errors import CannotWrite, UnknownName

    assert isinstance(run("--engine", "fusd").exception, UnknownName)
    assert isinstance(run("--json", str(tmp_path / "no" / "rows.json")).exception, CannotWrite)
