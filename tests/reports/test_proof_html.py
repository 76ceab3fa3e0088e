"""The page of a proof: whole, bilingual, safe, and silent on the network."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from kazami.reports import render_proof_html
from tests.reports import proofs, runs


class Elements(HTMLParser):
    """Collects elements, and complains about what is not closed."""

    VOID = frozenset({"meta", "link", "br", "img"})

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Remember the element."""
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Remember the element."""
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        """Close the innermost element, which must be this one."""
        assert self.open.pop() == tag


def page(name="cured", **options):
    return render_proof_html(runs.info("train-cure-1", 200), proofs.ALL[name](), **options)


def full(**options):
    storm, healthy = runs.storm().trace, runs.healthy().trace
    return page(diff=proofs.DIFF, before=storm, after=healthy, **options)


@pytest.mark.parametrize("name", proofs.ALL)
def test_every_element_is_closed_ids_are_unique_and_headings_go_down_by_one(name):
    elements = Elements(page(name, lines=proofs.EVIL))
    assert elements.open == []
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in elements.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_nothing_is_requested_and_a_strict_policy_forbids_it():
    text = full()
    elements = Elements(text).found
    addresses = [value for _, attributes in elements for name, value in attributes.items() if name in ("src", "href", "action")]
    assert addresses == ["data:,"]
    assert not re.search(r"url\((?!#)", text)
    policy = next(attributes["content"] for _, attributes in elements if attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not [attributes for _, attributes in elements if "style" in attributes]


def test_what_the_user_wrote_is_text_and_never_markup():
    text = page("evil", diff=f"+{proofs.EVIL}\n")
    assert proofs.EVIL not in text
    assert "<img" not in text
    assert text.count("<script>") == 1
    assert '&lt;b&gt;bold&lt;/b&gt; &amp; "quoted" 日本語' in full()


def test_the_diff_is_marked_line_by_line_and_stays_copyable():
    text = full()
    (code,) = re.findall(r'<pre id="diff"[^>]*><code>(.*?)</code>', text, re.DOTALL)
    assert re.findall(r'<span class="(\w+)">', code) == ["file", "file", "hunk", "same", "removed", "added"]
    plain = re.sub(r"<[^>]+>", "", code).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain == proofs.DIFF


def test_lines_stand_in_for_a_diff_and_code_for_both():
    assert ">model.train()</code>" in page(lines="model.train()")
    assert "optimizer = torch.optim.SGD" in page()


def test_both_languages_are_there_and_it_opens_in_the_asked_one():
    found = Elements(full(language="ja")).found
    assert found[0] == ("html", {"lang": "ja"})
    text = full()
    assert "Tried 2 changes; only this one helped." in text
    assert "2 通りの変更を試し、効いたのはこれだけでした。" in text
    assert "not the gradients: clipping them changes nothing" in text


def test_both_maps_stand_on_one_scale_and_the_same_steps():
    text = full()
    maps = re.findall(r'<svg data-en="[^"]*"[^>]* class="weather"[^>]*viewBox="0 0 (\d+) (\d+)"', text)
    assert [int(columns) for columns, _ in maps] == [120, 120]
    assert [int(rows) for _, rows in maps] == [6, 8]
    assert text.count('class="winds"') == 1


def test_without_traces_curves_or_candidates_the_page_is_shorter_and_whole():
    text = page("well")
    assert 'id="weather"' not in text
    assert 'id="tried"' not in text
    assert "Nothing to cure." in text
