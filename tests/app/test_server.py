"""What the server loads, and how the app starts beside a training."""

import os
import re
import signal
import subprocess
import sys
import urllib.request

from tests.house.tree import ROOT
from tests.pages import PATIENCE, eventually

SCRIPT = """
import torch
model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
import threading, time
while any(thread.name == "kazami-app-address" for thread in threading.enumerate()):
    time.sleep(0.1)  # until the app has said where it is
for _ in range(30):
    optimizer.zero_grad()
    model(torch.randn(4, 8)).pow(2).mean().backward()
    optimizer.step()
"""


def test_a_server_that_shows_runs_loads_no_torch(tmp_path):
    code = "import sys; from kazami.app.server import Server; Server(sys.argv[1]); sys.exit('torch was loaded' if 'torch' in sys.modules else 0)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_prints_its_address_serves_and_ends_with_ctrl_c(tmp_path):
    command = [sys.executable, "-m", "kazami", "app", "--no-browser", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        url = process.stdout.readline().strip()

        def page():
            try:
                return urllib.request.urlopen(url, timeout=PATIENCE).read().decode()
            except OSError:  # it does not listen yet
                return ""

        assert "kazami" in eventually(page, bool)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) in (0, 130)
        assert process.stderr.read() == ""


def test_the_folder_of_runs_is_given_once(tmp_path):
    command = [sys.executable, "-m", "kazami", "app", "--no-browser", "--runs", "a", "b"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "given once" in done.stderr


def test_the_app_beside_a_training_is_another_process_and_the_training_is_the_same(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DISPLAY": "", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "kazami", "run", "--run", str(tmp_path / "runs" / "mine"), "--app", "train.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stderr
    address = re.search(r"http://127\.0\.0\.1:(\d+)/#/observe\?run=mine", done.stderr)
    assert address is not None
    assert (tmp_path / "runs" / "mine" / "report.html").is_file()
    for place in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if place.isdigit() and _words(place)[-6:-4] == ["--open", "mine"] and str(tmp_path / "runs") in _words(place):
            os.kill(int(place), signal.SIGTERM)


def _words(process):
    try:
        with open(f"/proc/{process}/cmdline", encoding="utf-8") as file:
            return file.read().rstrip("\0").split("\0")
    except OSError:
        return []


def test_notes_that_are_no_file_or_endless_are_not_waited_for(tmp_path):
    from kazami.app.marks import MARKS, MOST_BYTES, add_mark, read_marks

    assert add_mark(tmp_path, 3, "here")
    with open(tmp_path / MARKS, "ab") as file:
        file.write(b'{"step": 1e400, "text": "a"}\n')
        file.truncate(2**36)  # a hole of 64 GiB: whoever reads the whole runs out of memory
    assert [mark.step for mark in read_marks(tmp_path)] == [3]
    assert MOST_BYTES < 2**20
    (tmp_path / MARKS).unlink()
    os.mkfifo(tmp_path / MARKS)
    assert read_marks(tmp_path) == []
