"""Everything that an edit does not write stays byte for byte, whatever the file looks like."""

from pathlib import Path

import pytest

from kazami.edits import all_edits, edited, encoded, lines_to_add, read_script, unified_diff
from kazami.edits._program import Program
from kazami.errors import UsageError
from tests.edits.asserts import HEADER, SCRIPTS, assert_diff_applies, change, changed_lines, saved, written_into

ADD = change("zero_grad", zero_grad=True)
CLIP = change("clip_gradients", max_norm=1.5, percentile=90)
PLAIN = """import torch
net = torch.nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for x, y in data:
    loss = (net(x) - y).square().mean()
    loss.backward()
    opt.step()
"""
SHAPES = {
    "crlf": PLAIN.replace("\n", "\r\n"),
    "tabs": PLAIN.replace("    ", "\t"),
    "two spaces": PLAIN.replace("    ", "  "),
    "form feed": PLAIN.replace("for x", "\f\nfor x"),
    "form feed in a line": PLAIN.replace("for x", "\ffor x"),
    "no newline at the end": PLAIN.rstrip("\n"),
    "latin 1": "# -*- coding: latin-1 -*-\n# é ü\n" + PLAIN.replace("mean()", "mean()  # ä"),
    "latin 1 in line 2": "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\n" + PLAIN.replace("opt.step()", "opt.step()  # ß"),
    "byte order mark": "\ufeff" + PLAIN,
    "byte order mark and crlf": "\ufeff" + PLAIN.replace("\n", "\r\n"),
    "japanese": "# 学習\n" + PLAIN.replace("loss.backward()", "loss.backward()  # 逆伝播 🌀"),
    "shift jis": "# coding: shift_jis\n# 学習\n" + PLAIN.replace("loss.backward()", "loss.backward()  # 逆伝播"),
    "continued lines": PLAIN.replace("(net(x) - y)", "(net(x) \\\n        - y)"),
    "strange separators": PLAIN.replace("mean()", "mean()  # a\u2028b\x1cc\x0bd"),
    "mixed line ends": PLAIN.replace("torch\n", "torch\r\n", 1),
    "trailing blanks": PLAIN.replace("data:\n", "data:   \n\n   \n"),
    "odd spacing": PLAIN.replace("lr=0.1", "lr = 0.1 ").replace("opt.step()", "opt . step( )"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_bytes_outside_of_the_inserted_lines_stay(tmp_path, name):
    text = SHAPES[name]
    script = saved(tmp_path, text)
    before = (tmp_path / "train.py").read_bytes()
    assert encoded(script.files[script.main]) == before
    after, left = edited(script, [ADD])
    assert left == ()
    new = encoded(after.files[after.main])
    inserted = next(line for line in new.splitlines(keepends=True) if b"zero_grad" in line)
    assert new.replace(inserted, b"", 1) == before
    assert inserted.endswith(b"\r\n") is (name in ("crlf", "byte order mark and crlf", "mixed line ends") and b"\r\n" in inserted)
    assert_diff_applies(script, after, tmp_path)


def test_line_ends_of_inserted_lines_are_those_of_the_file(tmp_path):
    script = saved(tmp_path, SHAPES["crlf"])
    after, _ = edited(script, [CLIP, ADD])
    assert after.files[after.main].count("\n") == after.files[after.main].count("\r\n") == PLAIN.count("\n") + 2


def test_the_last_line_without_a_newline_stays_without_one(tmp_path):
    text = SHAPES["no newline at the end"].replace("    loss.backward()\n    opt.step()", "    loss.backward()\n    if x.any():\n        opt.step()")
    lines = written_into(tmp_path, text, ADD)
    assert lines == ["-        opt.step()", "+        opt.step()", "+        opt.zero_grad()"]
    assert not (tmp_path / "train.py").read_text().endswith("\n")


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_a_change_that_is_written_already_changes_nothing_more_than_once(tmp_path, path):
    script = saved(tmp_path, path.read_text())
    for one in (
        CLIP,
        change("lower_learning_rate", learning_rate=1e-4, from_=5.0),
        change("lower_dropout", p=0.5),
        change("bfloat16"),
        change("slower_schedule"),
    ):
        once, left = edited(script, [one])
        twice, _ = edited(once, [one])
        assert left or twice.files == once.files, unified_diff(once, twice, root=str(tmp_path))


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_what_cannot_be_written_leaves_the_script_alone(tmp_path, path):
    script = saved(tmp_path, path.read_text())
    unknown = change("no_such_cure")
    after, left = edited(script, [unknown])
    assert left == (unknown,)
    assert after.files == script.files
    assert unified_diff(script, after, root=str(tmp_path)) == ""


def test_text_that_is_no_python_is_refused_by_every_edit(tmp_path):
    script = saved(tmp_path, "for x in (\n")
    for edit in all_edits():
        for name in edit.writes:
            assert edit.edit(script, change(name)) is None


def test_modules_beside_the_script_are_read_and_edited(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "__init__.py").write_text("")
    (tmp_path / "sub" / "settings.py").write_text("RATE = 0.1  # of everything\n")
    (tmp_path / "nets.py").write_text("from torch import nn\nfrom sub.settings import RATE\n\n\ndef make():\n    return nn.Linear(2, 1)\n")
    (tmp_path / "unused.py").write_text("RATE = 0.1\n")
    script = saved(tmp_path, "import torch, nets\nfrom nets import RATE\nnet = nets.make()\nopt = torch.optim.SGD(net.parameters(), lr=RATE)\n")
    assert sorted(Path(path).name for path in script.files) == ["__init__.py", "nets.py", "settings.py", "train.py"]
    after, left = edited(script, [change("lower_learning_rate", learning_rate=0.01, from_=0.1)])
    assert left == ()
    diff = unified_diff(script, after, root=str(tmp_path))
    assert diff.startswith("--- a/sub/settings.py\n+++ b/sub/settings.py\n")
    assert changed_lines(diff) == ["-RATE = 0.1  # of everything", "+RATE = 0.01  # of everything"]
    assert_diff_applies(script, after, tmp_path)


def test_a_name_with_a_blank_is_taken_by_git(tmp_path):
    folder = tmp_path / "my net"
    folder.mkdir()
    script = saved(folder, PLAIN)
    after, _ = edited(script, [ADD])
    assert "--- a/my net/train.py\t\n" in unified_diff(script, after, root=str(tmp_path))


def test_a_missing_file_and_a_false_encoding_are_told(tmp_path):
    with pytest.raises(UsageError, match="there is none"):
        read_script(str(tmp_path / "none.py"))
    (tmp_path / "train.py").write_bytes(b"x = '\xe9'\n")
    with pytest.raises(UsageError, match="encoding"):
        read_script(str(tmp_path / "train.py"))


def test_lines_that_are_left_speak_the_script_s_own_words(tmp_path):
    text = (
        HEADER
        + "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), 0.1)\nfor x, y in data:\n    F.mse_loss(net(x), y).backward()\n    opt.step()\n"
    )
    code = "optimizer = torch.optim.SGD(model.parameters(), lr=0.01)  # was lr=0.1"
    lines = lines_to_add(
        saved(tmp_path, text), [change("lower_learning_rate", code), change("clip_gradients", "torch.nn.utils.clip_grad_norm_(model.parameters(), 1)")]
    )
    assert "# train.py, instead of line 5, where the optimizer is made:\nopt = torch.optim.SGD(net.parameters(), lr=0.01)" in lines
    assert "# train.py, around line 8, where the optimizer steps:\ntorch.nn.utils.clip_grad_norm_(net.parameters(), 1)" in lines
    assert lines_to_add(saved(tmp_path, text), []) == ""


def test_every_node_stands_where_its_text_stands():
    for path in SCRIPTS.glob("*.py"):
        source = Program(read_script(str(path))).main
        assert source.module.code.encode() == source.raw == path.read_bytes()
