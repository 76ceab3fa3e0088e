"""Cures that the server started: each is ``kazami cure`` in a process of its own, one at a time, that can be cancelled."""

import atexit
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import KazamiError
from ..records import Launch, RunInfo
from ..records.finding import Sentence
from ..storage import StoredRun, default_location, open_run
from .folder import RunFolder, Stamp, stamp_of
from .proof_view import proof_line
from .wire_cures import CureBoard, CureJob, CureRequest, CureStarted, CureStep, JobState, ProofLine

# As `kazami` itself starts: modules of the working directory are the script's, and not ours to import.
START = "import sys; sys.flags.safe_path or sys.path.pop(0); from kazami.cli import main; main()"
LEAST_BUDGET, MOST_BUDGET, MOST_SEEDS = 10, 3600, 20
LAST_WORDS = 5.0  # seconds for what an ended process has said to be read
GRACE = 8.0  # seconds between the wish to end and the end: what is proved by then is still written
MOST_STEPS, MOST_LINES, MOST_LETTERS = 400, 12, 400
_PROGRESS = re.compile(r"kazami-progress: \s*(\d+) / (\d+) s  (.*)")
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

STEPS = {
    "diagnosis": Sentence("Runs the script once, watched: diagnosis", "スクリプトを 1 回観測しながら実行：診断"),
    "placebo": Sentence("Unchanged, with another seed: placebo", "変更なし・別のシード：プラセボ"),
    "proof": Sentence("Proof: the change with another seed", "証明：変更あり・別のシード"),
    "ablation": Sentence("Leaves one change out: is it needed?", "変更を 1 つ外して試行：本当に必要か"),
    "search in memory": Sentence("Searches on a training made of the script's first steps", "スクリプトの最初のステップから作った学習で探索"),
}
OUTCOMES = {
    0: Sentence("Done: a cure is proved, or there was nothing to cure (exit code 0).", "完了：治療を証明、または治療不要（終了コード 0）。"),
    1: Sentence("kazami itself failed (exit code 1).", "kazami 内部のエラーで終了しました（終了コード 1）。"),
    2: Sentence("The script cannot be tried as it was asked (exit code 2).", "このスクリプトは指定どおりには試せません（終了コード 2）。"),
    4: Sentence("Tried, and not proved (exit code 4).", "試しましたが、証明には至りませんでした（終了コード 4）。"),
    130: Sentence("Cancelled before anything was known (exit code 130).", "結果が出る前に中止しました（終了コード 130）。"),
}
CANCELLED = Sentence("Cancelled. What was known by then is kept.", "中止しました。それまでに分かったことは残してあります。")
KILLED = Sentence("Cancelled; the process had to be killed, so nothing is kept.", "中止しました。強制終了したため、結果は残っていません。")


