"""The command line as a whole: help, unknown commands, errors and their exit codes, and what it does not import."""

import os
import subprocess
import sys

import click
import pytest

from kazami import __version__, cli
from kazami.cli._group import CommandFolder
from kazami.errors import RunNotFound


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``kazami`` with ``words`` in a process of its own."""
    return subprocess.run([sys.executable, "-m", "kazami", *words], capture_output=True, text=True, check=False, env={**os.environ, **environment})


def call(*words: str) -> int:
    """Run ``kazami`` with ``words`` in this process, and return its exit code."""
    with pytest.raises(SystemExit) as leaving:
        cli.main(list(words))
    return leaving.value.code


def test_help_names_every_command_with_its_line(capsys):
    assert call("--help") == 0
    shown = capsys.readouterr().out
    assert "run " in shown
    assert "Run a PyTorch script unchanged, and say what is wrong with its training." in " ".join(shown.split())
    assert "..." not in shown.replace("[ARGS]...", "")


def test_without_words_the_help_is_shown(capsys):
    assert call() == 0
    assert "Usage: kazami" in capsys.readouterr().out


def test_help_loads_no_command_and_nothing_heavy():
    code = (
        "import sys, kazami.cli\ntry: kazami.cli.main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit(repr([n for n in sys.modules if n in ('torch', 'numpy', 'rich') or n.endswith('_command')]))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr.strip() == "[]"


@pytest.mark.parametrize("name", [*cli.kazami.list_commands(click.Context(cli.kazami))])
def test_every_command_has_a_help_page_and_a_line(name, capsys):
    assert call(name, "--help") == 0
    assert f"Usage: kazami {name}" in capsys.readouterr().out
    assert cli.kazami._first_line(name).endswith(".")


def test_version(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"kazami {__version__}\n"


def test_an_unknown_command_gets_the_closest_one(capsys):
    assert call("rum") == 2
    assert capsys.readouterr().err == 'kazami: There is no command "rum". Did you mean "run"?\n'


def test_an_unknown_option_is_a_usage_error(capsys):
    assert call("run", "--max-step", "3", "train.py") == 2
    assert "--max-steps" in capsys.readouterr().err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package ``strange`` of commands; each file's text is the body of its command."""
    package = tmp_path / "strange"
    package.mkdir()
    (package / "__init__.py").touch()
    bodies = {
        "missing": "raise RunNotFound('There is no run at x.')",
        "broken": "raise ValueError('oops')",
        "large": "raise MemoryError('Unable to allocate 745. GiB')",
        "huge": 'raise RuntimeError("DefaultCPUAllocator: can\'t allocate memory: you tried to allocate 8 bytes.")',
        "slow": "raise KeyboardInterrupt",
        "five": "return 5",
        "late": "return lambda: print('late')",
    }
    for name, body in bodies.items():
        text = f'"""Is {name}."""\nimport click\nfrom kazami.errors import RunNotFound\n@click.command()\ndef command():\n    {body}\n'
        (package / f"{name}_command.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cli, "kazami", CommandFolder(folder=str(package), package="strange", params=cli.kazami.params))
    monkeypatch.setenv("KAZAMI_DEBUG", "")
    yield
    for name in [name for name in sys.modules if name.startswith("strange")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["missing"], RunNotFound.exit_code, "kazami: There is no run at x.\n"),
        (["broken"], 1, "kazami: this is a mistake in kazami (ValueError: oops); please report it together with what `kazami --debug …` prints\n"),
        (["large"], 2, "kazami: there is not enough memory for this. Ask for less at a time: fewer members, pixels or examples.\n"),
        (["huge"], 2, "kazami: there is not enough memory for this. Ask for less at a time: fewer members, pixels or examples.\n"),
        (["slow"], 130, "\n"),
        (["five"], 5, ""),
        (["late"], 0, ""),
    ],
)
@pytest.mark.usefixtures("folder")
def test_each_ending_has_its_exit_code_and_one_sentence(words, exit_code, said, capsys):
    assert call(*words) == exit_code
    assert capsys.readouterr().err == said


@pytest.mark.usefixtures("folder")
def test_debug_shows_the_traceback(capsys):
    assert call("--debug", "missing") == 5
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("kazami: There is no run at x.\n")


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("environment", "is_plain"), [({"TERM": "xterm"}, False), ({"TERM": "dumb"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, True)])
def test_a_terminal_gets_colours_unless_it_does_not_want_them(environment, is_plain):
    import pty

    ours, theirs = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | environment
    with subprocess.Popen([sys.executable, "-m", "kazami", "--help"], stdout=theirs, env=variables) as process:
        os.close(theirs)
        shown = read_all(ours)
    assert process.returncode == 0
    assert (b"\x1b[" not in shown) is is_plain
    assert b"Commands" in shown


def read_all(descriptor: int) -> bytes:
    """Read a pseudo-terminal until the other side is closed."""
    shown = b""
    while True:
        try:
            more = os.read(descriptor, 65536)
        except OSError:  # how Linux says that the other side is closed
            more = b""
        if not more:
            os.close(descriptor)
            return shown
        shown += more


def test_python_dash_m_is_the_same_program():
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"kazami {__version__}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell, capsys):
    assert call("completion", shell) == 0
    assert f"_KAZAMI_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_commands_are_completed():
    done = run(_KAZAMI_COMPLETE="bash_complete", COMP_WORDS="kazami ru", COMP_CWORD="1")
    assert done.stdout.split() == ["plain,run"]
