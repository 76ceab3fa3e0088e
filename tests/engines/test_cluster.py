"""The engine on a Dask cluster."""

import os
import signal
import socket
import subprocess
import sys

import pytest
import torch

from kazami.engines import Member, engine_named, ensemble, pool
from kazami.errors import UsageError
from tests.engines.architectures import architecture
from tests.engines.conformance import job

pytest.importorskip("distributed")


def test_an_address_where_nobody_answers_is_one_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"  # held, so that nobody else begins to listen there
        with pytest.raises(UsageError, match=f"should be a Dask scheduler with a worker at {address}, but none was reached"):
            pool("cluster", address=address)
    with pytest.raises(UsageError, match="local:2"):
        pool("cluster", address="local:none")


def test_a_missing_library_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(UsageError, match=r"kazami\[cluster\]"):
        pool("cluster", address="tcp://127.0.0.1:1")


def test_a_program_that_is_tended_ends_with_the_one_that_started_it():
    command = [sys.executable, "-P", "-c", "from kazami.engines._tended import run; run()", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as server:
        assert server.stdout.readline().startswith(b"Serving")
        assert server.poll() is None
        server.stdin.close()  # as the system does when the starter is killed
        assert server.wait(timeout=120) == 1


@pytest.mark.slow
def test_a_local_cluster_runs_an_ensemble():
    given, wanted = architecture("batchnorm"), [Member(seed) for seed in range(3)]
    expected = engine_named("eager").open(job(given, wanted))
    together, said = ensemble(given, wanted, engine="cluster:local:1")
    assert "1 workers of cluster" in said
    for _ in range(2):
        torch.testing.assert_close(together.advance(3), expected.advance(3), rtol=1e-12, atol=1e-12)
    together.close()


@pytest.mark.slow
def test_what_a_dead_worker_had_is_done_by_another(tmp_path):
    once = tmp_path / "once"

    def work(number: int) -> int:
        if number == 3 and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 5:
            raise ValueError("five")
        return 7 * number

    with pool("cluster", address="local:2") as workers:
        found = dict(workers.map(work, range(8)))
    assert found.pop(5).kind == "ValueError"
    assert found == {number: 7 * number for number in (0, 1, 2, 3, 4, 6, 7)}