@dataclass(slots=True)
class Job:
    """One cure under way, or ended.

    Attributes:
        run: The run that is cured.
        place: The run directory it writes.
        wish: What was asked for.
        process: The process.
    """

    run: str
    place: Path
    wish: CureRequest
    process: "subprocess.Popen[str]"
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    steps: list[CureStep] = field(default_factory=list)
    said: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    is_cancelled: bool = False
    is_killed: bool = False

    def read(self) -> None:
        """Take in what the process says until it ends; runs in a thread of its own."""
        reader = threading.Thread(target=self._listen, daemon=True, name="kazami-listen")
        reader.start()
        self.process.wait()
        reader.join(LAST_WORDS)  # what it started may hold the pipe open for longer than it lives
        with suppress(OSError):
            self.place.rmdir()  # only an empty one goes: nothing was written
        self.ended = time.monotonic()

    def _listen(self) -> None:
        stream = self.process.stderr
        if stream is not None:
            with stream:
                for line in stream:
                    self._take(_STYLE.sub("", line).rstrip())

    def _take(self, line: str) -> None:
        found = _PROGRESS.fullmatch(line)
        if found is None:
            if line:
                self.said.append(line[:MOST_LETTERS])
            return
        what = found[3][:MOST_LETTERS]
        if len(self.steps) < MOST_STEPS:
            self.steps.append(CureStep(float(found[1]), what, in_words(what)))

    def cancel(self) -> None:
        """Ask the process to end, as Ctrl-C does; after a while end it and all that it started. Returns at once."""
        if self.is_cancelled or self.ended is not None:
            return
        self.is_cancelled = True
        threading.Thread(target=self._end, daemon=True, name="kazami-cancel").start()

    def _end(self) -> None:
        family = descendants(self.process.pid)
        with suppress(OSError):
            self.process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.kill()
        _killed(family)  # replays are groups of their own; one that is left would go on without anybody

    def kill(self) -> None:
        """End the process and all that it started, at once."""
        if self.process.poll() is not None:
            return
        self.is_killed = True
        _killed([*descendants(self.process.pid), self.process.pid])

    def wire(self) -> CureJob:
        """Return it as the page sees it."""
        code = self.process.poll() if self.ended is not None else None
        state: JobState = "ended" if self.ended is not None else "cancelling" if self.is_cancelled else "running"
        outcome = None if state != "ended" else self._outcome(code)
        elapsed = (self.ended or time.monotonic()) - self.began
        has_proof = state == "ended" and (self.place / "proof.json").is_file()
        said = list(self.said) if state == "ended" and not has_proof else []
        return CureJob(
            self.place.name, state, list(self.steps), round(elapsed, 1), self.wish.budget, self.wish.seeds, code, outcome, said, has_proof, self.wish.only
        )

    def _outcome(self, code: int | None) -> Sentence:
        if self.is_killed:
            return KILLED
        if self.is_cancelled and code != 130:
            return CANCELLED
        return OUTCOMES.get(code or 0) or Sentence(f"The process ended with exit code {code}.", f"プロセスは終了コード {code} で終わりました。")


