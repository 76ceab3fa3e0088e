"""From a name to a sink."""

import subprocess
import sys

import pytest

from kazami.errors import UnknownName, UsageError
from kazami.sinks import AbstractSink, _choice, all_sinks, chosen
from kazami.sinks.json_lines import JsonLines
from tests.sinks.strangers import Keeping


def test_every_file_of_the_room_is_a_sink() -> None:
    assert set(all_sinks()) >= {"jsonl", "mlflow", "tensorboard", "trackio", "wandb"}
    assert all(issubclass(kind, AbstractSink) and kind.name == name for name, kind in all_sinks().items())


def test_no_logger_is_imported_for_the_list() -> None:
    names = "wandb", "mlflow", "tensorboard", "trackio", "torch"
    code = f"import sys, kazami.sinks as s; s.all_sinks(); print([n for n in {names} if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_setting_may_hold_colons() -> None:
    (sink,) = chosen(["jsonl:C:\\logs\\a.jsonl"], run="runs/1")
    assert isinstance(sink, JsonLines)
    assert (sink.setting, sink.run) == ("C:\\logs\\a.jsonl", "runs/1")


def test_a_sink_of_the_users_own_is_taken_as_it_is() -> None:
    mine = Keeping()
    assert chosen([mine]) == [mine]


def test_a_misspelt_name_gets_the_closest() -> None:
    with pytest.raises(UnknownName, match='Did you mean "tensorboard"'):
        chosen(["tensorbord"])


@pytest.mark.parametrize("wrong", ["tensorboard", Keeping()])
def test_one_sink_instead_of_a_list_is_told_so(wrong) -> None:
    with pytest.raises(UsageError, match="should be a list"):
        chosen(wrong)


def test_what_is_no_sink_is_told_so() -> None:
    with pytest.raises(UsageError, match="and is int"):
        chosen([3])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["mlflow", "tensorboard", "trackio", "wandb"])
def test_a_missing_package_is_one_sentence_with_the_line_for_pip(name, monkeypatch) -> None:
    monkeypatch.setattr(_choice, "find_spec", lambda package: None)
    with pytest.raises(UsageError) as caught:
        chosen([name])
    said = str(caught.value)
    assert f'pip install "kazami[{name}]"' in said
    assert "\n" not in said
