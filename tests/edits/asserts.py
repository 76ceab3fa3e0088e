"""What every edit must keep, and the scripts that edits are tried on."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kazami.edits import Script, diff_bytes, edited, encoded, read_script, unified_diff
from kazami.records.finding import Prescription, Sentence

SCRIPTS = Path(__file__).parent / "scripts"
LOOP = """net = nn.Linear(2, 2)
opt = torch.optim.SGD(net.parameters(), 0.1)
for x, y in data:
    z = net(x)
    loss = {loss}
    loss.backward()
    opt.step()
"""
HEADER = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def change(name: str, code: str = "", **parameters: Any) -> Prescription:
    """Return a prescription; a parameter that is a word of Python has an underscore behind it (``from_``)."""
    return Prescription(name, {key.rstrip("_"): value for key, value in parameters.items()}, code, Sentence("", ""))


def changed_lines(diff: str) -> list[str]:
    """Return the lines that a diff takes away and adds, without its headers."""
    return [line for line in diff.split("\n") if line.startswith(("-", "+")) and not line.startswith(("---", "+++"))]


def written(folder: Path, name: str, *changes: Prescription) -> list[str]:
    """Return the lines that edits change in one of the scripts; asserts that all could be written and what every edit must keep."""
    return written_into(folder, (SCRIPTS / name).read_text(encoding="utf-8"), *changes)


def written_into(folder: Path, text: str, *changes: Prescription) -> list[str]:
    """Return the lines that edits change in a text; asserts that all could be written and what every edit must keep."""
    script = saved(folder, text)
    after, left = edited(script, changes)
    assert [one.name for one in left] == []
    assert_diff_applies(script, after, folder)
    return changed_lines(unified_diff(script, after, root=str(folder)))


def refused(folder: Path, text: str, *changes: Prescription) -> bool:
    """Return whether none of the changes is written, and the text stays."""
    script = saved(folder, text)
    after, left = edited(script, changes)
    return len(left) == len(changes) and after.files == script.files


def saved(folder: Path, text: str) -> Script:
    """Return a script with this text, saved as ``train.py`` byte for byte."""
    (folder / "train.py").write_bytes(encoded(text))
    return read_script(str(folder / "train.py"))


def assert_diff_applies(before: Script, after: Script, folder: Path) -> None:
    """Assert that git takes the diff, that it gives the very bytes of the edited files, and that those compile."""
    (folder / "change.patch").write_bytes(diff_bytes(before, after, root=str(folder)))
    for command in (["git", "apply", "--check", "change.patch"], ["git", "apply", "change.patch"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for path, text in after.files.items():
        assert Path(path).read_bytes() == encoded(text)
        compile(encoded(text), path, "exec")


def runs(folder: Path, changes: Sequence[Prescription], name: str) -> None:
    """Assert that an edited script runs to its end; for scripts of a second or two."""
    import runpy

    script = saved(folder, (SCRIPTS / name).read_text(encoding="utf-8"))
    after, left = edited(script, changes)
    assert not left
    Path(after.main).write_bytes(encoded(after.files[after.main]))
    runpy.run_path(after.main, run_name="__main__")
