"""What was measured, beside other tools: the tables of benchmarks/results, with the goals that were missed first."""

import ast
import json
from typing import Any

from .staging import ROOT, Pages
from .tables import table

RESULTS = ROOT / "benchmarks" / "results"
# The files of which the whole is a comparison with another tool; of the rest the figures that name none are kazami's own.
PEERS = (
    "JAX",
    "vmap",
    "torch.compile",
    "PyHessian",
    "hessian-eigenthings",
    "curvlinops",
    "deep-lyapunov",
    "loss-landscapes",
    "naive",
    "gradcheck",
    "torch,",
    "range_test",
)
LEAD = """# Measured, beside other tools

Every number on this page is read from `benchmarks/results/*.json`, which the scripts in `benchmarks/` write; none was typed. How they were taken, on which
machine and what they hide stands in [benchmarks](benchmarks.md). *Interval* is that of resampled rounds. Goals were set before the measurements; a missed one
stays on the page.
"""


def pages() -> Pages:
    """Return the page of what was measured."""
    results = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(RESULTS.glob("*.json"))}
    figures = [figure for one in results.values() if isinstance(one, dict) for figure in one["figures"]]
    with_goal = [figure for figure in figures if figure["goal"] is not None]
    missed = [figure for figure in with_goal if figure["missed"]]
    parts = [LEAD, f"## Goals missed\n\n{len(missed)} of {len(with_goal)} goals are missed.", _figures(missed) if missed else ""]
    parts += [section(name, one) for name, one in results.items()]
    return {"measured.md": "\n\n".join(part for part in parts if part) + "\n"}


def section(name: str, result: Any) -> str:
    """Return the section of one benchmark: what its script says of itself, and its figures."""
    script = ROOT / "benchmarks" / f"{name}.py"
    lead = (ast.get_docstring(ast.parse(script.read_text("utf-8"))) or "").partition("\n\n")[0].replace("\n", " ") if script.exists() else ""
    head = f"## {name.replace('_', ' ').capitalize()}\n\n{lead}"
    if isinstance(result, list):
        return f"{head}\n\n{_onsets(result)}"
    figures = result["figures"]
    beside = [figure for figure in figures if any(peer in figure["name"] + figure["note"] for peer in PEERS)]
    own = [figure for figure in figures if figure not in beside]
    parts = [head, f"Python {result['python']}, {result['machine']}."]
    parts += [f"### Beside other tools\n\n{_figures(beside)}"] if beside and own else [_figures(beside)] if beside else []
    parts += [f"### Alone\n\n{_figures(own)}" if beside else _figures(own)] if own else []
    return "\n\n".join(parts)


def _figures(figures: list[dict[str, Any]]) -> str:
    from kazami.reports.numerals import short

    rows = []
    for figure in figures:
        goal = "" if figure["goal"] is None else f"{short(figure['goal'])} **missed**" if figure["missed"] else f"{short(figure['goal'])} reached"
        interval = f"{short(figure['low'])} – {short(figure['high'])}" if figure["low"] != figure["high"] else ""
        rows.append((figure["name"], f"{short(figure['value'])} {figure['unit']}", interval, str(figure["n"]), goal, figure["note"]))
    return table(("figure", "value", "interval", "n", "goal", "note"), rows)


def _onsets(tasks: list[dict[str, Any]]) -> str:
    """Return the table of learning rates found by kazami and by the other ways."""
    from kazami.reports.numerals import short

    rows = []
    for task in tasks:
        first = (task["task"], "kazami.onset_of_chaos", short(task["fastest"]), "", "proved" if task["is_proved"] else "not proved")
        rows.append(first)
        for rival in task["rivals"]:
            low, high = rival["interval"] or (None, None)
            ratio = f"{short(rival['ratio'])} ({short(low)} – {short(high)})"
            rows.append((task["task"], rival["name"], short(rival["learning_rate"]), ratio, rival["verdict"]))
    return table(("task", "way", "learning rate", "its time over kazami's", "outcome"), rows)
