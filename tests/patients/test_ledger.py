"""What is done stays done, for the same code."""

from kazami.patients.ledger import Ledger, code_of_package, default_place


def test_a_second_beginning_knows_the_first(tmp_path):
    place = tmp_path / "done.jsonl"
    first = Ledger(place, "code")
    assert first.get("diagnosis", "a") is None
    first.add("diagnosis", "a", {"x": [1, 2]})
    assert first.get("diagnosis", "a") == Ledger(place, "code").get("diagnosis", "a") == {"x": [1, 2]}
    assert Ledger(place, "code").get("cure", "a") is None


def test_other_code_begins_anew_and_a_torn_line_is_passed_over(tmp_path):
    place = tmp_path / "done.jsonl"
    Ledger(place, "code").add("diagnosis", "a", {})
    with place.open("a") as file:
        file.write('{"code": "code", "kind": "diagno')
    assert Ledger(place, "other").get("diagnosis", "a") is None
    assert Ledger(place, "code").get("diagnosis", "a") == {}


def test_what_failed_is_tried_again(tmp_path):
    place = tmp_path / "done.jsonl"
    ledger = Ledger(place, "code")
    ledger.add("diagnosis", "a", {"error": "no luck"})
    assert ledger.get("diagnosis", "a") == {"error": "no luck"}
    assert Ledger(place, "code").get("diagnosis", "a") is None


def test_the_default_place_depends_on_the_code():
    assert code_of_package()[:12] in default_place().name
