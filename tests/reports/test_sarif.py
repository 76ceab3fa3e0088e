"""The SARIF log: the structure that the standard asks for, every rule, every result, and what was suppressed."""

import dataclasses
import json
import re

import pytest

from kazami.diagnosis import all_rules
from kazami.records import Suppression
from kazami.reports.sarif import sarif
from tests.reports import runs

URI = re.compile(r"^(?:file:///|(?!/))[A-Za-z0-9%._~/\-]+$")


def log(name="vanishing", **changes):
    run = runs.ALL[name]()
    info = dataclasses.replace(run.info, **({"script": "train.py"} | changes))
    return sarif(info, run.findings)["runs"][0]


@pytest.mark.parametrize("name", runs.ALL)
def test_the_log_is_strict_json_with_what_the_standard_requires(name):
    run = runs.ALL[name]()
    found = sarif(dataclasses.replace(run.info, script="a b/träin.py"), run.findings, language="ja")
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["version"] == "2.1.0"
    (one,) = found["runs"]
    assert one["tool"]["driver"]["name"] == "kazami"
    assert one["language"] == "ja"
    rules = one["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(one["results"]) == len(run.findings)
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        for place in result["locations"]:
            assert URI.match(place["physicalLocation"]["artifactLocation"]["uri"])
            assert place["physicalLocation"]["region"]["startLine"] >= 1


def test_the_catalogue_is_there_with_its_pages():
    rules = {rule["id"]: rule for rule in log("healthy")["tool"]["driver"]["rules"]}
    assert {rule.id for rule in all_rules()} <= set(rules)
    assert "docs/findings/KZ104-dead_units.md" in rules["KZ104"]["help"]["text"]


def test_a_result_points_at_the_line_of_the_script_else_at_its_beginning():
    run = runs.vanishing()
    first, second = (finding.replaced(file="sub/train.py", line=line) for finding, line in zip(run.findings, (12, None), strict=True))
    found = sarif(dataclasses.replace(run.info, script="sub/train.py"), [first, second])["runs"][0]["results"]
    assert [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in found] == [12, 1]
    assert found[0]["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "sub/train.py", "uriBaseId": "WORKINGDIRECTORY"}
    assert found[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "fc1 … fc8"


def test_an_absolute_path_becomes_a_file_address():
    found = log(script="/tmp/a b.py")["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert found == {"uri": "file:///tmp/a%20b.py"}


def test_levels_follow_severities():
    run = runs.vanishing()
    remark = run.findings[0].replaced(severity="info")
    found = sarif(run.info, [*run.findings, remark])["runs"][0]["results"]
    assert [one["level"] for one in found] == ["error", "warning", "note"]


def test_what_was_suppressed_is_a_result_marked_so():
    asked = Suppression("KZ105", "in_source", "train.py", 3, "sparse on purpose")
    found = log(suppressed=[runs.SATURATED.to_dict()], suppressions=[asked.to_dict()])["results"]
    assert [one["suppressions"] for one in found[:2]] == [[], []]
    (said,) = found[2]["suppressions"]
    assert said["kind"] == "inSource"
    assert said["justification"] == "sparse on purpose"
    assert said["location"]["physicalLocation"]["region"] == {"startLine": 3}
    by_option = log(suppressed=[runs.SATURATED.to_dict()], suppressions=[Suppression("saturated", "external").to_dict()])["results"]
    assert by_option[2]["suppressions"] == [{"kind": "external", "status": "accepted"}]


def test_the_finger_print_stays_when_lines_move_and_differs_by_place():
    run = runs.vanishing()
    prints = [
        sarif(run.info, [run.findings[0].replaced(**change)])["runs"][0]["results"][0]["partialFingerprints"]
        for change in ({"line": 3}, {"line": 9}, {"place": "x"})
    ]
    assert prints[0] == prints[1] != prints[2]


def test_the_invocation_tells_how_the_run_ended():
    (good,) = log()["invocations"]
    assert good["executionSuccessful"] is True
    assert good["exitCode"] == 0
    assert good["startTimeUtc"] == "2026-11-21T09:30:00Z"
    (bad,) = log("storm")["invocations"]
    assert bad["executionSuccessful"] is False
    assert bad["exitCode"] == 1
    assert log("blind")["invocations"][0]["toolExecutionNotifications"][0]["level"] == "warning"


def test_a_rule_that_is_not_installed_here_still_has_its_entry():
    run = runs.vanishing()
    found = sarif(run.info, [run.findings[0].replaced(id="XY1", name="of_a_plugin")])["runs"][0]
    assert found["tool"]["driver"]["rules"][found["results"][0]["ruleIndex"]]["id"] == "XY1"
