"""What commands write with ``--json`` today is what the published schemas say, to the last key."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest
from tools.handbook.commands import all_commands
from tools.json_schemas import files, written

from kazami.cli.documents import all_documents, schema
from kazami.errors import UnknownName
from tests.records.strictness import complaints, strict

FACTORY = """
    import torch
    from torch import nn
    import kazami

    def training():
        x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
        return kazami.Training(
            model=lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)),
            optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=0.1),
            loss=nn.functional.mse_loss,
            batches=lambda: [(x, x.sum(1, keepdim=True))],
            steps=30,
        )

    def line():
        return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), torch.randn(5, 3)
"""
SCRIPT = """
    import sys
    import torch
    from torch import nn
    torch.manual_seed(0)
    x = torch.randn(64, 4)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=float(sys.argv[1]))
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
        optimizer.step()
"""
SWEEP = """
    [training]
    factory = "factory:training"
    steps = 10
    record = ["final_loss", "max_lyapunov"]
    [factors]
    learning_rate = [0.1, 0.2]
    seed = {range = 2}
"""
QUICK = {
    "a run that ends in NaN": ("run", "run --json - --quiet train.py 1e3"),
    "the experiments": ("experiments", "lab list --json"),
}
SLOW = {
    "the plan of a sweep": ("sweep", "lab sweep sweep.toml --dry-run --json -"),
    "a healthy run": ("run", "run --json - --quiet train.py 0.1"),
    "a check": ("run", "check --json - train.py 0.1"),
    "a cure": ("cure", "cure --budget 30s --steps 20 --run cured --json - train.py 1e3"),
    "exponents": ("lyapunov", "lab lyapunov factory:training --steps 40 -k 2 --twins --json"),
    "one exponent": ("lyapunov", "lab lyapunov factory:training --steps 40 --no-twins --json"),
    "sharpness": ("sharpness", "lab sharpness factory:training --json"),
    "onset": ("onset", "lab onset factory:training --count 5 --seeds 2 --steps 30 --json -"),
    "a diagram": ("bifurcation", "lab bifurcation factory:training --lr 0.1:2 --members 6 --transient 20 --keep 8 --json -"),
    "gradients": ("gradcheck", "lab gradcheck factory:training --json"),
    "a sweep": ("sweep", "lab sweep sweep.toml --directory swept --json -"),
    "truths": ("verify", "verify --quick --json - series"),
    "engines": ("bench", "bench --quick --engine eager --json -"),
    "the tour": ("tour", "tour --json -"),
    "an experiment": ("experiment", "lab run --quick --json - residual-scaling"),
    "the catalogue of activations": ("activations", "nets activations --json"),
    "an activation": ("activations", "nets activations gelu --json"),
    "a gate": ("activations", "nets activations swiglu --json"),
    "a function of one's own": ("activations", "nets activations torch:tanh --json"),
    "a function that is none of them": ("activations", "nets activations torch:erfinv --json"),
    "a network that bends": ("collapse", "nets collapse factory:training --json"),
    "a network that is one matrix": ("collapse", "nets collapse factory:line --json"),
    "an explanation": ("explain", "nets explain 3-4-2 --json"),
    "a large explanation": ("explain", "nets explain 30-40-2 --json"),
    "layers": ("inside", "nets inside factory:training --train --json"),
    "layers of a model alone": ("inside", "nets inside factory:line --json"),
    "directions": ("sensitivity", "nets sensitivity factory:training --json"),
    "a graph": ("graph", "graph factory:training --json"),
    "backprop": ("backprop", "lab backprop --json"),
    "a claim": ("claims", "lab claims linear-layers-collapse --json"),
    "walks": ("descent", "lab descent --lr 0.1 --lr 50 --json"),
    "a formula": ("fit", "lab fit x**2 --widths 2 --seeds 1 --steps 20 --json"),
    "sources of difference": ("noise", "lab noise factory:training --steps 5 --json"),
    "a surface": ("surface", "lab surface factory:training --resolution 5 --json"),
    "a surface of eigenvectors": ("surface", "lab surface factory:training --plane hessian --resolution 5 --json"),
    "a map": ("trainability", "lab trainability --size 8 --steps 20 --json -"),
}


def writers() -> set[str]:
    """Return every command that can write JSON, with the option that asks for it, found by walking through all commands."""
    found = set()
    for words, command in all_commands():
        for option in command.params:
            if "--json" in option.opts:
                found.add(" ".join([*words, "--json"]))
            elif isinstance(option.type, click.Choice) and "json" in option.type.choices and "--json" not in str([one.opts for one in command.params]):
                found.add(" ".join([*words, option.opts[-1], "json"]))
    return found


def test_every_command_that_writes_json_has_a_schema_and_every_schema_a_command() -> None:
    described = [command for document in all_documents().values() for command in document.commands]
    assert writers() - set(described) == set(), "describe its document in kazami/cli/documents"
    assert set(described) - writers() == set()
    assert len(described) == len(set(described))


def test_every_document_is_tried() -> None:
    assert {name for name, _ in (QUICK | SLOW).values()} | {"compare"} == set(all_documents())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a script, a factory and a sweep."""
    place = tmp_path_factory.mktemp("documents")
    for name, text in {"factory.py": FACTORY, "train.py": SCRIPT, "sweep.toml": SWEEP}.items():
        (place / name).write_text(textwrap.dedent(text))
    return place


