"""An explanation as one self-contained page: formulas as MathML, both drawings as SVG; it opens from disk and asks nothing of any network."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from ...reports.html import fill
from ...reports.numerals import short
from ..graph import graph
from .as_text import counts
from .bipartite import bipartite_svg
from .explanation import SOFTMAX_OF, Explanation, LayerNumbers, NeuronNumbers
from .text_blocks import shape_text, shown_indices
from .words import words

_RAISED = {"ᵀ": "<mi>T</mi>", "′": "<mo>′</mo>"}
_PAGE = """<!doctype html>
<html lang="[[language]]">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>[[title]] · kazami</title>
<style>
:root { --paper: #fff; --ink: #17222c; --muted: #56636f; --line: #dde3e8; --accent: #0b5c7a; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #11181e; --ink: #e4ebf0; --muted: #9fb0bd; --line: #2c3a45; --accent: #6cc3e4; } }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic UI", sans-serif; line-break: strict; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
section { border-top: 1px solid var(--line); padding: 1.2rem 0; }
p { margin: .5rem 0 0; max-width: 46rem; } .setting, figcaption, th { color: var(--muted); font-weight: normal; }
.formula { overflow-x: auto; padding: .2rem 0; } math { font-size: 1.15rem; } math .shape { color: var(--muted); font-size: .75em; }
.both { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.5rem; align-items: start; }
figure { margin: 0; text-align: center; overflow: auto; max-height: 46rem; } figcaption { padding-bottom: .5rem; }
figure.wires svg { width: 100%; max-height: 34rem; } figure.flow svg { max-width: 100%; height: auto; }
mtable { border-inline: 1.5px solid var(--ink); border-radius: .4em; padding-inline: .2em; margin-inline: .2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .1rem 1rem .1rem 0; } td.wide { text-align: left; width: 20rem; }
.bar { display: inline-block; height: .8em; background: var(--accent); }
</style>
</head>
<body>
<h1>[[title]]</h1>
<p class="setting">[[setting]]</p>
[[sections]]
</body>
</html>
"""


def explanation_html(shown: Explanation) -> str:
    """Return the explanation as the text of one HTML file, to be written as UTF-8."""
    language = shown.language
    sections = [_one_input, _neuron, _layer, _network, _forms, _drawings, _softmax, _threshold]
    holes = {
        "language": language,
        "title": escape(words("title", language, sizes="-".join(map(str, shown.sizes)))),
        "setting": escape(words("setting", language, activation=shown.activation, seed=shown.seed)),
        "sections": "\n".join(section(shown, number) for number, section in enumerate(sections, 1)),
    }
    return fill(_PAGE, holes)


def _section(number: int, title: str, body: str, note: str) -> str:
    said = f"<p>{escape(note)}</p>" if note else ""
    return f"<section><h2>{number}. {escape(title)}</h2>{body}{said}</section>"


def _one_input(shown: Explanation, number: int) -> str:
    one = shown.one_input
    terms = ["y", "=", "φ", "(", "x", "·", "w", "+", "b", ")", "=", "φ", "(", float(one.x[0]), "·", float(one.weight[0]), "+", one.bias, ")", *_answer(one)]
    return _section(number, words("one_input", shown.language), _formula(*terms), words("one_input_note", shown.language))


def _neuron(shown: Explanation, number: int) -> str:
    one, n = shown.neuron, shown.sizes[0]
    terms = ["y", "=", "φ", "(", "x", "·", "w", "+", "b", ")", "=", "φ", "(", one.x[None], "·", one.weight[:, None], "+", one.bias, ")", *_answer(one)]
    return _section(number, words("neuron", shown.language, n=n), _formula(*terms), words("neuron_note", shown.language))


def _answer(one: NeuronNumbers) -> list[str | float]:
    return ["=", "φ", "(", one.vote, ")", "=", one.y]


def _layer(shown: Explanation, number: int) -> str:
    m = shown.sizes[1]
    body = _formula("Y", "=", "φ", "(", "X", "·", "W", "+", "b", ")") + _products(shown.layers[0], "X", "W", "b", "Y")
    return _section(number, words("layer", shown.language, m=m), body, words("layer_note" if m > 1 else "layer_note_one", shown.language))


def _products(layer: LayerNumbers, x: str, w: str, b: str, y: str) -> str:
    product = _formula(x, "·", w, "+", b, "=", layer.x, "·", layer.weight, "+", layer.bias)
    return product + _formula(y, "=", "φ", "(", layer.sums, ")", "=", layer.y)


def _network(shown: Explanation, number: int) -> str:
    n, language = len(shown.layers), shown.language
    whole = _nested(n)
    if n == 1:
        return _section(number, words("network_one", language), whole, "")
    parts = []
    for place, layer in enumerate(shown.layers, 1):
        if place <= 2 or place == n:
            before, after = "X" if place == 1 else f"H{place - 1}", "Y" if place == n else f"H{place}"
            parts.append(_formula(after, "=", "φ", "(", before, "·", f"W{place}", "+", f"b{place}", ")", "=", layer.y))
        elif place == 3:
            parts.append(_formula("⋮"))
    return _section(number, words("network", language, n=n), whole + "".join(parts), words("network_note", language))


def _nested(n: int) -> str:
    if n == 1:
        return _formula("Y", "=", "φ", "(", "X", "·", "W", "+", "b", ")")
    inner: list[str] = ["X"]
    for place in range(1, (n if n <= 3 else 2) + 1):
        inner = ["φ", "(", *inner, "·", f"W{place}", "+", f"b{place}", ")"]
    if n > 3:
        inner = ["φ", "(", "…", *inner, "…", "·", f"W{n}", "+", f"b{n}", ")"]
    return _formula("Y", "=", *inner)


def _forms(shown: Explanation, number: int) -> str:
    language, both = shown.language, shown.forms
    column, row = both.column, both.row
    arrays = {name: tensor.numpy() for name, tensor in (("W", column.weight), ("Xᵀ", column.input), ("bᵀ", column.bias), ("Y", column.output))}
    rows = {name: tensor.numpy() for name, tensor in (("X", row.input), ("W′", row.weight), ("b", row.bias), ("Y′", row.output))}
    body = f"<p>{escape(words('column', language))}</p>" + _formula("Y", "=", "W", "Xᵀ", "+", "bᵀ")
    body += _formula("=", arrays["W"], "·", arrays["Xᵀ"], "+", arrays["bᵀ"], "=", arrays["Y"])
    body += f"<p>{escape(words('row', language))}</p>" + _formula("Y′", "=", "X", "W′", "+", "b")
    body += _formula("=", rows["X"], "·", rows["W′"], "+", rows["b"]) + _formula("=", rows["Y′"])
    note = words("forms_note", language, difference=short(both.difference), stored=shape_text(column.weight.shape))
    return _section(number, words("forms", language), body, note)


def _drawings(shown: Explanation, number: int) -> str:
    language = shown.language
    alt = words("wires_alt", language, sizes="-".join(map(str, shown.sizes)), wires=f"{shown.n_wires:,}")
    wires = bipartite_svg(shown.sizes, label=alt, weights=[layer.weight for layer in shown.layers])
    flow = graph(shown.model, shown.example).to_svg(language=language)
    figures = [
        f'<figure class="{kind}"><figcaption>{escape(words(name, language))}</figcaption>{picture}</figure>'
        for kind, name, picture in (("wires", "wires_drawing", wires), ("flow", "graph_drawing", flow[flow.index("<svg") :]))
    ]
    note = words("drawings_note", language, **counts(shown)) + " " + words("solid", language)
    return _section(number, words("drawings", language), f'<div class="both">{"".join(figures)}</div>', note.strip())


def _softmax(shown: Explanation, number: int) -> str:
    language = shown.language
    lines = "".join(
        f'<tr><td>{state:g}</td><td>{value:.4f}</td><td class="wide"><span class="bar" style="width:{100 * value / max(shown.softmax):.2f}%"></span></td></tr>'
        for state, value in zip(SOFTMAX_OF, shown.softmax, strict=True)
    )
    body = f"<table><tr><th>{escape(words('state', language))}</th><th>{escape(words('probability', language))}</th><th></th></tr>{lines}</table>"
    return _section(number, words("softmax", language), body, words("softmax_note", language, total=short(round(sum(shown.softmax), 12))))


def _threshold(shown: Explanation, number: int) -> str:
    language = shown.language
    lines = "".join(
        f"<tr><td>{place}</td><td>{short(vote.vote)}</td><td>{'≥' if vote.fires else '&lt;'}</td><td>{short(vote.threshold)}</td>"
        f"<td>{'●' if vote.fires else '○'} {escape(words('fires' if vote.fires else 'silent', language))}</td></tr>"
        for place, vote in enumerate(shown.votes[:5], 1)
    )
    heads = "".join(f"<th>{escape(head)}</th>" for head in (words("neuron_name", language), words("vote", language), "", "θ", ""))
    n_left = len(shown.votes) - 5
    more = words("and_more", language, n=n_left, fired=sum(vote.fires for vote in shown.votes), total=len(shown.votes)) if n_left > 0 else ""
    body = f"<table><tr>{heads}</tr>{lines}</table>" + (f"<p>{escape(more)}</p>" if more else "")
    return _section(number, words("threshold", language), body, words("threshold_note", language))


def _formula(*terms: str | float | NDArray[np.float64]) -> str:
    """Return one line of MathML: letters (a digit behind one is its index), operators, numbers, and matrices with their shape below."""
    return f'<div class="formula"><math display="block"><mrow>{"".join(_term(term, place) for place, term in enumerate(terms))}</mrow></math></div>'


def _term(term: str | float | NDArray[np.float64], place: int) -> str:
    if isinstance(term, np.ndarray):
        return f'<munder>{_matrix(term)}<mtext class="shape">{shape_text(term.shape)}</mtext></munder>'
    if not isinstance(term, str):
        number = f"<mn>{short(float(term))}</mn>"
        return number if term >= 0 or place == 0 else f"<mrow><mo>(</mo>{number}<mo>)</mo></mrow>"
    if term[0].isalpha() and len(term) > 1 and term[1:].isdigit():
        return f"<msub><mi>{term[0]}</mi><mn>{term[1:]}</mn></msub>"
    if term[-1] in _RAISED:
        return f"<msup><mi>{term[0]}</mi>{_RAISED[term[-1]]}</msup>"
    return f"<mi>{term}</mi>" if term[0].isalpha() else f"<mo>{escape(term)}</mo>"


def _matrix(values: NDArray[np.float64]) -> str:
    rows, columns = shown_indices(values.shape[0]), shown_indices(values.shape[1])
    lines = "".join(f"<mtr>{''.join(f'<mtd>{_cell(values, row, column)}</mtd>' for column in columns)}</mtr>" for row in rows)
    return f"<mtable>{lines}</mtable>"


def _cell(values: NDArray[np.float64], row: int | None, column: int | None) -> str:
    if row is None:
        return "<mo>⋮</mo>" if column is not None else "<mo>⋱</mo>"
    return "<mo>…</mo>" if column is None else f"<mn>{short(float(values[row, column]))}</mn>"
