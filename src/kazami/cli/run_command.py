"""Run a PyTorch script unchanged, and say what is wrong with its training."""

from functools import partial
from typing import IO, Any

import click

from ._launchers import launch_command, options_given
from ._script import ScriptCommand, script_options, start

SINKS = "Log to NAME as well (tensorboard, wandb, mlflow, trackio, jsonl, a plug-in's); may be given several times. jsonl:metrics.jsonl names the file."


@click.command("run", cls=ScriptCommand)
@click.option("--max-steps", type=click.IntRange(min=1), metavar="N", help="Stop after N optimizer steps.")
@click.option("--every", type=click.IntRange(min=1), metavar="K", help="Measure every K optimizer steps (default: the measured cost decides).")
@click.option("--dynamics", is_flag=True, help="Measure sharpness and local Lyapunov exponents at every step (slow; the training stays bit for bit the same).")
@click.option("--sink", "sinks", multiple=True, metavar="NAME[:SETTING]", help=SINKS)
@click.option("--quiet", is_flag=True, help="No live line and no verdict.")
@click.option("--app", "is_app", is_flag=True, help="Open the app beside the training: a process of its own that shows the run live in the browser.")
@script_options
def command(module: str | None, words: tuple[str, ...], is_app: bool, **options: Any) -> object:
    """Run SCRIPT with its ARGS as `python SCRIPT ARGS` does, watch its training, and say at the end what is wrong with it.

    Everything after SCRIPT belongs to the script. The exit code is the script's own; with --fail-on it is 3 where findings reach that level.
    A launcher may stand in the place of SCRIPT: `kazami run -- torchrun --nproc-per-node 2 train.py` watches every rank.
    """
    launch = launch_command(module, words, options_given(click.get_current_context()))
    if launch is not None:
        return partial(_launched, launch)
    return start(module, words, at_location=_open_app if is_app else None, **options)


def _launched(words: list[str]) -> int:
    """Become the launcher: its exit code and its signals are then its own."""
    import os
    import subprocess
    import sys

    sys.stdout.flush()
    if os.name != "nt":
        os.execv(sys.executable, [sys.executable, *words])
    return subprocess.call([sys.executable, *words])


def _open_app(location: str) -> None:
    """Start the app as a process of its own over the folder in which the run lies; it ends when the training is over and no tab is open."""
    import os
    import subprocess
    import sys
    from threading import Thread

    whole = os.path.abspath(location)
    command = [sys.executable, "-m", "kazami", "app", "--runs", os.path.dirname(whole), "--open", os.path.basename(whole), "--beside", str(os.getpid())]
    browserless = [] if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32") else ["--no-browser"]
    app = subprocess.Popen([*command, *browserless], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    Thread(target=_say_address, args=(app.stdout,), daemon=True, name="kazami-app-address").start()


def _say_address(said: IO[bytes] | None) -> None:
    """Print the one line that the app says, on our own stderr: were that the app's, whoever reads it would wait for the app to end."""
    if said is None:
        return
    with said:
        click.echo(said.readline().decode().strip(), err=True)
