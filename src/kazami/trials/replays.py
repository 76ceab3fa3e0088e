"""Replays of a script in processes of their own, in a fresh mirror of its working directory each."""

import json
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from ..errors import KazamiError
from .mirror import Mirror, mirrored

START = (  # not as __main__, which the script becomes; modules of the working directory are the script's, and not ours to import
    "import sys; sys.flags.safe_path or sys.path.pop(0); from kazami.trials.replayed import main; main()"
)


@dataclass(slots=True)
class Replays:
    """Replays one script as often as wanted; use it in a ``with`` block, whose end stops the processes.

    Attributes:
        target: Path of the script, or the name of a module.
        arguments: The script's own.
        as_module: Run as ``python -m target``.
        directory: The working directory.
        may_write: Let the script write wherever it likes.
    """

    target: str
    arguments: Sequence[str] = ()
    as_module: bool = False
    directory: str = field(default_factory=os.getcwd)
    may_write: bool = False
    _server: "subprocess.Popen[str] | None" = None

    def __enter__(self) -> "Replays":
        """Start the process that loads torch, so that it is ready when the first replay is wanted."""
        self._start()
        return self

    def __exit__(self, *details: object) -> None:
        """Stop whatever still runs."""
        self.stop()

    def run(
        self,
        kind: str = "replay",
        *,
        files: Mapping[str, str] | None = None,
        offset: int = 0,
        steps: int | None = None,
        seconds: float = math.inf,
        n_seeds: int = 3,
        only: str = "",
    ) -> Any:
        """Run the script once in a fresh mirror, and return what the job gives: a `Replay`, or for a ``"search"`` a `Proof` or why there is none.

        Args:
            kind: ``"replay"`` or ``"search"``.
            files: Texts of files that are to be other than they are.
            offset: Added to the script's seeds.
            steps: Optimizer steps after which the script is stopped.
            seconds: Seconds from its first step on after which it is stopped.
            n_seeds: Seeds of a search's proof.
            only: The one prescription that a search tries; empty for all.

        Raises:
            KazamiError: The process died, or took far longer than its time; what it printed last is in the message.
        """
        given = {os.path.realpath(path): text for path, text in (files or {}).items()}
        with mirrored(self._directories(), given) as mirror:
            job = {
                "kind": kind,
                "target": self.target if self.as_module else self._script_in(mirror),
                "arguments": list(self.arguments),
                "as_module": self.as_module,
                "directories": [root for _, root in mirror.pairs],
                "temporary": mirror.temporary,
                "result": os.path.join(mirror.base, "result"),
                "log": os.path.join(mirror.base, "log"),
                "may_write": self.may_write,
                "offset": offset,
                "steps": steps,
                "seconds": seconds,
                "n_seeds": n_seeds,
                "only": only,
            }
            code = self._carry_out(json.dumps(job))
            return self._result(job, code, mirror)

    def stop(self) -> None:
        """End the server and what it runs."""
        server, self._server = self._server, None
        if server is None:
            return
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(5)
        server.kill()
        for stream in (server.stdin, server.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _directories(self) -> list[str]:
        home = os.path.dirname(os.path.realpath(os.path.join(self.directory, self.target)))
        is_elsewhere = not self.as_module and os.path.commonpath([home, os.path.realpath(self.directory)]) != os.path.realpath(self.directory)
        return [self.directory, home] if is_elsewhere else [self.directory]

    def _script_in(self, mirror: Mirror) -> str:
        """Return the script as it is named in the mirror: relative where the user named it so."""
        found = mirror.path_of(os.path.join(self.directory, self.target)) or self.target
        return os.path.relpath(found, mirror.root) if found.startswith(mirror.root) and not os.path.isabs(self.target) else found

    def _result(self, job: Mapping[str, Any], code: int, mirror: Mirror) -> Any:
        try:
            with open(job["result"], "rb") as file:
                return pickle.load(file)  # written by our own process
        except (OSError, EOFError, pickle.UnpicklingError):
            why = f"died of signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise KazamiError(f"A replay of {self.target} {why} before it could be measured. {_last_words(job['log'], mirror)}".rstrip()) from None

    def _start(self) -> None:
        command = [sys.executable, *(["-P"] if sys.flags.safe_path else []), "-c", START]
        patient = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}  # threads that spin while they wait make a busy machine crawl
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=self.directory, env=patient
        )

    def _carry_out(self, line: str) -> int:
        if self._server is None or self._server.poll() is not None:
            self._start()
        server = self._server
        if server is None or server.stdin is None or server.stdout is None:
            return 1
        try:
            server.stdin.write(line + "\n")
            server.stdin.flush()
            if not hasattr(os, "fork"):
                self._server = None
                return server.wait()
            return _answer(server.stdout)
        except BaseException:
            self.stop()  # Ctrl-C: what runs is of no use any more
            raise


def _answer(stream: IO[str]) -> int:
    for line in stream:
        if line.strip().lstrip("-").isdigit():
            return int(line)
    return 1


def _last_words(log: str, mirror: Mirror) -> str:
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file.read()[-4000:].splitlines() if line.strip()]
    except OSError:
        return ""
    return f"Its last words: {mirror.as_the_user_knows_it(lines[-1])}" if lines else ""
