"""What pages state of the code in so many words: counts, names, files, variables, keys, exit codes."""

import re
from functools import cache
from importlib import import_module

import pytest
from tools.handbook.commands import all_commands

import kazami
from kazami import errors
from kazami.cli.documents import schema
from kazami.diagnosis import all_rules
from kazami.lab import all_experiments
from kazami.lab.claims import all_claims
from kazami.nets import all_activations
from tests.docs.test_snippets import JAPANESE
from tests.house.tree import PLUGIN_ROOMS, ROOT

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen")
NUMBER = rf"(\d+|{'|'.join(WORDS)})"
PANELS = ROOT / "src" / "kazami" / "tour" / "panels"
COUNTS = {
    rf"\b{NUMBER} findings, each with its page": lambda: len(list(all_rules())),
    rf"\b{NUMBER} claims with their conditions": lambda: len(all_claims()),
    rf"works: {NUMBER} of them, every number computed": lambda: len(all_activations()),
    rf"works: {NUMBER} rooms, an example package": lambda: len(PLUGIN_ROOMS),
    rf"\b{NUMBER} panels\b": lambda: len([file for file in PANELS.glob("*.py") if not file.name.startswith("_")]),
    rf"works: {NUMBER} methods, many starts": lambda: len(import_module("kazami.cli.lab.descent_command").METHODS),
}
PAGES = tuple(
    str(file.relative_to(ROOT))
    for file in (ROOT / "README.md", ROOT / "README.ja.md", ROOT / "CONTRIBUTING.md", ROOT / "examples/plugin/README.md", *(ROOT / "docs").rglob("*.md"))
    if "_build" not in file.parts and "decisions" not in file.parts and file.name != "LOG.md"
)
OUTSIDE = ("torch.nn", "torch.optim", "torch.utils")
ROOMS = "nets|surfaces|dynamics|derivatives|maps|signals|sweeps|engines|curvature|trainability|diagnosis|cures|storage|records|sinks"
NAME = re.compile(rf"`((?:kazami|{ROOMS})(?:\.\w+)+)")
FOREIGN = {"--run-path"}  # torchrun's
NOT_YET = re.compile(r"_build|alike_samples|my_")  # built, or the guide's own


@cache
def text(page: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def number(word: str) -> int:
    """Return the number that a word or its digits say."""
    return int(word) if word.isdigit() else WORDS.index(word)


@pytest.mark.parametrize("pattern", COUNTS)
def test_a_count_is_that_of_the_code(pattern):
    said = {page: {number(word) for word in re.findall(pattern, text(page))} for page in PAGES}
    said = {page: numbers for page, numbers in said.items() if numbers}
    assert said, "the sentence has changed: change the pattern"
    assert said == {page: {COUNTS[pattern]()} for page in said}


def test_the_rows_of_features_are_counted():
    page = text("docs/features.md")
    numbered, works, partly, not_yet = map(int, re.search(r"Of the (\d+) numbered rows (\d+) work, (\d+) work partly and (\d+) not yet", page).groups())
    today = re.findall(r"^\| M\d+\.\d+(?: \(\+\))? \|[^|]*\| (works|partly|not yet)", page, re.MULTILINE)
    assert (len(today), today.count("works"), today.count("partly"), today.count("not yet")) == (numbered, works, partly, not_yet)


def resolves(name: str) -> bool:
    """Return whether a dotted name, read from ``kazami`` or from one of its rooms, leads to something."""
    parts = name.removeprefix("kazami.").split(".")
    found = kazami
    for place, part in enumerate(parts):
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = import_module(".".join(["kazami", *parts[: place + 1]]))
            except ImportError:
                return False
    return True


@pytest.mark.parametrize("page", PAGES)
def test_names_of_python_that_a_page_mentions_exist(page):
    groups = {"kazami.integrations", "kazami.toml", "kazami.jsonl", "kazami.sarif"}
    names = {name for name in NAME.findall(text(page)) if not any(name.startswith(known) for known in groups) and name.rpartition(".")[2] not in ("py", "md")}
    assert sorted(name for name in names if not resolves(name)) == []


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_mentions_exist(page):
    named = re.findall(r"`((?:src|tests|tools|docs|examples|benchmarks|constraints|web)/[\w/.\-]*\w/?)`", text(page))
    assert sorted({name for name in named if not (ROOT / name).exists() and not NOT_YET.search(name)}) == []
    tests = {file.name for file in (ROOT / "tests").rglob("test_*.py")}
    alone = set(re.findall(r"`(test_\w+\.py)`", text(page)))
    assert sorted(alone - tests) == []


def options():
    """Return every option of every command."""
    return {name for _, command in all_commands() for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help", "--version"}


@pytest.mark.parametrize("page", PAGES)
def test_options_that_a_page_mentions_exist(page):
    """Outside of blocks, whose commands test_snippets reads; an option of another program stands behind that program's name."""
    named = set(re.findall(r"`(--[a-z][a-z-]+)\b[^`]*`", text(page)))
    assert sorted(named - options() - FOREIGN) == []


def test_variables_of_the_environment_that_pages_mention_are_read():
    read = "".join(file.read_text(encoding="utf-8") for folder in ("src", "tools") for file in (ROOT / folder).rglob("*.py"))
    named = {name for page in PAGES for name in re.findall(r"\bKAZAMI_[A-Z_]+\b", (ROOT / page).read_text(encoding="utf-8"))}
    assert named
    assert sorted(name for name in named if name not in read) == []


def test_the_keys_of_the_main_document_are_listed():
    listed = re.search(r"The document is `\{(.*?)\}`", text("docs/how-to.md"))[1]
    assert re.findall(r'"(\w+)"', listed) == schema("run")["required"]


def test_the_exit_codes_of_all_errors_are_listed():
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.KazamiError)}
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", text("docs/exit-codes.md"), re.MULTILINE)}
    assert codes | {0, 3, 4, 130} == listed


