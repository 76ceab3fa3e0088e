"""A session with suppressions, from the comment to exit code, JSON, SARIF, run directory and report."""

import json
import os
import subprocess
import sys

import pytest

from kazami.records import Finding, RunInfo, Sentence, Suppression
from kazami.watch.suppressing import Suppressing, as_named, of_stored

SCRIPT = """\
import torch
from torch import nn
torch.manual_seed(0)
layers = [layer for _ in range(8) for layer in (nn.Linear(20, 20), nn.Sigmoid())]
model = nn.Sequential(*layers, nn.Linear(20, 5))
x, y = torch.randn(64, 20), torch.randint(0, 5, (64,))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for step in range(80):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
"""


def kazami(folder, *words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "LANG": "C", "KAZAMI_RUN": ""}
    del environment["KAZAMI_RUN"]
    return subprocess.run([sys.executable, "-m", "kazami", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False)


def test_a_comment_leaves_a_finding_out_of_everything_that_counts(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT + "# kazami: ignore[vanishing_gradient] a lesson in depth\n# kazami: ignore[dead_unit]\n")
    done = kazami(tmp_path, "run", "--run", "r", "--fail-on", "warning", "--json", "j.json", "--sarif", "s.sarif", "train.py")
    assert done.returncode == 0, done.stderr
    assert "train.py:13: no finding is called dead_unit" in done.stderr
    assert done.stderr.count("Did you mean dead_units?") == 1
    assert "1 finding suppressed (KZ101)" in done.stderr
    document = json.loads((tmp_path / "j.json").read_text())
    assert [one["id"] for one in document["suppressed"]] == ["KZ101"]
    assert "KZ101" not in [one["id"] for one in document["findings"]]
    assert document["wind"]["word"] == "breeze"
    results = json.loads((tmp_path / "s.sarif").read_text())["runs"][0]["results"]
    (said,) = [one["suppressions"] for one in results if one["ruleId"] == "KZ101"]
    assert said[0]["kind"] == "inSource"
    assert said[0]["justification"] == "a lesson in depth"
    head = json.loads((tmp_path / "r" / "run.json").read_text())
    assert [one["name"] for one in head["suppressed"]] == ["vanishing_gradient"]
    again = json.loads(kazami(tmp_path, "report", "r", "--format", "json").stdout)
    assert [one["id"] for one in again["suppressed"]] == ["KZ101"]
    assert again["verdict"] == document["verdict"]
    assert again["report"] == "r/report.html"


def test_without_it_the_same_script_fails_and_the_log_goes_to_stdout_alone(tmp_path):
    (tmp_path / "train.py").write_text('print("the script speaks")\n' + SCRIPT)
    done = kazami(tmp_path, "run", "--run", "r", "--fail-on", "warning", "--sarif", "-", "train.py")
    assert done.returncode == 3
    (run,) = json.loads(done.stdout)["runs"]
    assert "the script speaks" in done.stderr
    (found,) = [one for one in run["results"] if one["ruleId"] == "KZ101"]
    assert found["suppressions"] == []
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "train.py"
    assert run["invocations"][0]["exitCode"] == 3


def test_the_option_does_the_same_as_the_comment(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    done = kazami(tmp_path, "run", "--run", "r", "--fail-on", "warning", "--ignore", "KZ101,saturated", "train.py")
    assert done.returncode == 0
    assert "suppressed (KZ101" in done.stderr


@pytest.fixture
def main(monkeypatch, tmp_path):
    """Make a file ``__main__``'s own, and return what the session would suppress."""

    def of(content):
        (tmp_path / "script.py").write_bytes(content)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "script.py"), raising=False)
        return Suppressing.of_main(None, str(tmp_path))

    return of


FINDING = Finding("KZ104", "dead_units", "error", 0.9, 1, "fc1", Sentence("a", "a"), is_primary=True)


def test_a_bare_comment_holds_for_the_layer_made_on_its_line(main):
    suppressing = main(b"fc1 = nn.Linear(1, 2)  # kazami: ignore\nfc2 = nn.Linear(2, 1)\n")
    assert suppressing.counting([FINDING]) == []
    assert suppressing.marked(RunInfo(id="r")).script == "script.py"
    assert [one.name for one in suppressing.counting([FINDING.replaced(place="fc2")])] == ["dead_units"]
    assert suppressing.suppressed == []


def test_a_script_that_cannot_be_read_suppresses_nothing(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "/nowhere/script.py", raising=False)
    assert Suppressing.of_main("KZ104", "").asked == (Suppression("KZ104", "external"),)
    assert Suppressing().counting([FINDING]) == [FINDING]


def test_paths_are_named_as_people_name_them(tmp_path):
    base = str(tmp_path)
    assert as_named(str(tmp_path / "a" / "b.py"), base) == os.path.join("a", "b.py")
    assert as_named(os.path.dirname(base), base) == os.path.dirname(base)
    assert as_named(base, "") == base


def test_the_comments_of_a_package_count_too(tmp_path):
    (tmp_path / "lesson").mkdir()
    (tmp_path / "lesson" / "__main__.py").write_text("# kazami: ignore-file\nimport os\nos.chdir('/')\n" + SCRIPT)
    done = kazami(tmp_path, "run", "--run", str(tmp_path / "r"), "--fail-on", "warning", "--json", str(tmp_path / "j.json"), "-m", "lesson")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "j.json").read_text())
    assert document["findings"] == []
    assert {one["file"] for one in document["suppressed"]} == {os.path.join("lesson", "__main__.py")}


def test_a_stored_run_keeps_its_lines_and_its_wishes():
    info = RunInfo(id="r", findings=[FINDING.replaced(file="train.py", line=5).to_dict()], suppressions=[Suppression("KZ105").to_dict()])
    new = Finding("KZ105", "saturated", "warning", 0.9, 1, "fc2", Sentence("b", "b"))
    told, counting = of_stored(info, [FINDING, new])
    assert [(one.name, one.file, one.line) for one in counting] == [("dead_units", "train.py", 5)]
    assert [one["name"] for one in told.suppressed] == ["saturated"]
