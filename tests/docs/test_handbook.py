"""The site: the same tree in both languages, nothing half translated, what is generated is up to date, and no page loads anything from outside."""

import json
import re
import subprocess
import sys

import pytest
from tools.handbook import building, calibration, findings, gallery, scores, staging, transcript, wind, words
from tools.handbook.outside import outside_of_page, outside_of_site

from kazami.cli.documents import all_documents, schema
from kazami.diagnosis import all_rules
from kazami.lab import all_experiments
from kazami.patients import all_patients
from tests.house.tree import ROOT

DOCS = ROOT / "docs"
TREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS_KANA = re.compile(r"[ぁ-んァ-ン]")


@pytest.fixture(scope="module")
def pages():
    return building.all_pages()


def without_ending(names):
    return {name.rsplit(".", 1)[0] for name in names}


def test_both_languages_have_the_same_pages(pages):
    assert without_ending(pages["en"]) == without_ending(pages["ja"])
    assert len(pages["en"]) > 150


def test_every_page_is_in_a_table_of_contents_of_both_languages(pages):
    for language, found in pages.items():
        reached = {"index"}
        for name, text in found.items():
            folder = name.rpartition("/")[0]
            for tree in TREE.findall(text):
                entries = [line.strip() for line in tree.splitlines() if line.strip() and not line.startswith(":")]
                reached |= {f"{folder}/{entry}".lstrip("/") for entry in entries if "*" not in entry}
                reached |= {page for entry in entries if "*" in entry for page in without_ending(found) if page.startswith(entry.rstrip("*"))}
        assert without_ending(found) - reached == set(), language
        assert reached - without_ending(found) == set(), language


def test_a_japanese_page_is_japanese_or_says_that_it_is_not_and_leads_to_the_english_one(pages):
    own = {*staging.written("ja"), *building.generated("ja")}
    for name, text in pages["ja"].items():
        assert NEEDS_KANA.search(text), name
        if name not in own:
            page = name.removesuffix(".md")
            up = "../" * (page.count("/") + 1)
            assert f'href="{up}en/{page}.html"' in text, name
            assert "日本語版はまだありません" in text, name


@pytest.mark.parametrize("name", sorted(file.relative_to(DOCS / "ja").as_posix() for file in (DOCS / "ja").rglob("*.md")))
def test_a_translation_shows_the_commands_of_its_original(name):
    """A command that its original does not show is an old one, or a new one that was not carried over."""
    english, japanese = ((DOCS / folder / name).read_text(encoding="utf-8") for folder in (".", "ja"))
    commands = [{line.partition("  ")[0].strip() for line in text.splitlines() if re.match(r"(\$ )?kazami [a-z]", line)} for text in (english, japanese)]
    assert commands[1] <= commands[0]


def test_a_stranger_among_the_translations_is_refused(monkeypatch):
    monkeypatch.setattr(staging, "written", lambda language: {"no_such_page.md": "# x"} if language == "ja" else {})
    with pytest.raises(ValueError, match="no_such_page"):
        staging.japanese({"index.md": "# x"}, {})


def test_a_new_page_beside_the_others_needs_no_list_edited():
    front = "```{toctree}\nold\n(others)\n```\n"
    found = staging.with_others({"index.md": front, "old.md": "# Old", "new.md": "# New", "findings/x.md": "# X"})
    assert found["index.md"] == "```{toctree}\nold\nnew\n```\n"


def test_links_out_of_docs_lead_to_pages_or_copies():
    text = "[a](../README.md#x) ![b](images/report.png) [c](../examples/stuck.py) [d](https://arxiv.org/x) [e](tutorial/diabetes.py)\n"
    code = "```\n[f](../README.md)\n```\n"
    found = staging.resolved(text + code, DOCS / "index.md")
    expected = "[a](index.md#x) ![b](images/report.png) [c](files/examples/stuck.py) [d](https://arxiv.org/x) [e](files/docs/tutorial/diabetes.py)\n"
    assert found == expected + code
    assert staging.copies({"index.md": found}) == {"examples/stuck.py", "docs/tutorial/diabetes.py"}


def test_a_folder_leads_to_the_page_that_shows_it_or_is_refused():
    assert (
        staging.resolved("[a](schemas) [b](../examples/plugin) [c](../examples/plugin/README.md)\n", DOCS / "json.md")
        == "[a](schemas.md) [b](plugin.md) [c](plugin.md)\n"
    )
    with pytest.raises(ValueError, match=r"links to the folder examples/ci.*its files"):
        staging.resolved("[a](../examples/ci)\n", DOCS / "json.md")


