"""Cures that the server starts: only the script of the run, one at a time, cancelled with all that they started, and found again."""

import dataclasses
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kazami.app import curing as curing_file
from kazami.app.curing import Curing, descendants, in_words
from kazami.app.folder import RunFolder
from kazami.app.house import House
from kazami.app.refusals import BadRequest
from kazami.app.routes import cures
from kazami.app.routes._base import Asked
from kazami.app.topics.cures import CuresOfRun
from kazami.app.wire import encoded
from kazami.app.wire_cures import CureRequest
from kazami.errors import RunNotFound
from kazami.records import Launch, RunInfo
from kazami.storage import RunWriter, StoredProof, write_proof
from tests.app.stage import written
from tests.pages import PATIENCE, comes_to, eventually
from tests.reports import proofs, runs

# Stands in for the command: says how far it is, and writes what it was called with where the proof would be.
COMMAND = """
import json, os, pathlib, sys, time
words = sys.argv[1:]
place = pathlib.Path(words[words.index("--run") + 1])
print("kazami-progress:   1 / 30 s  diagnosis", file=sys.stderr, flush=True)
print("kazami-progress:   2 / 30 s  clip_gradients", file=sys.stderr, flush=True)
print("kazami: \\x1b[1mlast words\\x1b[0m", file=sys.stderr, flush=True)
(place / "called.json").write_text(json.dumps([words, os.getcwd()]))
"""
WAITING = COMMAND + "import subprocess\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\ntime.sleep(60)\n"
STUBBORN = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + WAITING


HOW = Launch("train.py", ("--apply", "--lr", "3"))


def made(folder, name="one", *, launch=HOW, work=None):
    place = folder / name
    head = launch.seen_from(str(place), directory=str(work or folder.parent)).to_dict() if launch is not None else {}
    RunWriter(str(place), RunInfo(name, command="train.py --apply --lr 3", started="2026-11-21T09:30:00+00:00", launch=head)).close(
        reason="finished", ended="x"
    )
    return name


@pytest.fixture(name="folder")
def work(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "train.py").write_text("print()")
    os.utime(tmp_path / "work" / "train.py", (0, 0))
    made(tmp_path / "work" / "runs")
    return tmp_path / "work" / "runs"


@pytest.fixture(name="curing")
def cured(folder):
    curing = Curing(RunFolder(folder))
    yield curing
    curing.close()


@pytest.fixture(name="command")
def acted(monkeypatch):
    return lambda text=COMMAND: monkeypatch.setattr(curing_file, "START", text)


def ended(curing, run="one"):
    return eventually(lambda: curing.board(run).job, lambda job: job.state == "ended")


def test_what_is_started_is_the_script_of_the_run_and_its_arguments_are_never_our_options(curing, command, folder):
    command()
    started = curing.start("one", CureRequest(60, 5, "ja"))
    job = ended(curing)
    assert started.why_not is None
    assert started.job == job.id
    words, directory = json.loads((folder / job.id / "called.json").read_text())
    assert words[:2] == ["cure", "--budget"]
    assert words[words.index("--") + 1 :] == ["train.py", "--apply", "--lr", "3"]
    assert "--apply" not in words[: words.index("--")]
    assert words[words.index("--seeds") + 1] == "5"
    assert words[words.index("--lang") + 1] == "ja"
    assert directory == str(folder.parent.resolve())


def test_a_module_is_started_as_one(curing, command, folder):
    command()
    (folder.parent / "package.py").write_text("")
    made(folder, "two", launch=Launch("package", ("-v",), as_module=True))
    curing.start("two", CureRequest())
    words, _ = json.loads((folder / ended(curing, "two").id / "called.json").read_text())
    assert words[words.index("-m") :] == ["-m", "package", "--", "-v"]


def test_progress_is_told_in_steps_and_what_else_was_said_at_the_end(curing, command):
    command()
    curing.start("one", CureRequest())
    job = ended(curing)
    assert [(step.at, step.what) for step in job.steps] == [(1.0, "diagnosis"), (2.0, "clip_gradients")]
    assert job.steps[1].say == in_words("clip_gradients")
    assert job.said == ["kazami: last words"]
    assert (job.exit_code, job.has_proof) == (0, False)
    assert "exit code 0" in job.outcome.en


@pytest.mark.parametrize(("code", "words"), [(0, "Done"), (1, "failed"), (2, "cannot be tried"), (4, "not proved"), (9, "exit code 9")])
def test_exit_codes_are_told_in_words(curing, command, code, words):
    command(f"raise SystemExit({code})")
    curing.start("one", CureRequest())
    job = ended(curing)
    assert job.exit_code == code
    assert words in job.outcome.en
    assert str(code) in job.outcome.ja


def test_an_empty_directory_is_not_left_behind(curing, command, folder):
    command("raise SystemExit(2)")
    curing.start("one", CureRequest())
    assert not (folder / ended(curing).id).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("text", [WAITING, STUBBORN])
