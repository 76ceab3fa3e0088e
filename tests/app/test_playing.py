"""The playground's routes: sessions, bounds, and nothing that runs what a browser sends."""

import json

import pytest

from kazami.app.folder import RunFolder
from kazami.app.house import House
from kazami.app.playing import MOST_SESSIONS
from kazami.app.routes import playground
from kazami.app.routes._base import Asked
from kazami.app.wire import encoded
from kazami.errors import RunNotFound, UsageError


@pytest.fixture(name="house")
def empty(tmp_path):
    return House(RunFolder(str(tmp_path)))


def ask(house, route, body=None, **path):
    """Return the answer as the browser gets it: strict JSON."""
    return json.loads(encoded(route(house).answer(Asked(path, {}, body))))


def begun(house, **spec):
    return ask(house, playground.PlaygroundOpen, {"spec": spec})


def test_a_session_goes_on_and_begins_anew(house):
    session = begun(house, task="xor", samples=40)
    assert session["frame"]["step"] == 0
    assert len(session["points"]) == 40
    assert "nn.Linear(2, 8)" in session["code"]
    frame = ask(house, playground.PlaygroundAdvance, {"steps": 30, "milliseconds": 250}, session=session["session"])
    assert 0 < frame["step"] <= 30
    assert len(frame["losses"]) == frame["step"]
    assert ask(house, playground.PlaygroundReset, {}, session=session["session"])["step"] == 0


def test_widths_that_do_not_fit_are_told_with_what_would(house):
    answer = begun(house, blocks=[{"kind": "linear", "width": 8}, {"kind": "residual", "blocks": [{"kind": "linear", "width": 16}]}])
    assert answer["session"] == ""
    assert answer["misfits"][0]["place"] == [1]
    assert answer["misfits"][0]["remedies"] == ["projection", "zero_pad"]


def test_presets_can_be_opened(house):
    presets = ask(house, playground.PlaygroundPresets)["presets"]
    assert {"vanish", "explode"} <= {one["name"] for one in presets}
    for preset in presets:
        assert begun(house, **preset["spec"])["session"]


@pytest.mark.parametrize(
    "spec", [{"task": "__import__('os')"}, {"blocks": [{"kind": "linear", "width": 10**9}]}, {"learning_rate": "1; import os"}, [1, 2], {"nothing": 1}]
)
def test_what_is_out_of_bounds_is_refused_with_a_sentence(house, spec):
    with pytest.raises(UsageError, match=r"\w+ \w+ \w+"):
        ask(house, playground.PlaygroundOpen, {"spec": spec})


def test_the_oldest_sessions_are_given_up(house):
    first = begun(house)["session"]
    for _ in range(MOST_SESSIONS):
        begun(house, samples=8)
    with pytest.raises(RunNotFound, match="over"):
        ask(house, playground.PlaygroundAdvance, {"steps": 1}, session=first)


def test_an_answer_never_trains_for_long(house):
    session = begun(house, samples=2000, blocks=[{"kind": "linear", "width": 128}] * 20)
    frame = ask(house, playground.PlaygroundAdvance, {"steps": 10**9, "milliseconds": 10**9}, session=session["session"])
    assert frame["step"] < 5000


def test_the_script_can_be_saved(house):
    answer = playground.PlaygroundExport(house).answer(Asked({}, {}, {"spec": {"task": "circles"}}))
    assert answer.name == "playground.py"
    compile(answer.content, "playground.py", "exec")


def test_a_table_is_taken_and_learned_from(house):
    text = "a,b,kind\n" + "\n".join(f"{i},{-i},{'x' if i % 2 else 'y'}" for i in range(20))
    taken = ask(house, playground.PlaygroundTable, {"text": text})
    assert (taken["columns"], taken["classes"], taken["rows"]) == (["a", "b"], ["x", "y"], 20)
    answer = ask(house, playground.PlaygroundOpen, {"spec": {"task": "table", "samples": 16}, "table": taken["table"]})
    assert answer["frame"]["step"] == 0
    with pytest.raises(UsageError, match="eight rows"):
        ask(house, playground.PlaygroundTable, {"text": "a,b\n1,2"})
    with pytest.raises(RunNotFound, match="Choose the file again"):
        ask(house, playground.PlaygroundOpen, {"spec": {"task": "table"}, "table": "gone"})


def test_a_curve_and_a_surface_are_answered_as_strict_json(house):
    curve = ask(house, playground.PlaygroundCurve, name="sigmoid")["curve"]
    assert curve["largest_slope"] == 0.25
    assert curve["saturated"][0][0] == "-Infinity"
    session = begun(house, task="xor", samples=40)["session"]
    ground = ask(house, playground.PlaygroundSurface, {"plane": "random"}, session=session)["landscape"]
    assert len(ground["values"]) == len(ground["a"]) * len(ground["b"])
    with pytest.raises(UsageError, match="plane"):
        ask(house, playground.PlaygroundSurface, {"plane": "__import__('os')"}, session=session)


def test_the_playground_keeps_to_one_core_and_leaves_the_number_of_threads(house, monkeypatch):
    import torch

    from kazami.playground import Session

    seen, train, frame = [], Session.train, Session.frame
    monkeypatch.setattr(Session, "train", lambda self, steps: (seen.append(torch.get_num_threads()), train(self, steps))[1])
    monkeypatch.setattr(Session, "frame", lambda self: (seen.append(torch.get_num_threads()), frame(self))[1])
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        session = begun(house, task="xor")["session"]
        ask(house, playground.PlaygroundAdvance, {"steps": 4}, session=session)
        ask(house, playground.PlaygroundReset, {}, session=session)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1}
