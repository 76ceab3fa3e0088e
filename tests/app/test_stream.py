"""The stream: snapshots, deltas, positions, slow tabs, and a training that notices nothing."""

import http.client
import json
import socket
import threading
import time

import pytest

from tests.app.stage import Serving, rows_of, written
from tests.pages import PATIENCE, comes_to, eventually
from tests.reports import runs

tabs = []


@pytest.fixture
def live(tmp_path):
    writer = written(runs.healthy(), tmp_path / "runs", is_ended=False, until=40)
    one = Serving(tmp_path / "runs")
    tabs.clear()
    yield one, writer, [row for row in rows_of(runs.healthy().trace) if row[0] > 40]
    for tab in tabs:
        tab.close()
    one.stop()
    writer.close()


class Tab:
    """One tab: reads the stream as it comes."""

    def __init__(self, serving, *topics, after=""):
        self.connection = http.client.HTTPConnection("127.0.0.1", serving.server.address.port, timeout=PATIENCE)
        query = "&".join(f"topic={topic}" for topic in topics) + (f"&after={after}" if after else "")
        self.connection.request("GET", f"/api/stream?{query}")
        self.answer = self.connection.getresponse()
        self.position = ""
        tabs.append(self)

    def next(self):
        """Return the next message."""
        while True:
            line = self.answer.readline()
            assert line, "the stream ended"
            if line.startswith(b"id: "):
                self.position = line[4:].strip().decode()
            if line.startswith(b'data: {"topic"'):
                return json.loads(line[6:])

    def steps_until(self, step):
        """Return all steps of deltas until a step has come."""
        steps = []
        while not steps or steps[-1] < step:
            message = self.next()
            assert message["kind"] == "delta"
            steps += message["data"]["steps"]
        return steps

    def close(self):
        self.answer.close()
        self.connection.close()


def test_a_snapshot_then_deltas_without_a_step_missing_or_twice(live):
    serving, writer, rows = live
    tab = Tab(serving, "run:digits-relu-8")
    first = tab.next()
    assert first["kind"] == "snapshot"
    assert first["data"]["view"]["loss"]["steps"] == list(range(1, 41))
    for step, row in rows[:200]:
        writer.append(step, row)
        time.sleep(0.004)  # so that they come in many messages
    assert tab.steps_until(240) == list(range(41, 241))
    tab.close()


def test_who_comes_back_gets_what_was_missed_and_nothing_else(live):
    serving, writer, rows = live
    tab = Tab(serving, "run:digits-relu-8")
    tab.next()
    for step, row in rows[:10]:
        writer.append(step, row)
    tab.steps_until(50)
    keeper = Tab(serving, "run:digits-relu-8")
    keeper.next()
    where = tab.position
    tab.close()
    for step, row in rows[10:30]:
        writer.append(step, row)
    keeper.steps_until(70)
    back = Tab(serving, "run:digits-relu-8", after=where)
    assert back.steps_until(70) == list(range(51, 71))
    for one in (back, keeper):
        one.close()


def test_a_position_of_another_server_gets_a_snapshot(live):
    serving, _, _ = live
    tab = Tab(serving, "run:digits-relu-8", after="run:digits-relu-8@deadbeef.3")
    assert tab.next()["kind"] == "snapshot"
    epoch = tab.position.rpartition("@")[2].partition(".")[0]
    tab.close()
    for count in ("%C2%B2", "9" * 5000):
        tab = Tab(serving, "run:digits-relu-8", after=f"run:digits-relu-8@{epoch}.{count}")
        assert tab.next()["kind"] == "snapshot"
        tab.close()


@pytest.mark.parametrize("topic", ["run:nothing", "run:..", "what", "run:", "%00"])
def test_a_topic_that_is_not_there_is_a_problem_in_words(live, topic):
    serving, _, _ = live
    tab = Tab(serving, topic)
    message = tab.next()
    assert message["kind"] == "problem"
    assert message["data"]["say"]["ja"]
    tab.close()


def test_nobody_watching_means_nothing_is_written_or_encoded(live, tmp_path):
    serving, writer, rows = live
    tab = Tab(serving, "run:digits-relu-8")
    tab.next()
    for step, row in rows[:5]:
        writer.append(step, row)
    tab.steps_until(45)
    folder = tmp_path / "runs" / "digits-relu-8"
    assert eventually((folder / "live.wanted").exists, bool)
    tab.close()
    line = serving.server.hub._lines["run:digits-relu-8"]
    assert comes_to(lambda: serving.server.hub.n_tabs, 0)
    assert comes_to(lambda: line._followers, set())  # which may come after the tab is gone
    assert comes_to(line._one_at_a_time.locked, False)  # the last look is over
    count = line._count
    for step, row in rows[5:30]:
        writer.append(step, row)
    time.sleep(0.6)
    assert line._count == count


def test_a_stuck_tab_holds_nobody_up(live):
    serving, writer, rows = live
    stuck = socket.create_connection(("127.0.0.1", serving.server.address.port))
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.sendall(f"GET /api/stream?topic=run:digits-relu-8 HTTP/1.1\r\nHost: 127.0.0.1:{serving.server.address.port}\r\n\r\n".encode())
    tab = Tab(serving, "run:digits-relu-8")
    tab.next()
    for step, row in rows:
        writer.append(step, row)
    assert tab.steps_until(400)[-1] == 400
    stuck.close()
    tab.close()


def test_several_tabs_share_one_encoding(live):
    serving, writer, rows = live
    tabs = [Tab(serving, "runs", "run:digits-relu-8") for _ in range(3)]
    found = [[] for _ in tabs]
    for tab in tabs:
        while tab.next()["topic"] == "runs":  # each of them has its snapshot
            pass

    def read(place):
        while True:
            message = tabs[place].next()
            if message["topic"].startswith("run:") and message["kind"] == "delta":
                found[place].append(message["position"])
                if 60 in message["data"]["steps"]:
                    return

    threads = [threading.Thread(target=read, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for step, row in rows[:20]:
        writer.append(step, row)
        time.sleep(0.03)
    for thread in threads:
        thread.join(PATIENCE)
    assert found[0]
    assert found[0][-1] == found[1][-1] == found[2][-1]
    for tab in tabs:
        tab.close()
