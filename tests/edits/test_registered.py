"""Layers in a list, registered."""

import pytest

from tests.edits.asserts import HEADER, change, refused, written, written_into

LIST = change("register_modules", containers={"layers": "ModuleList"})


def test_a_list_is_wrapped(tmp_path):
    assert written(tmp_path, "lost_layers.py", LIST) == [
        "-        self.layers = [nn.Linear(width, width) for _ in range(depth)]",
        "+        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])",
    ]


@pytest.mark.parametrize(
    ("old", "kind", "new"), [("[]", "ModuleList", "nn.ModuleList()"), ("{}", "ModuleDict", "nn.ModuleDict()"), ("stack", "ModuleList", "nn.ModuleList(stack)")]
)
def test_an_empty_one_and_a_name(tmp_path, old, kind, new):
    text = HEADER + f"class N(nn.Module):\n    def __init__(self, stack):\n        super().__init__()\n        self.layers = {old}  # here\n"
    lines = written_into(tmp_path, text, change("register_modules", containers={"layers": kind}))
    assert lines[1] == f"+        self.layers = {new}  # here"


def test_a_class_that_is_no_module_and_two_that_are_one_are_refused(tmp_path):
    text = "class {}({}):\n    def __init__(self):\n        super().__init__()\n        self.layers = []\n"
    assert refused(tmp_path, HEADER + text.format("A", "object"), LIST)
    assert refused(tmp_path, HEADER + text.format("A", "nn.Module") + text.format("B", "nn.Module"), LIST)
