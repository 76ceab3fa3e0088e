"""The line to one sink: it never blocks, it drops with one warning, it waits for a limited time."""

import math
import os
import threading
import time
from typing import ClassVar

import pytest

from kazami.records import Sentence
from kazami.sinks import _feed
from kazami.sinks._feed import Feed, finish
from tests.sinks.strangers import Keeping, failing_at, hanging_at

ROW = {"kazami/loss": 0.5}


@pytest.fixture
def said() -> list[Sentence]:
    """What was warned of."""
    return []


@pytest.fixture
def never():
    """An event that is set when the test is over, so that no thread is left hanging."""
    event = threading.Event()
    yield event
    event.set()


def test_all_that_is_told_arrives_in_order_and_in_one_thread_that_is_not_ours(said, tmp_path) -> None:
    sink = Keeping()
    feed = Feed(sink, said.append)
    (tmp_path / "report.html").write_text("a report")
    for step in range(1, 101):
        feed.log(step, ROW)
    feed.artifact(str(tmp_path / "report.html"))
    finish([feed])
    assert [step for step, _ in sink.of("log")] == list(range(1, 101))
    assert [what for what, _ in sink.calls[-2:]] == ["artifact", "close"]
    assert len(sink.threads) == 1
    assert threading.get_ident() not in sink.threads
    assert said == []


@pytest.mark.parametrize("where", ["log", "artifact", "close"])
def test_a_sink_that_hangs_costs_its_patience_at_the_end_and_one_warning(where, said, never, tmp_path) -> None:
    (tmp_path / "report.html").write_text("a report")
    feed = Feed(hanging_at(where, never), said.append)
    for step in range(1, 11):
        feed.log(step, ROW)
    feed.artifact(str(tmp_path / "report.html"))
    finish([feed], longest_s=math.inf)  # so it is patience that ends the waiting, not the last resort
    assert len(said) == 1
    assert "did not finish in time" in said[0].en
    feed.log(11, ROW)  # nothing is taken any more
    assert not feed.is_open


def test_two_hung_sinks_are_waited_for_at_the_same_time(said, never) -> None:
    feeds = [Feed(hanging_at("log", never), said.append) for _ in range(8)]
    for feed in feeds:
        feed.log(1, ROW)
    finish(feeds, longest_s=0.3)
    assert len(said) == 8
    assert not any(feed.is_open for feed in feeds)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SystemExit(3), KeyboardInterrupt(), RuntimeError("x" * 5000)])
def test_a_sink_that_raises_ends_with_one_short_warning(error, said) -> None:
    sink = failing_at("log", error)
    feed = Feed(sink, said.append)
    for step in range(1, 6):
        feed.log(step, ROW)
    finish([feed])
    assert len(said) == 1
    assert type(error).__name__ in said[0].en
    assert len(said[0].en) < 400
    assert sink.of("close") == [None]  # it may still let go of what it holds
    assert sink.of("log") == []


def test_what_a_slow_sink_cannot_take_is_dropped_with_one_warning_and_the_training_does_not_wait(said, never, monkeypatch) -> None:
    monkeypatch.setattr(_feed, "MOST_WAITING", 10)
    feed = Feed(hanging_at("log", never), said.append)
    for step in range(1, 1001):
        feed.log(step, ROW)
    assert feed.n_dropped >= 989  # ten wait, one may be in the sink's hands
    assert len(said) == 1
    assert "dropped" in said[0].en
    finish([feed], longest_s=0.3)
    assert len(said) == 1


def test_numbers_are_left_out_while_a_sink_has_used_up_its_share_and_the_newest_come_at_the_end(said, monkeypatch) -> None:
    monkeypatch.setattr(_feed, "ALLOWANCE_S", -1.0)  # nothing is left to spend
    sink = Keeping()
    feed = Feed(sink, said.append)
    for step in range(1, 1001):
        feed.log(step, ROW)
    finish([feed])
    steps = [step for step, _ in sink.of("log")]
    assert steps == [1000]
    assert said == []


def test_a_warning_that_cannot_be_said_hurts_nobody() -> None:
    def cannot(sentence: Sentence) -> None:
        raise BrokenPipeError(sentence.en)

    feed = Feed(failing_at("log", ValueError("no")), cannot)
    feed.log(1, ROW)
    finish([feed])
    assert not feed.is_open


def test_a_feed_that_was_told_nothing_starts_no_thread_but_to_close(said) -> None:
    before = threading.active_count()
    feed = Feed(Keeping(), said.append)
    assert threading.active_count() == before
    finish([feed])
    assert feed.sink.of("close") == [None]  # type: ignore[attr-defined]


def test_where_no_thread_can_be_started_the_sink_is_off(said, monkeypatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    feed = Feed(Keeping(), said.append)
    feed.log(1, ROW)
    finish([feed])
    assert len(said) == 1
    assert "can't start new thread" in said[0].en


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on: this fork is meant
def test_in_a_forked_child_it_does_nothing_and_waits_for_nobody(said, never) -> None:
    feed = Feed(hanging_at("log", never), said.append)
    feed.log(1, ROW)
    child = os.fork()
    if child == 0:
        feed.log(2, ROW)
        feed.artifact("nowhere")
        finish([feed])
        os._exit(0 if not feed.is_open and not said else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finish([feed], longest_s=0.3)


class LessImpatient(Keeping):
    """Whose patience is longer than a busy machine lets a thread wait for its turn."""

    patience_s: ClassVar = 0.8


def test_a_sink_that_computes_is_not_taken_for_a_hung_one(said) -> None:
    def compute(what: str) -> None:
        end = time.thread_time() + 1.2  # longer than its patience
        while what == "log" and time.thread_time() < end:
            pass

    sink = LessImpatient(on_call=compute)
    feed = Feed(sink, said.append)
    feed.log(1, ROW)
    finish([feed])
    if _feed.computed_by(threading.main_thread()) > 0:  # a system that tells
        assert said == []
        assert len(sink.of("log")) == 1
