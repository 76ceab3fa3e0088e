"""Every finding says why: two lines in both languages stand beside the page of diagnosis."""

import json

from kazami.diagnosis import all_rules
from tests.house.tree import ROOT


def test_every_rule_has_its_why_and_nothing_else_has_one():
    why = json.loads((ROOT / "web" / "src" / "diagnose" / "why.json").read_text(encoding="utf-8"))
    assert set(why) == {rule.name for rule in all_rules()}