def said(folder: Path, command: str) -> object:
    """Run a command and return the document it writes."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]), "OMP_NUM_THREADS": "1", "LANG": "C"}
    done = subprocess.run([sys.executable, "-m", "kazami", *command.split()], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout, parse_constant=pytest.fail)


@pytest.mark.parametrize("what", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_a_fresh_document_is_what_its_schema_says(what, folder) -> None:
    pytest.importorskip("jsonschema", reason="the package jsonschema is not installed")
    name, command = (QUICK | SLOW)[what]
    document = said(folder, command)
    assert complaints(document, schema(name)) == []


@pytest.mark.slow
def test_a_comparison_is_what_its_schema_says(folder) -> None:
    pytest.importorskip("jsonschema", reason="the package jsonschema is not installed")
    for run, rate in (("a", "0.1"), ("b", "0.3")):
        said(folder, f"run --json - --quiet --run {run} train.py {rate}")
    assert complaints(said(folder, "compare a b --json -"), schema("compare")) == []


def test_a_document_with_a_key_that_nobody_described_is_found_out() -> None:
    pytest.importorskip("jsonschema", reason="the package jsonschema is not installed")
    good = {"schema": 1, "passed": True, "complete": True, "checks": []}
    assert complaints(good, schema("verify")) == []
    assert len(complaints({**good, "surprise": 1}, schema("verify"))) == 1
    assert len(complaints({"schema": 1, "passed": True, "complete": True}, schema("verify"))) == 1
    assert len(complaints({**good, "schema": 2}, schema("verify"))) == 1


def test_numbers_that_json_cannot_say_are_three_strings() -> None:
    pytest.importorskip("jsonschema", reason="the package jsonschema is not installed")
    check = {"group": "g", "name": "n", "expected": "Infinity", "tolerance": 0, "passed": False, "kind": "within", "unit": "", "source": ""}
    document = {"schema": 1, "passed": False, "complete": True, "checks": [{**check, "measured": "NaN"}]}
    assert complaints(document, schema("verify")) == []
    document["checks"][0]["measured"] = "much"
    assert len(complaints(document, schema("verify"))) == 1


def test_the_published_files_are_those_of_today() -> None:
    assert written() == files(), "python tools/json_schemas.py"


@pytest.mark.parametrize("name", sorted(all_documents()))
def test_every_schema_is_a_schema_and_every_key_is_explained(name) -> None:
    made = schema(name)
    places = [made, *(one for key, one in made["$defs"].items() if key != "Number")]
    assert [key for place in places for key, one in place["properties"].items() if "description" not in one] == []
    assert strict(made)["additionalProperties"] is False
    validator = pytest.importorskip("jsonschema", reason="the package jsonschema is not installed").Draft202012Validator
    validator.check_schema(made)


def test_a_misspelt_name_gets_the_closest() -> None:
    with pytest.raises(UnknownName, match='Did you mean "verify"'):
        schema("verfy")