def test_japanese_sentences_have_no_gaps_where_their_source_breaks_the_line(pages):
    assert staging.joined("最初の\n  行、\n`x` の\n\n次\n- 項\n```\n一\n二\n```\n") == "最初の行、\n`x` の\n\n次\n- 項\n```\n一\n二\n```\n"
    prose = {name: re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL) for name, text in pages["ja"].items()}
    assert [name for name, text in prose.items() if staging.BROKEN.search(text)] == []


def test_no_page_stands_twice_in_the_navigation(pages):
    for language, found in pages.items():
        listed = [line.strip() for tree in TREE.findall(found["index.md"]) for line in tree.splitlines() if line.strip() and not line.startswith(":")]
        assert sorted(listed) == sorted(set(listed)), language


def test_every_document_of_json_is_shown_with_its_keys(pages):
    page = pages["en"]["schemas.md"]
    for name, kind in all_documents().items():
        shown = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert f"files/docs/schemas/{name}.json" in shown
        assert all(f"`{key}`" in shown for key in schema(name)["properties"]), name
        assert all(f"`{command}`" in shown for command in kind.commands), name


def test_every_word_leads_to_findings_and_pages_that_exist(pages):
    names = {rule.name for rule in all_rules()}
    for entry in words.entries():
        assert entry["en"], entry
        assert entry["ja"], entry
        assert set(entry["findings"]) <= names, entry
        assert entry["findings"], entry
        if "page" in entry:
            page, _, anchor = entry["page"].partition("#")
            headings = re.findall(r"^#+ (.+)$", pages["en"][page], re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert not anchor or anchor in slugs, entry
    assert all(f"findings/{rule.id}-{rule.name}.md" in pages[language]["words.md"] for rule in all_rules() for language in pages)


@pytest.mark.parametrize(
    ("said", "language", "name"), [("損失が下がらない", "ja", "no_progress"), ("loss not decreasing", "en", "no_progress"), ("RuntimeError", "en", "nan_inf")]
)
def test_the_words_of_people_are_found(pages, said, language, name):
    (row,) = [line for line in pages[language]["words.md"].splitlines() if said in line]
    assert f"-{name}.md" in row


def test_every_finding_has_cures_and_scores_from_the_code(pages):
    for rule in all_rules():
        for language, found in pages.items():
            page = found[f"findings/{rule.id}-{rule.name}.md"]
            assert scores.section(rule.name, language) in page
            assert findings.cures_of(rule.name, language) in page
    assert "`clip_gradients`" in pages["en"]["findings/KZ102-exploding_gradient.md"]


def test_scores_count_what_they_say():
    rows = [
        {"label": "nan_inf", "true": ["nan_inf"], "early": [], "whole": ["nan_inf"]},
        {"label": "nan_inf", "true": ["nan_inf"], "early": ["nan_inf"], "whole": ["nan_inf"]},
        {"label": None, "true": [], "early": [], "whole": ["nan_inf"]},
    ]
    counted = scores.counts("nan_inf", rows)
    assert counted == {"caught": {"early": [1, 2], "whole": [2, 2]}, "right": {"early": [1, 1], "whole": [2, 3]}, "alarms": {"early": [0, 1], "whole": [1, 1]}}
    assert "| true where it was named | 1 / 1 (100%) | 2 / 3 (67%) |" in scores.shown(counted, "en")


def test_a_ledger_is_counted_by_finding_and_names_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "PLACE", tmp_path / "scores.json")
    result = {"label": "nan_inf", "true": ["nan_inf"], "early": [], "whole": ["nan_inf"]}
    lines = [
        {"code": "x", "kind": "diagnosis", "name": "somebody", "result": {**result, "whole": []}},
        {"code": "y", "kind": "diagnosis", "name": "somebody", "result": result},
    ]
    (tmp_path / "ledger.jsonl").write_text(
        "\n".join(json.dumps(line) for line in [*lines, {"code": "y", "kind": "cure within 60 s", "name": "b", "result": {}}])
    )
    assert scores.main([str(tmp_path / "ledger.jsonl")]) == 0
    assert "somebody" not in scores.PLACE.read_text()
    assert "| named where it is the planted cause | 0 / 1 (0%) | 1 / 1 (100%) |" in scores.section("nan_inf", "en")


def test_the_wind_is_sorted_by_the_band():
    low, high = wind.band()
    assert wind.kind_of([low, high]) == "all"
    assert wind.kind_of([low - 1, 0.0]) == "calm"
    assert wind.kind_of([low - 1, high + 1]) == wind.kind_of([None]) == "storm"
    assert [round(end, 4) for end in wind.wilson(0, 10)] == [0.0, 0.2775]  # 1 - (1 + z²/n)⁻¹


