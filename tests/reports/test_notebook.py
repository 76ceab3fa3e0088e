"""Records in a notebook: escaped, in both languages, without names that could meet; and a real notebook, executed."""

import json
import re
from html import unescape

import numpy as np
import pytest

from kazami.records import Evidence, Finding, Findings, Prescription, Regime, Sentence
from kazami.records.estimate import Estimate, Remark
from kazami.reports.notebook import html_of, text_of
from tests.reports import proofs

EVIL = '<script>alert("&")</script>'
FINDING = Finding(
    "KZ104",
    "dead_units",
    "error",
    0.93,
    3,
    EVIL,
    Sentence(f"Half of `fc1` is dead {EVIL}.", "半分が死んでいます。"),
    evidence=(Evidence(EVIL, 0.5, 0.4, source=EVIL),),
    prescriptions=(Prescription("a", {}, f"x = '{EVIL}'", Sentence("Do this.", "これ"), order=0),),
    not_the_cause=(Sentence(f"not {EVIL}", "違う"),),
)
ESTIMATE = Estimate(name="exponent", value=0.5, uncertainty=0.1, local=np.array([0.4, 0.6, 0.5]), steps=3, warnings=(Remark(EVIL, "警告"),))
REGIME = Regime("periodic", Sentence("Every third step.", "3 ステップごと"), (Evidence("mismatch", 0.0, 0.05),), {"period": 3}, 0.95)
THINGS = {"finding": FINDING, "findings": Findings([FINDING, FINDING]), "estimate": ESTIMATE, "regime": REGIME, "proof": proofs.cured()}


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", THINGS)
def test_nothing_of_the_user_is_markup_and_nothing_is_asked_of_a_network(name, language) -> None:
    html = html_of(THINGS[name], language)
    assert "<script" not in html  # a frame's page stands escaped in its attribute
    assert not re.search(r'\b(?:src|href)="?https?:', html)
    assert ' id="' not in re.sub(r'srcdoc="[^"]*"', "", html)  # several in one notebook
    if name == "proof":
        assert "allow-same-origin" not in html
        assert "Content-Security-Policy" in unescape(html)


def test_a_finding_says_all_it_knows() -> None:
    html = html_of(FINDING)
    for wanted in ("KZ104 dead_units", "<code>fc1</code>", "certain (0.93)", "Do this.", "Not the cause (1)", "0.4"):
        assert wanted in html, wanted


def test_the_numbers_of_an_estimate_and_a_regime_are_there() -> None:
    assert "0.5 ± 0.1" in html_of(ESTIMATE)
    assert "<polyline" in html_of(ESTIMATE)
    assert "period = 3" in html_of(REGIME)
    spectrum = Estimate(name="spectrum", value=np.array([0.1, -0.2]), uncertainty=np.array([0.01, np.nan]), local=np.zeros((5, 2)), steps=5)
    assert "0.1 ± 0.01, -0.2" in html_of(spectrum)


def test_an_estimate_of_nothing_is_no_mistake() -> None:
    assert "NaN" in html_of(Estimate(name="exponent", value=float("nan"), uncertainty=float("nan"), local=np.array([]), steps=0))


def test_where_there_is_no_html_there_is_text() -> None:
    assert text_of(Findings([FINDING])).startswith("KZ104 dead_units (error): Half of")
    assert text_of(Findings()) == "Nothing wrong found"
    assert text_of(REGIME, "ja") == "periodic (P): 3 ステップごと"
    assert text_of(ESTIMATE) == "exponent: 0.5 ± 0.1 1/step"
    assert "Cured and proved" in text_of(proofs.cured())


@pytest.mark.parametrize("name", THINGS)
def test_every_record_offers_both_to_a_notebook(name, monkeypatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    bundle = THINGS[name]._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/html"] == THINGS[name]._repr_html_() == html_of(THINGS[name], "ja")


def test_findings_are_an_ordinary_list() -> None:
    assert Findings([FINDING]) == [FINDING]
    assert json.dumps(Findings()) == "[]"


CELLS = [
    """import kazami, torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(*[part for _ in range(6) for part in (nn.Linear(16, 16), nn.Sigmoid())], nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x = torch.randn(64, 16)
with kazami.watch(model, optimizer) as w:
    for _ in range(30):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
        optimizer.step()
w""",
    "w",
    "w.findings",
    "w.findings[0]",
]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # another package's warnings are not ours
def test_a_real_notebook_shows_the_report_twice_and_the_cards() -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    shown = [cell.outputs[-1].data for cell in notebook.cells]
    assert all(one["text/html"].startswith("<iframe") for one in shown[:2])
    assert shown[0]["text/markdown"].startswith("# ")
    assert all("<iframe" not in one["text/html"] and "KZ" in one["text/html"] for one in shown[2:])
    assert shown[2]["text/plain"].startswith("KZ")
