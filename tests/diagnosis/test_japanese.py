"""What a rule says beside its sentences is in Japanese as well: where its limit comes from, and where the finding is."""

import ast
import re
from pathlib import Path

import pytest

import kazami.diagnosis

RULES = sorted(Path(kazami.diagnosis.__file__).parent.glob("*.py"))
ALIKE = re.compile(r"KZ\d+|docs/findings|.*\b(19|20)\d\d\b.*|([^a-z]|(?<![a-z])[a-z](?![a-z]))*")  # identifiers, citations and formulas are written alike


def untranslated(tree):
    """Return the sources and places of a syntax tree that are English phrases without their Japanese."""
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if getattr(call.func, "id", "") == "Evidence":
            source = call.args[4] if len(call.args) > 4 else keywords.get("source")
            has = len(call.args) > 6 or "source_ja" in keywords
        elif getattr(call.func, "attr", "") == "finding":
            source, has = keywords.get("place"), "place_ja" in keywords
        else:
            continue
        parts = source.values if isinstance(source, ast.JoinedStr) else [source]
        text = "".join(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
        found += [f"{call.lineno}: {text}"] if not has and not ALIKE.fullmatch(text) else []
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda file: file.stem)
def test_sources_and_places_are_in_both_languages(rule):
    assert untranslated(ast.parse(rule.read_text(encoding="utf-8"))) == []


def test_a_missing_translation_is_seen():
    source = 'Evidence("a", 1.0, 2.0, "", "the same", name_ja="b")\nself.finding(place=f"the {x}")\nEvidence("a", 1.0, 2.0, "", "He et al. 2015")'
    assert untranslated(ast.parse(source)) == ["1: the same", "2: the "]