class Curing:
    """The cures of one server: one at a time, and the proofs that lie in its folder.

    Args:
        folder: The runs.
        is_local: Whether only this machine can reach the server; nothing is started otherwise.
    """

    def __init__(self, folder: RunFolder, *, is_local: bool = True) -> None:
        self._folder = folder
        self._is_local = is_local
        self._jobs: dict[str, Job] = {}  # the newest of each run
        self._known: dict[str, tuple[tuple[Stamp, Stamp], tuple[object, ProofLine] | None]] = {}
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        atexit.register(self.close)

    def board(self, run: str) -> CureBoard:
        """Return what can be done about a run, what is being done, and what was.

        Raises:
            KazamiError: There is no such run, or it cannot be read.
        """
        with self._reading:  # so that a later board never holds an earlier state
            return self._board(run, time.monotonic())

    def _board(self, run: str, now: float) -> CureBoard:
        info = self._folder.open(run).info
        launch = Launch.from_dict(info.launch)
        job = self._jobs.get(run)
        place = str(self._folder.place(run))
        words = launch.words if launch is not None else shlex_words(info)
        return CureBoard(
            run=run,
            why_not=self._why_not(run, launch, place),
            command=shlex.join(["kazami", "cure", *words]),
            script=launch.target if launch is not None else info.script,
            is_changed=launch is not None and self._is_changed(launch.file(place), info.started),
            job=job.wire() if job is not None else None,
            proofs=self._proofs(launch, place, run),
            most_budget=MOST_BUDGET,
            read_at=now,
        )

    def start(self, run: str, wish: CureRequest) -> CureStarted:
        """Start a cure of a run; the script and its arguments are those of the run's head.

        Raises:
            KazamiError: There is no such run, or its cure cannot be written.
        """
        place = str(self._folder.place(run))
        info = self._folder.open(run).info
        launch = Launch.from_dict(info.launch)
        with self._lock:
            why_not = self._why_not(run, launch, place) or _bounds(wish, info)
            if why_not is not None or launch is None:
                return CureStarted("", why_not)
            target = Path(default_location(f"{Path(launch.target).stem}-cure", str(self._folder.path)))
            job = Job(run, target, wish, _process(launch, place, target, wish))
            self._jobs[run] = job
        threading.Thread(target=job.read, daemon=True, name="kazami-cure").start()
        return CureStarted(target.name)

    def cancel(self, run: str) -> None:
        """Cancel the cure of a run, if one is under way."""
        job = self._jobs.get(run)
        if job is not None:
            job.cancel()

    def close(self) -> None:
        """End what is under way: the server ends."""
        for job in self._jobs.values():
            job.kill()

    def proof(self, run: str, proof: str) -> StoredRun:
        """Return the run directory of a proof that belongs to a run.

        Raises:
            RunNotFound: No such proof is in the folder.
        """
        job = self._jobs.get(run)
        if job is not None and job.place.name == proof:  # the folder may be one run only, and then it does not list others
            return open_run(str(job.place))
        return self._folder.open(proof)

    def _why_not(self, run: str, launch: Launch | None, place: str) -> Sentence | None:
        if not self._is_local:
            return Sentence(
                "This server can be reached from other machines, so it starts nothing. Type the command on the machine itself.",
                "このサーバーは他のマシンからもアクセスできるため、何も起動しません。コマンドを直接実行してください。",
            )
        if launch is None:
            return Sentence(
                "The run does not say how its script was started (it was watched from Python, or by an older kazami). Type the command instead.",
                "この実行にはスクリプトの起動方法が記録されていません（Python から観測したか、古い kazami の記録です）。コマンドを直接実行してください。",
            )
        if not launch.file(place):
            name = launch.target
            return Sentence(
                f"{name} is no longer where it was when it ran. Type the command in the folder where it is now.",
                f"{name} は実行時の場所にありません。今ある場所でコマンドを実行してください。",
            )
        return self._busy(run)

    def _busy(self, run: str) -> Sentence | None:
        running = next((job for job in self._jobs.values() if job.ended is None), None)
        if running is None:
            return None
        if running.run == run:
            return Sentence("A cure of this run is under way.", "この実行の治療を試しています。")
        return Sentence(f"A cure of another run is under way: {running.run}.", f"別の実行の治療を試しています：{running.run}。")

    @staticmethod
    def _is_changed(file: str, started: str) -> bool:
        """Tell whether a file is newer than a run that began at an ISO time."""
        from datetime import datetime

        try:
            return os.stat(file).st_mtime > datetime.fromisoformat(started).timestamp() + 1.0  # the head says whole seconds
        except (OSError, ValueError):
            return False

    def _proofs(self, launch: Launch | None, place: str, run: str) -> list[ProofLine]:
        """Return the proofs for the same script with the same arguments, the newest first; a proof's own run shows itself."""
        key = _key(launch, place)
        found = {one: self._read_proof(one) for one in self._folder.ids()}
        lines = [known[1] for one, known in found.items() if known is not None and (one == run or (key is not None and known[0] == key))]
        job = self._jobs.get(run)
        if job is not None and job.place.name not in found:
            own = self._read_proof(job.place.name)
            lines += [own[1]] if own is not None else []
        return sorted(lines, key=lambda line: (line.started, line.id), reverse=True)

    def _read_proof(self, run: str) -> tuple[object, ProofLine] | None:
        """Return a proof's key and line, ``None`` for a run without proof; read again only when its files changed."""
        place = self._folder.path / run
        try:
            stamp = (stamp_of(os.stat(place / "proof.json")), stamp_of(os.stat(place / "run.json")))  # the head is closed last
        except OSError:
            return None
        known = self._known.get(run)
        if known is None or known[0] != stamp:
            known = (stamp, _line_of(place))
            self._known[run] = known
        return known[1]


