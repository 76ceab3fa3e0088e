"""events.jsonl survives torn lines, full disks and stores that cannot append."""

import errno

import pytest

from kazami.storage.events import EventLines, events_name, read_events
from kazami.storage.store import Store
from kazami.storage.strict_json import dumps


def lines_of(store, name="events.jsonl"):
    return [event["n"] for event in read_events(store.read(name))[0]]


def test_lines_are_appended(tmp_path):
    store = Store(str(tmp_path))
    events = EventLines(store, 0)
    for n in range(3):
        events.add(dumps({"n": n}))
        events.write()
    assert (tmp_path / "events.jsonl").read_text() == '{"n": 0}\n{"n": 1}\n{"n": 2}\n'


def test_object_store_gets_the_whole_file():
    store = Store("memory://events-whole")
    events = EventLines(store, 2)
    for n in range(3):
        events.add(dumps({"n": n}))
        events.write()
        assert lines_of(store, events_name(2)) == list(range(n + 1))


@pytest.mark.parametrize("torn", [b'{"n": 9', b'{"n": 9, "word": "\xe9', b"\xff\x00", b""])
def test_torn_last_line_is_left_out_without_a_word(torn):
    assert read_events(b'{"n": 0}\n' + torn) == ([{"n": 0}], 0)


def test_last_line_without_its_end_counts_if_it_is_whole():
    assert read_events(b'{"n": 0}\n{"n": 1}') == ([{"n": 0}, {"n": 1}], 0)


def test_bad_lines_in_the_middle_are_counted():
    assert read_events(b'{"n": 0}\nrubbish\n\n3\n{"n": 1}\n') == ([{"n": 0}, {"n": 1}], 2)


def test_line_that_did_not_fit_is_written_again_on_a_line_of_its_own(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    events = EventLines(store, 0)
    append = Store.append
    for n in range(2):
        events.add(dumps({"n": n}))
    monkeypatch.setattr(Store, "append", lambda self, name, line: append(self, name, line[:4]))
    for _ in range(2):
        with pytest.raises(OSError, match="part") as caught:
            events.write()
        assert caught.value.errno == errno.ENOSPC
    monkeypatch.setattr(Store, "append", append)
    events.write()
    assert lines_of(store) == [0, 1]


def test_interrupted_owner_of_the_lock_is_never_waited_for(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    events = EventLines(store, 0)
    append = Store.append

    def append_and_be_interrupted(self, name, line):
        if b'"n": 0' in line:  # a signal handler runs here
            events.add(dumps({"n": 1}))
            events.write()
        return append(self, name, line)

    monkeypatch.setattr(Store, "append", append_and_be_interrupted)
    events.add(dumps({"n": 0}))
    events.write()
    assert lines_of(store) == [0, 1]
