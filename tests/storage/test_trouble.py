"""One clear sentence for each kind of trouble."""

import errno

import pytest

from kazami.storage.trouble import trouble


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "x"), "full"),
        (OSError(errno.EDQUOT, "x"), "full"),
        (OSError(errno.EFBIG, "x"), "full"),
        (PermissionError(errno.EACCES, "x"), "denied"),
        (PermissionError("an object store's"), "denied"),
        (OSError(errno.EROFS, "x"), "denied"),
        (FileNotFoundError(errno.ENOENT, "x"), "gone"),
        (NotADirectoryError(errno.ENOTDIR, "x"), "gone"),
        (FileExistsError(errno.EEXIST, "x"), "file"),
        (RuntimeError("first\nsecond"), "RuntimeError"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_sentence_names_the_place_and_what_to_do(error, kind):
    found = trouble(error, "runs/a")
    assert found.kind == kind
    for sentence in (found.at_start(), found.while_writing()):
        assert "runs/a" in sentence
        assert "--run DIR" in sentence
        assert "\n" not in sentence
    assert "training goes on" in found.while_writing()
