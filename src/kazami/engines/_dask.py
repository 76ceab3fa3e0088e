"""A Dask cluster: one that runs already, or one of a few workers started here."""

import logging
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ..errors import UsageError
from ._pools import ATTEMPTS, AbstractPool, Failure, cores, parcel

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = 10.0  # seconds until a scheduler counts as unreachable
WORDS = f"Its worker died {ATTEMPTS} times. If the system killed it, memory was short: ask for fewer members at a time."
LOST = object()
AHEAD = 2  # items per worker handed out at a time: one to work on, one waiting


class Cluster(AbstractPool):
    """A pool of Dask workers.

    Args:
        address: ``"tcp://host:port"`` of a scheduler, or ``"local:2"``: a scheduler and two workers are started here, and ended by ``close``.
        threads: Of numerical libraries in each worker started here.

    Limits:
        The workers need this version of kazami and of PyTorch. Dask gives what a dead worker had to another one, three times at most.
    """

    name: ClassVar = "cluster"

    def __init__(self, address: str, threads: int | None = None) -> None:
        """Connect, or start a cluster here."""
        try:
            import distributed
        except ImportError:
            raise UsageError("A cluster needs Dask, which is not installed: pip install 'kazami[cluster]'.") from None
        dask: Any = distributed  # it has no annotations
        self._dask, client = dask, dask.Client
        self._local = _Local(address, threads) if address.startswith("local") else None
        self._log = logging.getLogger("distributed.client")
        self._level = self._log.level
        self._log.setLevel(logging.ERROR)  # that a worker is gone is dealt with here
        self.address = self._local.address if self._local is not None else address
        try:
            self._client: Any = client(self.address, timeout=PATIENCE, set_as_default=False)
            self._client.wait_for_workers(1 if self._local is None else self._local.count, timeout=6 * PATIENCE)
        except (OSError, TimeoutError, ValueError) as reason:
            self._end_local()
            said = str(reason).strip().splitlines() or [type(reason).__name__]
            text = f"There should be a Dask scheduler with a worker at {address}, but none was reached ({said[0]}). Start one, or ask for local:2."
            raise UsageError(text) from None

    @property
    def workers(self) -> int:
        """How many threads of workers the cluster has at the moment."""
        return max(1, int(sum(self._client.nthreads().values())))

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[int, Result | Failure]]:
        """Yield results as they come; see `AbstractPool.map`."""
        waiting = enumerate(items)
        held: dict[Any, tuple[int, bytes, int]] = {}
        code = self._client.scatter(parcel(function), broadcast=True, hash=False)
        finished = self._dask.as_completed(loop=self._client.loop)

        def hand_out(index: int, data: bytes, attempt: int) -> None:
            future = self._client.submit(_work, code, data, pure=False)
            held[future.key] = index, data, attempt
            finished.add(future)

        try:
            for index, item in islice(waiting, AHEAD * self.workers):
                hand_out(index, parcel(item), 1)
            for future in finished:
                index, data, attempt = held.pop(future.key)
                result = _result(future)
                if result is LOST and attempt < ATTEMPTS:  # a worker died with the result, or with the function, in its memory
                    code = self._client.scatter(parcel(function), broadcast=True, hash=False)
                    hand_out(index, data, attempt + 1)
                    continue
                yield index, Failure("WorkerLost", WORDS, is_lost=True) if result is LOST else result
                for following, item in islice(waiting, 1):
                    hand_out(following, parcel(item), 1)
        finally:
            self._client.cancel(list(finished.futures))

    def close(self) -> None:
        """Let go of the cluster; end the one that was started here."""
        self._client.close()
        self._log.setLevel(self._level)
        self._end_local()

    def _end_local(self) -> None:
        if self._local is not None:
            self._local.end()


def _work(code: bytes, data: bytes) -> tuple[bool, bytes]:
    """Run in a Dask worker: the result, or how it failed, pickled."""
    try:
        return True, parcel(pickle.loads(code)(pickle.loads(data)))
    except Exception as error:
        return False, pickle.dumps(Failure.of(error))


def _result(future: Any) -> Any:
    """Return what came of an item, or ``LOST`` where its worker died."""
    try:
        return pickle.loads(future.result()[1])
    except Exception:  # whatever Dask says here is about its workers: the function's own exceptions come as results
        return LOST


class _Local:
    """A scheduler and workers of our own, as processes with a main module of Dask's: the user's script is not run again."""

    def __init__(self, address: str, threads: int | None) -> None:
        count = address.partition(":")[2] or str(cores())
        if not count.isdigit() or not int(count):
            raise UsageError(f"A cluster started here should be asked for as local:2 (two workers), but the address is {address}.")
        self.count = int(count)
        self._folder = tempfile.TemporaryDirectory(prefix="kazami-cluster-", ignore_cleanup_errors=True)
        path = os.pathsep.join(dict.fromkeys(os.path.abspath(entry) for entry in sys.path))
        wanted = str(threads or max(1, cores() // self.count))
        self._environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": wanted, "MKL_NUM_THREADS": wanted, "OPENBLAS_NUM_THREADS": wanted}
        self._processes: list[subprocess.Popen[bytes]] = []
        told = Path(self._folder.name) / "scheduler.json"
        self._start("dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", "--no-jupyter", "--scheduler-file", str(told))
        self.address = self._read(told)
        for _ in range(self.count):
            self._start("dask_worker", self.address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", "--local-directory", self._folder.name)

    def _start(self, program: str, *options: str) -> None:
        command = [sys.executable, "-P", "-c", "from kazami.engines._tended import run; run()", f"distributed.cli.{program}", *options]
        with open(Path(self._folder.name) / f"{program}-{len(self._processes)}.log", "wb") as said:
            # The pipe holds nothing: it breaks when this process is killed, and the other one ends.
            self._processes.append(subprocess.Popen(command, env=self._environment, stdin=subprocess.PIPE, stdout=said, stderr=said, start_new_session=True))

    def _read(self, told: Path) -> str:
        import json

        limit = time.monotonic() + 6 * PATIENCE
        while time.monotonic() < limit and self._processes[0].poll() is None:
            try:
                return str(json.loads(told.read_text(encoding="utf-8"))["address"])
            except (OSError, ValueError, KeyError):
                time.sleep(0.05)
        log = (Path(self._folder.name) / "dask_scheduler-0.log").read_text(encoding="utf-8", errors="replace").strip()[-300:]
        self.end()
        raise UsageError(f"A Dask scheduler should have started here, but it did not: {log or 'it said nothing'}.")

    def end(self) -> None:
        """End workers first, so that nobody looks for the scheduler."""
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._processes = []
        self._folder.cleanup()
