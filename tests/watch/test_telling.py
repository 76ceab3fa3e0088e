"""A training and its sinks: what they are told, and that the training notices nothing."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings

import pytest
import torch
from torch import nn

import kazami
from kazami.errors import UnknownName
from tests.pages import PATIENCE, eventually
from tests.sinks.strangers import Keeping, failing_at, hanging_at

SCRIPT = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(64, 4)
    for _ in range(20):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
        optimizer.step()
"""
HUNG = """
    import os, time
    from kazami.sinks import AbstractSink
    class Hung(AbstractSink):
        name = "hung"
        patience_s = 0.5
        def log(self, step, values):
            time.sleep(1e6)
        def finding(self, step, finding):
            pass
        def artifact(self, path):
            pass
        def close(self):
            pass
"""


def train(steps: int = 5, lr: float = 0.1, **options) -> list[torch.Tensor]:
    """Train a small model from a seed, watched; return its weights."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    x = torch.randn(64, 4)
    with kazami.watch(model, optimizer, **options):
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
            optimizer.step()
    return [weight.detach().clone() for weight in model.parameters()]


def test_every_step_comes_with_its_loss_and_the_wind_of_named_layers_and_a_report_at_the_end() -> None:
    sink = Keeping()
    train(sinks=[sink], every=1)
    steps = [step for step, _ in sink.of("log")]
    assert steps == [1, 2, 3, 4, 5]
    names = set().union(*(values for _, values in sink.of("log")))
    assert {"kazami/loss", "kazami/learning_rate", "kazami/layer_wind/0", "kazami/layer_wind/2"} <= names
    assert all(name.startswith("kazami/") for name in names)
    (report,) = sink.of("artifact")
    assert "<html" in report.lower()
    assert sink.calls[-1] == ("close", None)


def test_a_finding_comes_once_and_is_that_of_the_watch() -> None:
    sink = Keeping()
    train(steps=40, lr=1e4, sinks=[sink])
    names = [finding.name for _, finding in sink.of("finding")]
    assert "lr_too_high" in names or "nan_inf" in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("wrong", ["hangs", "hangs at the end", "raises", "raises at the end"])
def test_a_sink_that_goes_wrong_leaves_the_training_bit_for_bit_and_is_warned_of_once(wrong) -> None:
    plain = train()
    never = threading.Event()
    sinks = {
        "hangs": hanging_at("log", never),
        "hangs at the end": hanging_at("close", never),
        "raises": failing_at("log", ValueError("no")),
        "raises at the end": failing_at("close", ValueError("no")),
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weights = train(sinks=[sinks[wrong]])
    never.set()
    assert all(torch.equal(one, other) for one, other in zip(plain, weights, strict=True))
    assert len([one for one in caught if "got into trouble" in str(one.message)]) == 1


def test_where_warnings_are_errors_the_warning_goes_to_stderr_and_the_training_on(capfd) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(sinks=[failing_at("log", ValueError("no"))])
    assert capfd.readouterr().err.count("got into trouble") == 1


def test_other_ranks_have_no_sinks(monkeypatch) -> None:
    monkeypatch.setenv("RANK", "1")
    sink = Keeping()
    train(sinks=[sink])
    assert sink.calls == []


def test_an_unknown_sink_is_refused_before_the_watching_begins() -> None:
    with pytest.raises(UnknownName):
        kazami.watch(sinks=["tensorbord"])


def test_a_watch_that_nobody_closes_tells_its_end_when_the_process_ends(tmp_path) -> None:
    (tmp_path / "train.py").write_text(
        textwrap.dedent(SCRIPT).replace("x = torch", 'import kazami\nw = kazami.watch(model, optimizer, sinks=["jsonl:m.jsonl"])\nx = torch')
    )
    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, check=True, timeout=PATIENCE)
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "values" in line][-1] == 20
    assert "artifact" in lines[-1]


@pytest.fixture
def with_a_hung_sink(tmp_path):
    """An environment with a package installed that offers a hung sink, and a script."""
    (tmp_path / "train.py").write_text(textwrap.dedent(SCRIPT) + "print('the script is done')\n")
    (tmp_path / "site" / "stranger-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "stranger-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (tmp_path / "site" / "stranger-1.0.dist-info" / "entry_points.txt").write_text("[kazami.sinks]\nhung = stranger\n")
    (tmp_path / "site" / "stranger.py").write_text(textwrap.dedent(HUNG))
    return {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "LANG": "C"}


def test_the_command_line_has_both_sinks_and_the_script_ends_as_it_would(tmp_path, with_a_hung_sink) -> None:
    command = [sys.executable, "-m", "kazami", "run", "--sink", "hung", "--sink", "jsonl:m.jsonl", "--quiet", "train.py"]
    done = subprocess.run(command, cwd=tmp_path, env=with_a_hung_sink, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (0, "the script is done\n")
    assert done.stderr.count("kazami:") == 1
    assert 'The sink "hung"' in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "values" in line] == list(range(1, 21))
    assert lines[-1]["artifact"].endswith("report.html")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_signal_kills_as_it_would_and_what_was_told_is_there(number, tmp_path, with_a_hung_sink) -> None:
    forever = textwrap.dedent(SCRIPT).replace("range(20)", "iter(int, 1)").replace("optimizer.step()", "optimizer.step(); print('.', flush=True)")
    (tmp_path / "train.py").write_text(forever)
    command = [sys.executable, "-m", "kazami", "run", "--sink", "hung", "--sink", "jsonl:m.jsonl", "--quiet", "train.py"]
    process = subprocess.Popen(command, cwd=tmp_path, env=with_a_hung_sink, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(5):
        process.stdout.readline()
    reading = threading.Thread(target=process.stdout.read)  # else its pipe fills up, and it is no training that the signal meets
    reading.start()
    eventually(lambda: (tmp_path / "m.jsonl").read_text() if (tmp_path / "m.jsonl").exists() else "", lambda text: "\n" in text)
    process.send_signal(number)
    assert process.wait(timeout=PATIENCE) == -number
    reading.join()
    process.stdout.close()
    assert all(json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines())
