r"""The steps' formulas as MathML, with the names of the picture: X comes in, H is in between, Y comes out, T is what Y should be."""

import re
from html import escape

from .backprop_graph import output_name

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\,|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_LETTERS = {r"\varphi": "φ", r"\delta": "δ", r"\sigma": "σ", r"\partial": "∂"}
_SIGNS = {r"\odot": "⊙", r"\leq": "≤", r"\sum": "∑", "-": "−"}
_FUNCTIONS = {r"\tanh": "tanh", r"\max": "max", r"\ln": "ln"}
_SPACES = {r"\quad": "1em", r"\,": "0.17em"}
_JAPANESE = {"examples": "例", "entries": "要素の数", "mean": "平均", " if ": "（", " else ": "）、それ以外は "}


def formula_math(latex: str, last: int, language: str) -> str:
    r"""Return one of the steps' formulas as MathML.

    Args:
        latex: From a :class:`.backpropagation.Step`; what is understood is the little LaTeX that these use.
        last: Number of layers, so that the last output can be called Y.
        language: Of the words in it.

    Example:
        >>> formula_math(r"A_{2} = \varphi(Z_{2})", 2, "en").partition("<mo>")[0]
        '<math class="formula"><mrow><mi>Y</mi>'
    """
    left, _, right = latex.partition(r", \quad ")
    parts = [_Reader(part, last, language).group("") for part in (left, right) if part]
    if left == "A_0 = X":  # here both have one name
        parts = ["<mi>X</mi>"]
    return '<span class="apart"></span>'.join(f'<math class="formula">{part}</math>' for part in parts)


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, latex: str, last: int, language: str) -> None:
        self.tokens = [token for token in _TOKEN.findall(latex) if token.strip() or token == " "]
        self.last, self.language, self.place = last, language, 0

    def group(self, end: str) -> str:
        """Return everything up to ``end`` as one row."""
        parts: list[str] = []
        while self.place < len(self.tokens) and self.tokens[self.place] != end:
            parts.append(self._with_indices(self._atom()))
        self.place += 1
        return f"<mrow>{''.join(parts)}</mrow>"

    def _next(self) -> str:
        while self.place < len(self.tokens) and self.tokens[self.place] == " ":
            self.place += 1
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _braces(self) -> str:
        """Return the text between braces as it stands."""
        self._next()
        end = self.tokens.index("}", self.place)
        text = "".join(self.tokens[self.place + 1 : end])
        self.place = end + 1
        return text

    def _atom(self) -> str:
        token = self._next()
        self.place += 1
        if token == "{":
            return self.group("}")
        if token in (r"\text", r"\mathrm"):
            return self._word(self._braces())
        if token == r"\tfrac":
            top, bottom = self._atom(), self._atom().replace(">例<", ">例の数<")
            return f'<mstyle displaystyle="false"><mfrac>{top}{bottom}</mfrac></mstyle>'
        if token in ("A", "Y"):
            return self._output(token)
        if token in _FUNCTIONS:
            return f"<mi>{_FUNCTIONS[token]}</mi>"
        if token in _SPACES:
            return f'<mspace width="{_SPACES[token]}"/>'
        return _leaf(token)

    def _word(self, word: str) -> str:
        said = _JAPANESE.get(word, word) if self.language == "ja" else word
        return f"<mi>{said}</mi>" if word == "softmax" or (word == "mean" and self.language == "en") else f"<mtext>{said.replace(' ', chr(0xA0))}</mtext>"

    def _output(self, letter: str) -> str:
        """Return X, H with its index, or Y for the output of a layer, and T for the target, which the code calls Y."""
        if letter == "Y":
            return "<mi>T</mi>"
        self.place += 1
        number = self.tokens[self.place] if self._next() != "{" else self._braces()
        self.place += number == self._next()
        name = output_name(int(number), self.last)
        return f"<msub><mi>H</mi><mn>{number}</mn></msub>" if name.startswith("H") else f"<mi>{name}</mi>"

    def _with_indices(self, base: str) -> str:
        below, above = "", ""
        while self._next() in ("_", "^", "'"):
            sign = self.tokens[self.place]
            self.place += 1
            if sign == "'":
                above = "<mo>′</mo>"
            elif sign == "_":
                below = self._atom()
            else:
                above = "<mi>T</mi>" if self._next() == r"\top" else self._atom()
                self.place += self._next() == r"\top"
        if below and above:
            return f"<msubsup>{base}{below}{above}</msubsup>"
        return f"<msub>{base}{below}</msub>" if below else f"<msup>{base}{above}</msup>" if above else base


def _leaf(token: str) -> str:
    if token in _LETTERS:
        return f"<mi>{_LETTERS[token]}</mi>"
    if token in _SIGNS:
        return f"<mo>{_SIGNS[token]}</mo>"
    if token in ("", r"\textstyle"):
        return ""
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    if token in "()[]":
        return f'<mo stretchy="false">{token}</mo>'
    return f"<mi>{token}</mi>" if token.isalpha() else f"<mo>{escape(token)}</mo>"
