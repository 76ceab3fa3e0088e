import importlib.util
import subprocess

import pytest

from tests.house.tree import ROOT


@pytest.fixture
def dev(tmp_path, monkeypatch):
    """The script as a module that works in a folder of its own and starts nothing: what it would start is in ``dev.started``."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "tools" / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("PROJECT", "CONSTRAINTS", "VENV"):
        monkeypatch.setattr(module, name, tmp_path / name)
    module.PROJECT.write_text("project")
    module.CONSTRAINTS.write_text("torch==1")
    module.started, module.codes = [], {}

    def start(command, **settings):
        words = [str(word) for word in command]
        module.started.append(" ".join(words))
        module.venv_python().parent.mkdir(parents=True, exist_ok=True)
        module.venv_python().touch()
        return subprocess.CompletedProcess(words, next((code for part, code in module.codes.items() if part in module.started[-1]), 0))

    monkeypatch.setattr(module.subprocess, "run", start)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    return module


def started(dev, part):
    return [position for position, command in enumerate(dev.started) if part in command]


def test_run_makes_the_venv_then_installs_torch_alone_then_kazami_then_takes_the_tour(dev):
    assert dev.main(["run"]) == 0
    order = ["-m venv", "pip>=25.1", "torch", "--editable .", "-m kazami tour"]
    assert [started(dev, part)[0] for part in order] == sorted(started(dev, part)[0] for part in order)
    assert dev.started[started(dev, "--editable")[0]].endswith(f"--constraint {dev.CONSTRAINTS} --editable .")


def test_the_second_time_nothing_is_installed_until_the_constraints_change(dev):
    dev.main(["run"])
    before = len(started(dev, "install"))
    dev.main(["run"])
    assert len(started(dev, "install")) == before
    dev.CONSTRAINTS.write_text("torch==2")
    dev.main(["run"])
    assert len(started(dev, "install")) > before


def test_docs_installs_its_own_group_and_builds_the_pages(dev):
    assert dev.main(["docs"]) == 0
    assert dev.started[started(dev, "--editable")[0]].endswith("--editable . --group docs")
    assert dev.started[-1].endswith("-m tools.handbook")


def test_what_is_set_up_for_the_tests_also_runs_but_not_the_other_way_round(dev):
    dev.main(["run"])
    dev.main(["test"])
    assert len(started(dev, "--group test")) == 1
    before = len(started(dev, "install"))
    dev.main(["run"])
    assert len(started(dev, "install")) == before


def test_test_stops_at_the_first_check_that_fails(dev, capsys):
    dev.codes["-m mypy"] = 1
    assert dev.main(["test"]) == 1
    assert started(dev, "-m ruff check")
    assert not started(dev, "-m pytest")
    assert capsys.readouterr().err.splitlines()[-1] == "dev: types failed"


def test_further_arguments_go_to_the_last_command(dev):
    assert dev.main(["test", "-k", "dead_units"]) == 0
    assert dev.started[-1].endswith("-m pytest -n 2 -q -k dead_units")


def test_no_network_is_one_line_and_the_next_try_starts_again(dev, capsys):
    dev.codes["pip install"] = 1
    assert dev.main(["run"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("dev: installing pip failed")
    assert "network" in lines[-1]
    dev.codes.clear()
    assert dev.main(["run"]) == 0


def test_no_venv_module_is_one_line(dev, capsys):
    dev.codes["-m venv"] = 1
    assert dev.main(["run"]) == 1
    assert "python3-venv" in capsys.readouterr().err.splitlines()[-1]


def test_strangers_beside_a_cpu_torch_are_an_error(dev, capsys):
    dev.codes["nvidia-"] = 1
    assert dev.main(["run"]) == 1
    assert f"delete {dev.VENV.name}" in capsys.readouterr().err.splitlines()[-1]


def test_uv_is_used_where_it_is_and_told_the_sources_of_pip(dev, monkeypatch):
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"bin/{name}")
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels more-wheels")
    monkeypatch.setenv("PIP_CERT", "my certificates.pem")
    monkeypatch.setenv("SSL_CERT_FILE", "mine.pem")
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    assert dev.main(["run"]) == 0
    assert dev.started[0].startswith("bin/uv venv")
    assert not started(dev, "-m pip")
    assert dev.environment()["UV_FIND_LINKS"] == "wheels,more-wheels"
    assert dev.environment()["SSL_CERT_FILE"] == "mine.pem"
    assert dev.environment()["PIP_FIND_LINKS"] == "wheels more-wheels"


def test_an_old_python_is_one_line(dev, monkeypatch, capsys):
    monkeypatch.setattr(dev.sys, "version_info", (3, 10, 4))
    assert dev.main(["run"]) == 1
    assert capsys.readouterr().err == "dev: kazami needs Python 3.11 or newer, and this is 3.10. Try: make PYTHON=python3.13 run\n"


def test_an_unknown_task_names_the_tasks(dev, capsys):
    assert dev.main(["tset"]) == 1
    assert "name one task of: run, test" in capsys.readouterr().err


def test_the_frameworks_have_an_environment_of_their_own_with_torch_first(dev):
    usual = dev.VENV
    assert dev.main(["test-integrations"]) == 0
    assert usual.with_name(f"{usual.name}-integrations") == dev.VENV
    assert all(str(dev.venv_python()) in command for command in dev.started if "install" in command)
    assert started(dev, "install --quiet")[1] < started(dev, "--group integrations")[0]
    assert dev.started[-1].endswith("tests/integrations")
