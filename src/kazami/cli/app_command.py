"""Open the app: runs live in the browser, on this machine."""

import os
import time
from typing import TYPE_CHECKING

import click

from ._look import Command

if TYPE_CHECKING:
    from ..app.server import Server

LONELY = 60.0  # seconds without a tab after which a server beside a training that is over ends


@click.command("app", cls=Command)
@click.argument("folder", metavar="[RUNS]", required=False)
@click.option("--runs", metavar="DIR", help="The same as RUNS: a folder of runs, or one run directory; it may not exist yet.  [default: runs]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port (default: 9463, or any that is free).")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; another than this machine's own needs --token.")
@click.option("--token", envvar="KAZAMI_TOKEN", help="Secret that visitors must show (also KAZAMI_TOKEN).")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--open", "opened", metavar="RUN", help="The run to show first.")
@click.option("--beside", type=int, hidden=True, help="End when this process is over and nobody looks any more.")
def command(
    folder: str | None, runs: str | None, port: int | None, host: str, token: str | None, no_browser: bool, opened: str | None, beside: int | None
) -> None:
    """Serve the app until Ctrl-C: watch the RUNS of a folder (by default runs/) live, look at finished ones. It listens on this machine alone."""
    from ..app.server import LOOPBACK, Server

    if folder is not None and runs is not None:
        raise click.UsageError(f"The folder of runs should be given once, but it is given as {folder} and as --runs {runs}.")
    server = Server(folder or runs or "runs", host=host, port=port, token=token)
    url = server.address.url + (f"#/observe?run={opened}" if opened else "")
    if host not in LOOPBACK:
        click.echo(f"kazami: {host} can be reached from other machines. Whoever knows the token can read the runs and start computations.", err=True)
    click.echo(url)
    if not no_browser:
        import webbrowser

        webbrowser.open(url)
    server.serve(until=None if beside is None else lambda: _is_lonely(server, beside))


def _is_lonely(server: "Server", beside: int) -> bool:
    return not _is_alive(beside) and server.hub.n_tabs == 0 and time.monotonic() - server.hub.last_seen > LONELY


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
