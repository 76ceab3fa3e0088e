from typing import get_args

from kazami.records import LETTERS, Evidence, Regime, RegimeLabel, Sentence


def test_every_label_has_a_letter_of_its_own():
    assert set(LETTERS) == set(get_args(RegimeLabel))
    assert "".join(LETTERS.values()) == "CEPQITXDVN?"


def test_plain_data():
    found = Regime("periodic", Sentence("en", "ja"), (Evidence("mismatch", 0.01, 0.05),), {"period": 3}, 0.9)
    assert found.letter == "P"
    data = found.to_dict()
    assert (data["label"], data["letter"], data["parameters"], data["evidence"][0]["limit"]) == ("periodic", "P", {"period": 3}, 0.05)
