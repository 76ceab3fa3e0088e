"""What several ranks saw becomes one verdict that names the rank."""

import pytest

from kazami.records import Finding, RunInfo, Sentence
from kazami.storage import RunWriter, open_run
from kazami.watch.among_ranks import ended_together, newest_losses, with_other_ranks


def finding(name="nan_inf", step=5, severity="error", place="0.weight", primary=True):
    return Finding("KZ103", name, severity, 0.9, step, place, Sentence("It is bad.", "悪い。"), is_primary=primary)


def head(*findings, steps=10, ended="now", bad_at=None):
    facts = {} if bad_at is None else {"first_bad": {"step": bad_at}}
    trace = {"facts": facts}
    return RunInfo(id="run", steps=steps, ended=ended, reason="finished", trace=trace, findings=[one.to_dict() for one in findings])


def test_one_rank_alone_is_left_as_it_is():
    own = head(finding())
    assert with_other_ranks(own, [finding()], {0: own}) == (own, [finding()])


def test_an_error_of_another_rank_is_told_with_its_number():
    info, found = with_other_ranks(head(), [], {0: head(), 3: head(finding())})
    assert [(one.name, one.place, one.is_primary) for one in found] == [("nan_inf", "rank 3: 0.weight", True)]
    assert found[0].sentence == Sentence("Rank 3: It is bad.", "ランク 3：悪い。")
    assert info.findings == [found[0].to_dict()]


def test_the_warnings_of_other_ranks_are_not_added_up():
    _, found = with_other_ranks(head(), [], {0: head(), 1: head(finding(severity="warning"))})
    assert found == []


@pytest.mark.parametrize(
    ("own", "other", "whose"),
    [
        ((5, None), (5, 5), "rank 1"),
        ((5, 6), (5, 5), "rank 1"),
        ((5, 5), (5, 5), ""),
        ((5, None), (4, None), "rank 1"),
        ((5, 5), (6, 6), ""),
        ((5, None), (5, None), ""),
    ],
)
def test_the_rank_that_met_it_first_is_named_and_at_the_same_step_the_one_on_its_own_way_forward(own, other, whose):
    mine, theirs = head(finding(step=own[0]), bad_at=own[1]), head(finding(step=other[0]), bad_at=other[1])
    _, found = with_other_ranks(mine, [finding(step=own[0])], {0: mine, 1: theirs})
    assert len(found) == 1
    assert found[0].is_primary
    assert found[0].place.startswith(whose or "0.weight")


def test_there_is_one_primary_finding_and_it_stays_that_of_rank_0():
    mine, theirs = head(finding("lr_too_high", severity="warning")), head(finding())
    _, found = with_other_ranks(mine, [finding("lr_too_high", severity="warning")], {0: mine, 1: theirs})
    assert [(one.name, one.is_primary) for one in found] == [("lr_too_high", True), ("nan_inf", False)]


def test_a_rank_that_fell_silent_is_said_once_and_losses_and_steps_stand_side_by_side():
    mine = head(steps=10)
    heads = {0: mine, 1: head(steps=4, ended="")}
    info, _ = with_other_ranks(mine, [], heads, {0: 0.5, 1: 0.75, 2: float("nan")})
    again, _ = with_other_ranks(info, [], heads)
    assert again.blind == info.blind
    assert len(info.blind) == 1
    assert info.blind[0].startswith("Rank 1 did not say how it ended: its last word is of step 4")
    assert info.environment["ranks"] == "2: loss 0.5 to 0.75; 4 to 10 steps"


def test_where_rank_0_failed_first_the_others_had_not_ended_yet_and_later_it_is_known_how_they_did():
    mine, running = head(steps=10), head(steps=9, ended="")
    info, _ = with_other_ranks(mine, [], {0: mine, 1: running, 2: running}, is_first_to_end=True)
    assert [one.partition(":")[0] for one in info.blind] == [f"Rank {rank} had not ended when rank 0 did" for rank in (1, 2)]
    later, _ = with_other_ranks(info, [], {0: mine, 1: head(steps=9), 2: running})
    assert [one.partition(":")[0] for one in later.blind] == ["Rank 2 did not say how it ended"]


def test_findings_that_cannot_be_read_hide_nobody_elses():
    broken = RunInfo(id="run", steps=3, ended="now", findings=[{"name": 3}])
    _, found = with_other_ranks(head(), [], {0: head(), 1: broken, 2: head(finding())})
    assert [one.place for one in found] == ["rank 2: 0.weight"]


def test_each_rank_tells_of_itself_in_a_file_of_its_own(tmp_path):
    place = str(tmp_path / "run")
    first, second = RunWriter(place, RunInfo(id="run")), RunWriter(place, RunInfo(id="run"), rank=1)
    first.append(1, {"loss": 1.0})
    second.append(1, {"loss": 2.0})
    second.append(7, {"loss": 3.0})
    second.flush()
    stored = open_run(place)
    first.flush()
    assert stored.heads()[1].steps == 7
    assert newest_losses(stored, {**stored.heads(), 0: RunInfo(id="run", steps=1)}) == {0: 1.0, 1: 2.5}
    assert not stored.heads()[1].ended
    second.close(ended="later", reason="finished", steps=7)
    first.close(ended="later", reason="finished", steps=1)
    assert ended_together(stored, 2)[1].ended == "later"
    stored.refresh()
    assert [one.ended for one in stored.heads().values()] == ["later", "later"]
    assert stored.ranks() == [0, 1]
    (tmp_path / "run" / "run-r1.json").write_text("{")
    assert list(stored.heads()) == [0]
    assert any("run-r1.json" in problem for problem in stored.problems)
