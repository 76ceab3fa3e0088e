"""Cures of a run: what can be done, started and cancelled, and the proofs that are there."""

from pathlib import Path
from typing import ClassVar

from ...diagnosis import all_rules
from ...diagnosis._base import AbstractRule
from ...records import Sentence, Trace
from ...reports.outcome import checks_of
from ...watch.stored import stored_report
from ..curing import Curing
from ..house import House
from ..proof_view import proof_view
from ..refusals import NotHere
from ..wire import Done
from ..wire_cures import CheckList, CheckRow, CureBoard, CureRequest, CureStarted, ProofView
from ._base import AbstractRoute, Asked, Attachment


def curing_of(house: House) -> Curing:
    """Return the cures of the house."""
    return house.of(Curing, lambda: Curing(house.folder, is_local=house.is_local))


class Checks(AbstractRoute):
    """``GET /api/runs/{run}/checks``: a `CheckList`."""

    path: ClassVar[str] = "/api/runs/{run}/checks"

    def answer(self, asked: Asked) -> CheckList:
        """Ask each rule that was applied what it measured."""
        stored = stored_report(str(self.house.folder.place(asked.path["run"])))
        found = {finding.name for finding in stored.findings}
        rules = {rule.name: rule for rule in all_rules()}
        names = [name for name in checks_of(stored.info, stored.trace.facts) if name not in found]
        return CheckList([_row(name, rules.get(name), stored.trace) for name in names])


class Cures(AbstractRoute):
    """``GET /api/runs/{run}/cures``: a `CureBoard`."""

    path: ClassVar[str] = "/api/runs/{run}/cures"

    def answer(self, asked: Asked) -> CureBoard:
        """Look."""
        return curing_of(self.house).board(asked.path["run"])


class CureStart(AbstractRoute):
    """``POST /api/runs/{run}/cures``: a `CureRequest`, answered by `CureStarted`."""

    path: ClassVar[str] = "/api/runs/{run}/cures"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> CureStarted:
        """Start ``kazami cure`` for the script of the run, or say why not."""
        return curing_of(self.house).start(asked.path["run"], asked.body_as(CureRequest))


class CureCancel(AbstractRoute):
    """``POST /api/runs/{run}/cures/cancel``."""

    path: ClassVar[str] = "/api/runs/{run}/cures/cancel"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> Done:
        """Cancel what is under way; what is proved by then is kept."""
        curing_of(self.house).cancel(asked.path["run"])
        return Done()


class CureProof(AbstractRoute):
    """``GET /api/runs/{run}/cures/{proof}``: a `ProofView`."""

    path: ClassVar[str] = "/api/runs/{run}/cures/{proof}"

    def answer(self, asked: Asked) -> ProofView:
        """Read it."""
        opened = curing_of(self.house).proof(asked.path["run"], asked.path["proof"])
        stored = opened.proof()
        if stored is None:
            raise NotHere(f"{opened.info.id} holds no proof.", f"{opened.info.id} に証明はありません。")
        return proof_view(asked.path["proof"], opened.info, stored)


class CurePatch(AbstractRoute):
    """``GET /api/runs/{run}/cures/{proof}/patch``: the change as a file for patch(1)."""

    path: ClassVar[str] = "/api/runs/{run}/cures/{proof}/patch"

    def answer(self, asked: Asked) -> Attachment:
        """Read it as it was written: each file's lines in its own encoding."""
        opened = curing_of(self.house).proof(asked.path["run"], asked.path["proof"])
        try:
            content = Path(opened.location, "cure.diff").read_bytes()
        except OSError:
            raise NotHere(f"{opened.info.id} holds no patch.", f"{opened.info.id} にパッチはありません。") from None
        return Attachment("cure.diff", content, "text/x-diff; charset=utf-8")


class CureReport(AbstractRoute):
    """``GET /api/runs/{run}/cures/{proof}/report``: the page of the proof, to be saved."""

    path: ClassVar[str] = "/api/runs/{run}/cures/{proof}/report"

    def answer(self, asked: Asked) -> Attachment:
        """Render it in the reader's language."""
        from ...reports.proof_html import render_proof_html

        opened = curing_of(self.house).proof(asked.path["run"], asked.path["proof"])
        stored = opened.proof()
        if stored is None:
            raise NotHere(f"{opened.info.id} holds no proof.", f"{opened.info.id} に証明はありません。")
        language = "ja" if asked.query.get("lang") == "ja" else "en"
        page = render_proof_html(opened.info, stored.proof, diff=stored.diff, lines=stored.lines, before=stored.before, after=stored.after, language=language)
        return Attachment(f"{opened.info.id}.html", page.encode(), "text/html; charset=utf-8")


def _row(name: str, rule: AbstractRule | None, trace: Trace) -> CheckRow:
    if rule is None:  # of a package that is not installed here
        plain = name.replace("_", " ")
        return CheckRow("", name, Sentence(plain, plain), None)
    return CheckRow(rule.id, name, rule.title, rule.exonerate(trace))
