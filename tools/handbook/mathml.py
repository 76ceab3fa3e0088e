"""Formulas as MathML, written while the pages are built: no script, no font and no network is needed to read them."""

from typing import Any

from latex2mathml.converter import convert


def mathml(formula: str, *, is_display: bool) -> str:
    """Return a LaTeX formula as a MathML element.

    Raises:
        ValueError: A command in it is not known.
    """
    made: str = convert(formula.strip(), display="block" if is_display else "inline")
    if "\\" in made:
        raise ValueError(f"The formula holds a command that cannot be drawn: {formula}")
    return made


def visit_math(translator: Any, node: Any) -> None:
    """Write an inline formula."""
    from docutils import nodes

    translator.body.append(mathml(node.astext(), is_display=False))
    raise nodes.SkipNode


def visit_math_block(translator: Any, node: Any) -> None:
    """Write a formula that stands alone."""
    from docutils import nodes

    translator.body.append(f'<div class="kazami-math">{mathml(node.astext(), is_display=True)}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx of the renderer."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.config.html_math_renderer = "mathml"
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