def _line_of(place: Path) -> tuple[object, ProofLine] | None:
    try:
        opened = open_run(str(place))
        stored = opened.proof()
    except KazamiError:
        return None
    if stored is None or not opened.info.ended:
        return None
    return _key(Launch.from_dict(opened.info.launch), str(place)), proof_line(place.name, opened.info, stored.proof)


def _key(launch: Launch | None, place: str) -> object:
    """Return what tells whether two runs started the same script the same way; the file may be gone."""
    if launch is None or not launch.directory:
        return None
    home = launch.working_directory(place)
    return os.path.normpath(os.path.join(home, launch.target)), launch.arguments, launch.as_module


def _bounds(wish: CureRequest, info: RunInfo) -> Sentence | None:
    prescribed = {str(one.get("name", "")) for finding in info.findings for one in finding.get("prescriptions", ())}
    if wish.only and wish.only not in prescribed:
        return Sentence("No finding of this run prescribes that change.", "この実行の所見に、その変更はありません。")
    if LEAST_BUDGET <= wish.budget <= MOST_BUDGET and 3 <= wish.seeds <= MOST_SEEDS:
        return None
    return Sentence(
        f"The budget should be {LEAST_BUDGET} to {MOST_BUDGET} seconds, with 3 to {MOST_SEEDS} seeds.",
        f"予算は {LEAST_BUDGET} ～ {MOST_BUDGET} 秒、シードは 3 ～ {MOST_SEEDS} 個にしてください。",
    )


def _process(launch: Launch, run: str, place: Path, wish: CureRequest) -> "subprocess.Popen[str]":
    """Start the command; what belongs to the script stands behind ``--``, so that no word of it becomes an option of ours."""
    own = ["--budget", f"{wish.budget}s", "--seeds", str(wish.seeds), "--lang", wish.language, "--run", str(place)]
    own += ["--only", wish.only] if wish.only else []
    words = [*(["-m", launch.target] if launch.as_module else []), "--", *([] if launch.as_module else [launch.target]), *launch.arguments]
    environment = os.environ | {"KAZAMI_PROGRESS": "lines", "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"}
    return subprocess.Popen(
        [sys.executable, "-c", START, "cure", *own, *words],
        cwd=launch.working_directory(run),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def in_words(what: str) -> Sentence:
    """Return a step of a cure in words: the command says a word of its own, or the names of the changes that are tried.

    >>> in_words("clip_gradients + init_by_activation").en
    'Tries clip gradients + init by activation'
    """
    name = what.replace("_", " ")
    return STEPS.get(what) or Sentence(f"Tries {name}", f"{name} を試行")


def shlex_words(info: RunInfo) -> Sequence[str]:
    """Return what a user would type behind ``kazami cure``, by the recorded command line; a name to be filled in where there is none."""
    try:
        words = shlex.split(info.command)
    except ValueError:
        words = []
    return words[2:] if words[:2] == ["kazami", "cure"] else words or ["train.py"]


def _killed(processes: Sequence[int]) -> None:
    for process in processes:
        with suppress(OSError):
            os.kill(process, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)


def descendants(process: int) -> list[int]:
    """Return the processes that a process started, and those that they started, as far as the system tells."""
    parents = _parents()
    found, waiting = [], [process]
    while waiting:
        children = [own for own, parent in parents.items() if parent == waiting[0]]
        found += children
        waiting = waiting[1:] + children
    return found


def _parents() -> dict[int, int]:
    """Return each process's parent."""
    parents: dict[int, int] = {}
    try:
        entries = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        with suppress(OSError, ValueError, subprocess.SubprocessError):
            listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, timeout=5, check=False).stdout
            parents = {int(own): int(parent) for own, parent in (line.split() for line in listed.splitlines())}
        return parents
    for entry in entries:
        with suppress(OSError, ValueError, IndexError):  # it ended meanwhile
            parents[entry] = int(Path("/proc", str(entry), "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    return parents
