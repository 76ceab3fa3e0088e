import pytest

from tests.docs.forks import Forks

PAGES = {"well": ("import torch\nprint(__name__)", 0, "__main__"), "raises": ("1 / 0", 1, "ZeroDivisionError"), "leaves": ("raise SystemExit(7)", 7, "")}


@pytest.fixture(scope="module")
def forks():
    found = Forks()
    yield found
    found.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_ends_as_it_would_alone_and_the_next_one_begins_anew(name, forks, tmp_path):
    code, expected, words = PAGES[name]
    (tmp_path / "page.py").write_text(f"{code}\n")
    ended, said = forks.run(tmp_path)
    assert ended == expected
    assert words in said
    assert (tmp_path / "said.txt").is_file()


def test_an_answer_that_nobody_waited_for_is_passed_over(forks, tmp_path):
    for name, code in (("first", "raise SystemExit(5)"), ("second", "pass")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.py").write_text(f"{code}\n")
    forks._server.stdin.write(f"{tmp_path / 'first'}\n")  # asked, and its test cut short
    assert forks.run(tmp_path / "second") == (0, "")