def test_cancel_ends_it_and_all_that_it_started(curing, command, folder, monkeypatch, text):
    monkeypatch.setattr(curing_file, "GRACE", 0.5 if text is STUBBORN else PATIENCE)  # who listens ends by itself, however long that takes here
    command(text)
    started = curing.start("one", CureRequest())
    process = curing._jobs["one"].process
    assert eventually((folder / started.job / "called.json").exists, bool)
    child = eventually(lambda: descendants(process.pid), lambda found: len(found) == 1)[0]
    curing.cancel("one")
    assert curing.board("one").job.state in ("cancelling", "ended")
    job = ended(curing)
    assert job.outcome in (curing_file.CANCELLED, curing_file.KILLED)
    assert (job.outcome == curing_file.KILLED) is (text is STUBBORN)
    assert comes_to(lambda: is_alive(child), False)


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_one_cure_at_a_time(curing, command, folder):
    command(WAITING)
    made(folder, "two")
    curing.start("one", CureRequest())
    assert "under way" in curing.start("one", CureRequest()).why_not.en
    assert "one" in curing.start("two", CureRequest()).why_not.en
    assert curing.board("two").why_not is not None


@pytest.mark.parametrize(("budget", "seeds"), [(1, 3), (10**9, 3), (60, 2), (60, 10**6)])
def test_what_is_out_of_bounds_starts_nothing(curing, command, budget, seeds):
    command("raise SystemExit(0)")
    answer = curing.start("one", CureRequest(budget, seeds))
    assert answer.job == ""
    assert "3600" in answer.why_not.en
    assert curing.board("one").job is None


def test_nothing_is_started_where_others_can_reach_the_server(folder):
    curing = Curing(RunFolder(folder), is_local=False)
    answer = curing.start("one", CureRequest())
    assert answer.job == ""
    assert "other machines" in answer.why_not.en
    assert curing.board("one").command == "kazami cure train.py --apply --lr 3"


def test_a_script_that_is_gone_and_a_run_that_does_not_say_are_told_apart(curing, folder):
    made(folder, "python", launch=None)
    assert "how its script was started" in curing.board("python").why_not.en
    (folder.parent / "train.py").unlink()
    answer = curing.start("one", CureRequest())
    assert answer.job == ""
    assert "no longer" in answer.why_not.en


def test_a_script_that_was_changed_since_is_said_to_be(curing, folder):
    assert curing.board("one").is_changed is False
    os.utime(folder.parent / "train.py", (2e9, 2e9))
    assert curing.board("one").is_changed is True


def test_a_run_outside_of_the_folder_is_not_found(curing, tmp_path):
    made(tmp_path / "other", "secret")
    for name in ("../../other/secret", "secret", ".."):
        with pytest.raises(RunNotFound):
            curing.start(name, CureRequest())


def test_a_browser_cannot_name_a_script(folder):
    with pytest.raises(BadRequest, match="script"):
        cures.CureStart(House(RunFolder(folder))).answer(Asked({"run": "one"}, {}, {"budget": 60, "script": "/etc/passwd"}))


def proved(folder, name, launch, proof=None, started="2026-11-21T10:00:00+00:00"):
    place = folder / name
    writer = RunWriter(
        str(place), RunInfo(name, command="kazami cure train.py", started=started, launch=launch.seen_from(str(place), directory=str(folder.parent)).to_dict())
    )
    write_proof(str(place), StoredProof(proof or proofs.cured(), proofs.DIFF))
    (place / "cure.diff").write_bytes(proofs.DIFF.encode("utf-16"))
    writer.close(reason="finished", ended="x")


def test_proofs_of_the_same_script_with_the_same_arguments_are_found_again(curing, folder):
    same = Launch("train.py", ("--apply", "--lr", "3"))
    proved(folder, "old", same, proofs.unproved())
    proved(folder, "new", same, started="2026-11-21T11:00:00+00:00")
    proved(folder, "other-arguments", Launch("train.py"))
    proved(folder, "other-script", Launch("b.py", ("--apply", "--lr", "3")))
    assert [(line.id, line.state) for line in curing.board("one").proofs] == [("new", "proved"), ("old", "open")]
    assert "other-script" in [line.id for line in curing.board("other-script").proofs]


def test_a_proof_that_was_seen_half_written_is_seen_when_it_is_whole(curing, folder):
    place = folder / "cure"
    launch = Launch("train.py", ("--apply", "--lr", "3")).seen_from(str(place), directory=str(folder.parent))
    writer = RunWriter(str(place), RunInfo("cure", started="2026-11-21T10:00:00+00:00", launch=launch.to_dict()))
    write_proof(str(place), StoredProof(proofs.cured()))
    assert curing.board("one").proofs == []
    writer.close(reason="finished", ended="x")
    assert [line.id for line in curing.board("one").proofs] == ["cure"]


