"""The report of a run as it is now, to be saved."""

from typing import ClassVar

from ...watch.stored import stored_report
from ._base import AbstractRoute, Asked, Attachment


class Report(AbstractRoute):
    """``GET /api/runs/{run}/report?lang=``: one HTML file, examined with today's rules."""

    path: ClassVar[str] = "/api/runs/{run}/report"

    def answer(self, asked: Asked) -> Attachment:
        """Render the report."""
        from ...reports import render_html

        run = asked.path["run"]
        stored = stored_report(str(self.house.folder.place(run)))
        language = "ja" if asked.query.get("lang") == "ja" else "en"
        page = render_html(stored.info, stored.trace, stored.findings, language=language)
        return Attachment(f"{run}.html", page.encode(), "text/html; charset=utf-8")
