from kazami.records import Finding, Sentence
from kazami.reports.outcome import by_weight, checks_in_words, checks_of, primary, run_wind, verdict
from tests.reports import runs


def finding(name, severity="warning", **changes):
    return Finding("KZ0", name, severity, 0.9, 1, "", Sentence(name, name), **changes)


def test_the_primary_finding_leads_then_the_severe():
    found = [finding("note", "info"), finding("small"), finding("cause", is_primary=True), finding("grave", "error")]
    assert [one.name for one in by_weight(found)] == ["cause", "grave", "small", "note"]
    assert primary([found[0]]) is None
    assert primary(found[:2]).name == "small"


def test_what_is_stored_wins():
    info = runs.info("x", 5, verdict={"en": "stored", "ja": "保存"}, wind={"word": "storm", "value": 1.8})
    assert verdict(info, [finding("cause")]) == Sentence("stored", "保存")
    assert run_wind(info, ()).word == "storm"


def test_the_wind_follows_the_primary_finding():
    assert run_wind(runs.info("x", 5), [finding("a", wind=-1.7, is_primary=True)]).word == "dead calm"
    assert run_wind(runs.info("x", 5), [finding("a", "info", wind=2.0)]).word == "breeze"


def test_nothing_seen_is_not_nothing_wrong():
    assert verdict(runs.info("x", 0), ()).en.startswith("No optimizer step")
    assert verdict(runs.blind().info, ()).en.startswith("This training could not be seen")
    assert verdict(runs.info("x", 9, blind=["curvature"], trace={"layers": [{}]}), ()).en == "Nothing wrong found"


def test_checks_are_named_by_their_rules():
    names = checks_of(runs.healthy().info)
    titles = checks_in_words([*names, "my_own_rule"])
    assert titles[names.index("dead_units")].ja == "死んだユニット"
    assert titles[-1] == Sentence("my own rule", "my own rule")
