import json

import pytest

from kazami.reports import document
from tests.reports import runs

KEYS = ["schema", "verdict", "wind", "findings", "not_the_cause", "run", "report", "steps", "blind", "suppressed"]


@pytest.mark.parametrize("name", runs.ALL)
def test_the_document_is_strict_json_with_the_settled_keys(name):
    run = runs.ALL[name]()
    found = document(run.info, run.findings, None)
    assert list(found) == KEYS
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["schema"] == 1
    assert set(found["wind"]) == {"word", "value"}
    assert found["steps"] == run.info.steps


def test_numbers_that_json_cannot_say_are_strings():
    run = runs.storm()
    assert document(run.info, run.findings, "r.html")["findings"][0]["evidence"][1]["value"] == "NaN"


def test_the_verdict_is_one_sentence_in_the_language_asked_for():
    run = runs.storm()
    assert document(run.info, run.findings, None)["verdict"] == "The learning rate is 33 times above the stability limit."
    assert document(run.info, run.findings, None, language="ja")["verdict"] == "学習率が安定限界の 33 倍です。"
    assert document(run.info, run.findings, None)["not_the_cause"][1] == {"en": "depth", "ja": "層の深さ"}


def test_silence_is_a_breeze_only_where_something_was_seen():
    words = {name: document(runs.ALL[name]().info, (), None)["wind"]["word"] for name in ("healthy", "blind", "one_step")}
    assert words == {"healthy": "breeze", "blind": "not seen", "one_step": "breeze"}
