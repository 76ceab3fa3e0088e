import json
import re
from importlib.resources import files

import pytest

from kazami.reports.words import WORDS, certainty, counted


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same_with_the_same_holes(key):
    sentence = WORDS[key]
    holes = [sorted(re.findall(r"\{(\w+)\}", text)) for text in (sentence.en, sentence.ja)]
    assert holes[0] == holes[1]
    assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", sentence.ja) or key in ("letter_nan", "clause")
    assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", sentence.en) or key == "language"


def test_every_word_is_used_and_every_used_word_exists():
    room = files("kazami.reports")
    parts = [part for folder in (room, room / "static") for part in folder.iterdir() if part.name.endswith((".py", ".js", ".html")) and part.name != "words.py"]
    text = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    derived = {"one_step", "one_layer", "severity_error", "severity_warning", "severity_info", "certain", "likely", "not_sure", "layers", "steps"}
    assert [key for key in WORDS if key not in derived and not re.search(f"['\"]{key}['\"]", text)] == []
    used = set(re.findall(r'words\("(\w+)"|data-words="(\w+)"|say\("(\w+)"|both\("(\w+)"', text))
    assert {name for names in used for name in names if name} <= set(WORDS)


def test_one_is_singular_and_confidence_has_three_words():
    assert (counted("steps", 1, "en"), counted("layers", 3, "en"), counted("steps", 1, "ja")) == ("1 step", "3 layers", "1 ステップ")
    assert [certainty(value) for value in (0.95, 0.7, 0.3)] == ["certain", "likely", "not_sure"]
    json.dumps({key: (sentence.en, sentence.ja) for key, sentence in WORDS.items()})
