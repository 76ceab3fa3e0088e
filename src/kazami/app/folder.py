"""The folder of runs: which there are, and the way from an id to a run, never outside the folder."""

import os
import time
from dataclasses import replace
from pathlib import Path

from ..errors import KazamiError, NewerFormat, UsageError
from ..playground.refusals import Refused, UnknownWord
from ..records.finding import Finding, Sentence
from ..records.run_info import RunInfo
from ..records.wind import wind_of
from ..reports.outcome import checks_of, verdict
from ..reports.view_data import WindWord
from ..storage import StoredRun, open_run
from .refusals import BadRequest, Busy, NotHere
from .wire import RunLine, RunList

HEAD, PROOF = "run.json", "proof.json"
LOST = 120.0  # seconds without a word after which a run that never ended counts as lost
MOST_RUNS = 2_000

Stamp = tuple[int, int, int]


class RunFolder:
    """The folder whose runs are shown; heads are read again only when their file changes.

    Args:
        path: The folder, or one run directory; it may not exist yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        whole = Path(path).absolute()
        self._only = whole.name if (whole / HEAD).is_file() else None
        self.path = whole.parent if self._only else whole
        self._known: dict[str, tuple[Stamp, RunLine]] = {}

    def ids(self) -> list[str]:
        """Return the ids of all runs, in no order."""
        if self._only is not None:
            return [self._only]
        try:
            with os.scandir(self.path) as entries:
                return [entry.name for entry in entries if self._is_run(entry)][:MOST_RUNS]
        except OSError:
            return []

    def place(self, run: str) -> Path:
        """Return the directory of a run.

        Raises:
            RunNotFound: No run of the folder has this id.
        """
        if run not in self.ids():
            raise NotHere(f'No run "{run[:80]}" is in {self.path.name}.', f"{self.path.name} に実行「{run[:80]}」はありません。")
        return self.path / run

    def open(self, run: str) -> StoredRun:
        """Open a run by its id.

        Raises:
            RunNotFound: No run of the folder has this id.
            RunUnreadable: Its head cannot be read.
            NewerFormat: A newer kazami wrote it.
        """
        return open_run(str(self.place(run)))

    def list(self) -> RunList:
        """Return all runs, the newest first."""
        lines = [line for line in map(self.line, self.ids()) if line is not None]
        return RunList(self.path.name, sorted(lines, key=lambda line: (line.started, line.changed), reverse=True))

    def line(self, run: str) -> RunLine | None:
        """Return the line of one run, ``None`` where it is gone."""
        try:
            state = os.stat(self.path / run / HEAD)
        except OSError:
            return None
        key = stamp_of(state)
        known = self._known.get(run)
        if known is None or known[0] != key or (known[1].state == "live" and time.time() - self._last_sign(run, known[1].changed) > LOST):
            known = (key, self._read(run, state.st_mtime))
            self._known[run] = known
        return known[1]

    def _read(self, run: str, changed: float) -> RunLine:
        try:
            info = open_run(str(self.path / run)).info
        except KazamiError as error:
            return RunLine(run, "unreadable", "", changed, 0, Sentence("", ""), None, trouble_of(error))
        line = line_of(run, info, changed, is_alive=time.time() - self._last_sign(run, changed) <= LOST)
        return replace(line, has_proof=bool(info.ended) and (self.path / run / PROOF).is_file())

    def _last_sign(self, run: str, changed: float) -> float:
        """Return when anything was last written."""
        times = [changed]
        for name in ("metrics", "live.jsonl", "events.jsonl"):
            try:
                times.append(os.stat(self.path / run / name).st_mtime)
            except OSError:
                continue
        return max(times)

    def _is_run(self, entry: os.DirEntry[str]) -> bool:
        """Tell whether a folder is a run: a link may lead anywhere, so it is none."""
        return entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and os.path.isfile(os.path.join(entry.path, HEAD))


def stamp_of(state: os.stat_result) -> Stamp:
    """Return what changes with a file, also where it changes twice within one tick of the disk's clock."""
    return state.st_mtime_ns, state.st_ino, state.st_size


def line_of(run: str, info: RunInfo, changed: float, *, is_alive: bool) -> RunLine:
    """Return the line of a run whose head was read."""
    findings = _findings(info)
    facts = info.trace.get("facts")
    said = verdict(info, findings, checks_of(info, facts if isinstance(facts, dict) else {}))
    value = info.wind.get("value")
    wind = wind_of(float(value)) if isinstance(value, int | float) else None
    word = None if wind is None else WindWord(Sentence(wind.word, wind.word_ja), wind.symbol, wind.value)
    return RunLine(run, "finished" if info.ended else "live" if is_alive else "lost", info.started, changed, info.steps, said, word)


def trouble_of(error: KazamiError) -> Sentence:
    """Return why a run cannot be read, and the command that helps."""
    if isinstance(error, NotHere | BadRequest | Busy | Refused | UnknownWord):
        return error.say
    if isinstance(error, UsageError):
        return Sentence(f"{error}", f"リクエストを受け付けられません（{error}）。")
    if isinstance(error, NewerFormat):
        return Sentence(f"{error}", "この実行は新しい kazami で書かれています。更新してください：pip install --upgrade kazami")
    return Sentence(
        f"{error} Look at it with: kazami report RUN --format text", f"実行ディレクトリを読めません（{error}）。確認するには：kazami report RUN --format text"
    )


def _findings(info: RunInfo) -> list[Finding]:
    try:
        return [Finding.from_dict(item) for item in info.findings]
    except (TypeError, KeyError, AttributeError, ValueError):
        return []