def test_every_experiment_has_its_figure_in_the_gallery():
    kept = {file.stem for file in (ROOT / "docs" / "gallery").glob("*.json")}
    assert {one.name for one in all_experiments()} - kept == set(), "python -m tools.handbook.gallery"


@pytest.mark.parametrize("page", JAPANESE)
def test_a_translation_holds_the_python_of_its_original(page):
    blocks = [
        re.findall(r"^```python\n(.*?)^```$", (ROOT / place).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL) for place in (page, f"docs/{page[8:]}")
    ]
    assert blocks[0] == blocks[1]


WHOLE = (
    "docs/ja/distributed.md",
    "docs/ja/integrations.md",
    "docs/ja/json.md",
    "docs/ja/loggers.md",
)  # translated sentence by sentence; the others are shorter


@pytest.mark.parametrize("page", WHOLE)
def test_a_whole_translation_has_the_headings_rows_items_and_code_names_of_its_original(page):
    texts = [(ROOT / place).read_text(encoding="utf-8") for place in (f"docs/{page[8:]}", page)]
    for form in (r"^#+ ", r"^\|", r"^- ", r"^```"):
        counts = [len(re.findall(form, one, re.MULTILINE)) for one in texts]
        assert counts[0] == counts[1], form
    names = [set(re.findall(r"`([a-zA-Z][\w.\-]*\w)`", re.sub(r"^```.*?^```$", "", one, flags=re.MULTILINE | re.DOTALL))) for one in texts]
    assert names[0] == names[1]


@pytest.mark.parametrize("page", [*JAPANESE, "README.ja.md"])
def test_a_page_is_called_english_only_where_there_is_no_japanese_one(page):
    translated = {place.removeprefix("docs/ja/") for place in JAPANESE}
    said = re.findall(r"\]\((?:docs/)?([\w/-]+\.md)[^)]*\)）?(?:（英語）|、英語)", text(page))
    assert sorted(set(said) & translated) == []


def test_the_japanese_readme_leads_to_japanese_pages_where_there_are_some():
    linked = set(re.findall(r"\]\(docs/([\w/-]+\.md)", (ROOT / "README.ja.md").read_text(encoding="utf-8")))
    assert sorted(linked & {place.removeprefix("docs/ja/") for place in JAPANESE}) == []