def test_the_routes_give_board_proof_patch_and_report(folder):
    proved(folder, "cure", Launch("train.py", ("--apply", "--lr", "3")))
    house = House(RunFolder(folder))

    def ask(route, **path):
        return route(house).answer(Asked(path, {"lang": "ja"}))

    assert json.loads(encoded(ask(cures.Cures, run="one")))["proofs"][0]["id"] == "cure"
    assert json.loads(encoded(ask(cures.CureProof, run="one", proof="cure")))["diff"] == proofs.DIFF
    assert ask(cures.CurePatch, run="one", proof="cure").content == proofs.DIFF.encode("utf-16")
    assert 'lang="ja"' in ask(cures.CureReport, run="one", proof="cure").content.decode()[:200]
    for route in (cures.CureProof, cures.CurePatch, cures.CureReport):
        with pytest.raises(RunNotFound):
            ask(route, run="one", proof="one")
        with pytest.raises(RunNotFound):
            ask(route, run="one", proof="../one")


def test_the_topic_tells_what_changed_and_not_that_time_passed(folder, command):
    command(WAITING)
    house = House(RunFolder(folder))
    topic = CuresOfRun(house, "one")
    assert topic.snapshot().job is None
    assert topic.poll() is None
    curing = cures.curing_of(house)
    curing.start("one", CureRequest())
    assert comes_to(lambda: len(curing.board("one").job.steps), 2)
    assert topic.poll().job.state == "running"
    assert topic.poll() is None
    curing.close()
    topic.close()


def test_checks_that_found_nothing_are_listed_with_what_they_measured(tmp_path):
    run = runs.healthy()
    made_with = run.trace.replaced(facts={**run.trace.facts, "checks": ["nan_inf", "dead_units", "of_a_package_that_is_gone"]})
    written(dataclasses.replace(run, trace=made_with), tmp_path)
    rows = cures.Checks(House(RunFolder(tmp_path))).answer(Asked({"run": run.info.id}, {})).passed
    assert [row.id for row in rows] == ["KZ103", "KZ104", ""]
    assert "finite" in rows[0].value.en
    assert rows[2].title.en == "of a package that is gone"
    assert rows[2].value is None


@pytest.mark.slow
def test_a_real_cure_is_started_and_proves(curing, folder):
    script = folder.parent / "train.py"
    script.write_text(
        "import torch\ntorch.manual_seed(0)\nx = torch.randn(256, 10)\ny = x @ torch.randn(10, 1)\n"
        "net = torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))\n"
        "opt = torch.optim.SGD(net.parameters(), lr=2.0)\nfor step in range(100):\n    loss = torch.nn.functional.mse_loss(net(x), y)\n"
        "    opt.zero_grad()\n    loss.backward()\n    opt.step()\n    print(loss.item())\n"
    )
    curing.start("one", CureRequest(90))
    board = eventually(lambda: curing.board("one"), lambda found: found.job.state == "ended", seconds=250.0)
    assert board.job.exit_code == 0, board.job
    assert [line.state for line in board.proofs] == ["proved"]
    assert board.job.steps[0].what == "diagnosis"
    proof = curing.proof("one", board.proofs[0].id).proof()
    before = losses_of(script)
    diff = folder.parent / "cure.diff"
    diff.write_text(proof.diff)
    subprocess.run(["git", "apply", "--unsafe-paths", "-p0" if not proof.diff.startswith("--- a/") else "-p1", diff.name], cwd=folder.parent, check=True)
    after = losses_of(script)  # of the script as the person would have it now: on the curves that the page shows
    last = len(proof.proof.losses_after[0]) - 1
    ends = [losses[last] for losses in proof.proof.losses_after]
    assert not before[last] < 10 * max(ends)
    assert min(ends) / 2 < after[last] < 2 * max(ends), (last, ends, after[::10])


def losses_of(script):
    """Start a script as a person would, and return what it prints."""
    done = subprocess.run([sys.executable, script.name], cwd=script.parent, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return [float(line) for line in done.stdout.splitlines()]


def test_only_what_a_finding_prescribes_can_be_tried_alone(curing, command, folder):
    assert curing.start("one", CureRequest(only="--apply")).why_not.ja
    assert curing.start("one", CureRequest(only="rm")).job == ""
    head = folder / "one" / "run.json"
    info = json.loads(head.read_text())
    info["findings"] = [{"prescriptions": [{"name": "clip_gradients"}]}]
    head.write_text(json.dumps(info))
    started = curing.start("one", CureRequest(only="clip_gradients"))
    assert started.job
    job = next(iter(curing._jobs.values()))
    assert " --only clip_gradients " in shlex.join(job.process.args)
    assert curing.board("one").job.only == "clip_gradients"