def test_what_was_counted_is_of_patients_that_exist():
    rows = json.loads(calibration.PLACE.read_text(encoding="utf-8"))
    labels = {patient.name: patient.label for patient in all_patients("calibration")}
    assert {row["name"]: row["label"] for row in rows}.items() <= labels.items()


def test_the_gallery_is_that_of_todays_experiments():
    kept = {file.stem for file in gallery.PLACE.glob("*.json")}
    experiments = {one.name: one for one in all_experiments()}
    assert kept <= set(experiments)
    old = sorted(name for name in kept if not gallery.is_kept(experiments[name]))
    assert old == [], "run: python -m tools.handbook.gallery"
    shown = {
        name
        for name in kept
        for file in json.loads((gallery.PLACE / f"{name}.json").read_text(encoding="utf-8"))["figures"].values()
        if (gallery.PLACE / file).is_file()
    }
    assert shown == kept


def test_both_tutorials_type_the_same_commands_and_show_todays_script():
    texts = {language: page.read_text(encoding="utf-8") for language, page in transcript.PAGES.items()}
    assert transcript.commands(texts["en"]) == transcript.commands(texts["ja"])
    for text in texts.values():
        outputs = transcript.said(text)
        assert outputs["cat diabetes.py"] == (transcript.FILES / "diabetes.py").read_text(encoding="utf-8")
        assert [command for command, output in outputs.items() if not output] == []
        mishaps = ("Error:", "Error (", "mistake of its own", "could not be", "Traceback", "warning:")  # typed in while something was broken
        assert [word for word in mishaps if any(word in output for output in outputs.values())] == []


def test_a_transcript_holds_what_was_said(tmp_path):
    (tmp_path / "a.txt").write_text("one\n")
    text = "x\n```console\n$ cat a.txt\nold\n$ kazami cure a > b.txt\nproof\n```\ny\n```console\n$ cat b.txt\n-1\n```\n"
    type_in = transcript.keeping_cures(transcript.typed_in(tmp_path, "en"), tmp_path, transcript.said(text))
    assert transcript.filled(text, type_in) == text.replace("old", "one")


def test_what_loads_from_outside_is_found():
    assert outside_of_page('<link rel="stylesheet" href="https://cdn.org/a.css"><style>@import "//x.org/b.css"</style><a href="https://ok.org">') == [
        "https://cdn.org/a.css",
        "//x.org/b.css",
    ]
    assert outside_of_page('<script src="_static/a.js"></script><link rel="next" href="https://x.org"><img src="data:image/png;base64,AA">') == []


def test_every_formula_becomes_mathml(pages):
    pytest.importorskip("latex2mathml", reason="needs the group docs")
    from tools.handbook.mathml import mathml

    formulas = 0
    for text in pages["en"].values():
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
        for block, inline in re.findall(r"\$\$(.+?)\$\$|(?<![\\$])\$(?![\s$])([^$\n]+?)\$", prose, re.DOTALL):
            assert mathml(block or inline, is_display=bool(block)).startswith("<math")
            formulas += 1
    assert formulas > 200


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("sphinx", reason="needs the group docs")
    pytest.importorskip("furo", reason="needs the group docs")
    place = tmp_path_factory.mktemp("site")
    # In a process of its own, as `make docs` builds it: what Sphinx warns of its own code is no error of ours, what it warns of a page is.
    done = subprocess.run([sys.executable, "-m", "tools.handbook", str(place)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place / "html"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_site_builds_without_a_warning_and_loads_nothing_from_outside(site, pages):
    assert outside_of_site(site) == {}
    for language, found in pages.items():
        built = {file.relative_to(site / language).as_posix() for file in (site / language).rglob("*.html")}
        assert {f"{name.rsplit('.', 1)[0]}.html" for name in found} <= built
        other = "ja" if language == "en" else "en"
        for name in without_ending(found):
            html = (site / language / f"{name}.html").read_text(encoding="utf-8")
            switch = re.search(rf'<a lang="{other}" hreflang="{other}" href="([^"]+)"', html)
            assert (site / language / name).parent.joinpath(switch[1]).resolve().is_file(), name


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_tutorial_still_says_what_it_shows(tmp_path):
    """But for the cure, whose proof is kept: the words of the verdicts are those of today."""
    text = transcript.PAGES["en"].read_text(encoding="utf-8")
    (tmp_path / "diabetes.py").write_text((transcript.FILES / "diabetes.py").read_text(encoding="utf-8"))
    before = transcript.said(text)
    after = transcript.said(transcript.filled(text, transcript.keeping_cures(transcript.typed_in(tmp_path, "en"), tmp_path, before)))
    for command, output in before.items():
        causes = [[line for line in said.splitlines() if line.startswith(("Cause", "Where", "exit code"))] for said in (output, after[command])]
        assert causes[0] == causes[1], command
