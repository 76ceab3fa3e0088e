"""What a comment or an option leaves out: only comments count, known names only, and one primary finding remains."""

import pytest

from kazami.diagnosis import all_rules, asked_by_option, suppression_of, wishes_of, without_suppressed
from kazami.errors import UsageError
from kazami.records import Finding, Sentence, Suppression

CAUSE = Finding(
    "KZ201",
    "lr_too_high",
    "error",
    0.9,
    1,
    "",
    Sentence("a", "a"),
    is_primary=True,
    not_the_cause=(Sentence("depth", "深さ"),),
    related=("dead_units", "saturated"),
)
DEAD = Finding("KZ104", "dead_units", "warning", 0.9, 1, "fc1", Sentence("b", "b"), file="train.py", line=7)
FLAT = Finding("KZ105", "saturated", "warning", 0.9, 1, "fc2", Sentence("c", "c"))
REMARK = Finding("KZ312", "log_of_softmax", "info", 0.9, 1, "", Sentence("d", "d"))


def asked(source):
    return [(one.what, one.line, one.reason) for one in wishes_of(source.encode(), "train.py").suppressions]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("x = 1  # kazami: ignore[KZ104]", [("KZ104", 1, "")]),
        ("#kazami:ignore[ kz104 , Dead-Units ]", [("KZ104", 1, ""), ("dead_units", 1, "")]),
        ("\n\ny = 2  # noqa: E1 # kazami: ignore[KZ104] - on purpose # more", [("KZ104", 3, "on purpose")]),
        ("# kazami: ignore", [("", 1, "")]),
        ("# kazami: ignore-file[saturated]", [("saturated", 1, "")]),
        ("# kazami: ignore_file", [("", None, "")]),
        ("x = '# kazami: ignore[KZ104]'", []),
        ('"""\n# kazami: ignore[KZ104]\n"""', []),
        ("# kazami: run this with three seeds", []),
        ("# see kazami: ignore nothing", []),
        ("x = (\n  # kazami: ignore[KZ104]", [("KZ104", 2, "")]),
    ],
)
def test_comments_and_nothing_but_comments_ask(source, wanted):
    assert asked(source) == wanted


def test_a_file_in_another_encoding_is_read_as_python_reads_it():
    source = "# -*- coding: shift_jis -*-\nx = 1  # 学習 # kazami: ignore[KZ104]\n".encode("shift_jis")
    assert [one.what for one in wishes_of(source).suppressions] == ["KZ104"]
    assert wishes_of(b"\xff\xfe kazami \x00").suppressions == ()


@pytest.mark.parametrize(
    ("comment", "proposed"),
    [("ignore[dead_unit]", "dead_units"), ("ignor[KZ104]", "# kazami: ignore"), ("ignore[]", "ignore[KZ104]"), ("ignore[KZ104", "ignore[KZ104]")],
)
def test_what_cannot_be_followed_is_said_once_with_the_closest_match(comment, proposed):
    wishes = wishes_of(f"a = 1  # kazami: {comment}\n".encode(), "train.py")
    assert wishes.suppressions == ()
    (warning,) = wishes.warnings
    assert warning.en.startswith("train.py:1: ")
    assert proposed in warning.en
    assert proposed in warning.ja


def test_known_names_beside_an_unknown_one_hold():
    wishes = wishes_of(b"# kazami: ignore[nonsense, KZ104]")
    assert [one.what for one in wishes.suppressions] == ["KZ104"]
    assert len(wishes.warnings) == 1


def test_the_option_takes_identifiers_and_names_and_refuses_others():
    assert [(one.what, one.kind) for one in asked_by_option("kz104,lr_too_high,")] == [("KZ104", "external"), ("lr_too_high", "external")]
    assert asked_by_option("") == ()
    with pytest.raises(UsageError, match="dead_units"):
        asked_by_option("dead_unit")


def test_every_finding_can_be_suppressed_by_both_of_its_names():
    for rule in all_rules():
        assert len(asked_by_option(f"{rule.id},{rule.name}")) == 2


def test_nothing_asked_nothing_changes():
    assert without_suppressed([CAUSE, DEAD], ()) == ([CAUSE, DEAD], [])
    assert without_suppressed([CAUSE, DEAD], [Suppression("KZ999")]) == ([CAUSE, DEAD], [])


def test_another_finding_leads_where_the_cause_is_left_out():
    counting, left_out = without_suppressed([CAUSE, DEAD, FLAT, REMARK], [Suppression("KZ201")])
    assert [(one.name, one.is_primary) for one in counting] == [("dead_units", True), ("saturated", False), ("log_of_softmax", False)]
    assert counting[0].not_the_cause == CAUSE.not_the_cause
    assert counting[0].related == ("saturated",)
    assert [(one.name, one.is_primary) for one in left_out] == [("lr_too_high", False)]


def test_a_remark_never_becomes_the_cause():
    counting, _ = without_suppressed([CAUSE, REMARK], [Suppression("lr_too_high")])
    assert [one.is_primary for one in counting] == [False]


def test_a_bare_comment_holds_for_its_own_line_alone():
    def here(line):
        return Suppression("", file="train.py", line=line)

    assert suppression_of(DEAD, [here(7)]) == here(7)
    assert suppression_of(DEAD, [here(8)]) is None
    assert suppression_of(FLAT, [here(7)]) is None
    assert suppression_of(FLAT, [Suppression("", file="train.py")]) is not None
