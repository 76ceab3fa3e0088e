"""What the tests of the app share: runs on disk, a real server over them, and what axe says of a page."""

import threading
from pathlib import Path

import numpy as np

from kazami.storage import RunWriter, trace_head
from tests.house.tree import ROOT
from tests.pages import PATIENCE, comes_to, eventually, free_port

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"


def rows_of(trace):
    """Return step and values of a trace as a training would append them."""
    rows = {}
    for name, series in trace.series.items():
        for step, value in zip(series.steps.tolist(), np.atleast_1d(series.values), strict=True):
            row = rows.setdefault(step, {})
            if np.ndim(value):
                row.update({f"{name}/{layer:03d}": float(one) for layer, one in enumerate(value)})
            else:
                row[name] = float(value)
    return sorted(rows.items())


def written(run, folder, *, is_ended=True, until=None):
    """Write a made-up run into a folder, whole or up to a step; return its writer, closed if the run is ended."""
    info = run.info
    head = {
        "findings": [finding.to_dict() for finding in run.findings],
        "trace": trace_head(run.trace),
        "wind": info.wind,
        "steps": info.steps,
        "blind": info.blind,
    }
    writer = RunWriter(str(folder / info.id), info.__class__(id=info.id, command=info.command, started=info.started))
    for step, row in rows_of(run.trace):
        if until is None or step <= until:
            writer.append(step, row)
    if is_ended:
        writer.close(ended=info.ended, reason=info.reason, exit_code=info.exit_code, **head)
    else:
        writer.update(**(head | {"steps": until, "trace": trace_head(run.trace.replaced(step=until))}))
        writer.flush()
    return writer


class Serving:
    """A server in a thread of this process, on a port of its own: on the usual one a page would find the next test's server when this one is gone."""

    def __init__(self, folder, **options):
        from kazami.app.server import Server

        self.server = Server(str(folder), **{"port": free_port()} | options)
        self.url = self.server.address.url
        self._thread = threading.Thread(target=self.server.serve, daemon=True)
        self._thread.start()
        eventually(lambda: self.server._server.started, bool)

    def stop(self):
        self.server.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def is_accessible(page):
    """Tell that axe finds nothing wrong with a page once it has come to rest; what it finds until then fails the test."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))

    def violations():
        found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
        return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]

    return comes_to(violations, [])


def is_built():
    """Tell whether the pages of the app are built."""
    return Path(ROOT / "src/kazami/app/static/index.html").is_file()
