"""What is built: complete, small, without a word of an address; the components' own tests and types."""

import gzip
import re
import shutil
import subprocess

import pytest

from tests.house.tree import ROOT

STATIC = ROOT / "src" / "kazami" / "app" / "static"
WEB = ROOT / "web"
MOST = 250_000  # bytes, gzipped, of everything that Observe loads
needs_node = pytest.mark.skipif(shutil.which("node") is None or not (WEB / "node_modules").is_dir(), reason="node or web/node_modules is not here")


def loaded_by(name, seen):
    """Return a chunk and all chunks it imports, found by the names in its text (dynamic imports only if they are preloaded with it)."""
    text = (STATIC / "assets" / name).read_text(encoding="utf-8")
    seen.add(name)
    for other in re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', text):
        if other not in seen:
            loaded_by(other, seen)
    return seen


def test_observe_is_small():
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    first = re.findall(r"/assets/([\w.-]+\.(?:js|css))", index)
    observe = [file.name for file in (STATIC / "assets").glob("Observe-*")]
    assert first
    assert observe
    names = set(first) | set(observe)
    for name in [name for name in names if name.endswith(".js")]:
        names |= loaded_by(name, set())
    total = sum(len(gzip.compress((STATIC / "assets" / name).read_bytes(), 9)) for name in names)
    assert 20_000 < total < MOST
    assert not any(name.startswith("landscape-") for name in names)


def test_three_dimensions_are_a_chunk_of_their_own_that_no_page_loads_by_itself():
    landscape = [file.name for file in (STATIC / "assets").glob("landscape-*.js")]
    assert len(landscape) == 1
    heavy = [file.name for file in STATIC.rglob("*.js") if "WebGLRenderer" in file.read_text(encoding="utf-8")]
    assert sorted(heavy) == sorted([*landscape, "learn-surface.js"])
    for page in (STATIC / "assets").glob("[A-Z]*.js"):
        assert landscape[0] not in loaded_by(page.name, set()), page.name


def test_no_built_file_names_an_address():
    for file in [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *(ROOT / "src/kazami/reports/static/built").glob("*")]:
        found = set(re.findall(r"(?:https?:)?//[a-z][\w-]*\.[\w.-]+", file.read_text(encoding="utf-8")))
        assert found <= {"http://www.w3.org"}, file.name


def test_the_lockfile_names_no_registry():
    assert '"resolved"' not in (WEB / "package-lock.json").read_text(encoding="utf-8")


@needs_node
@pytest.mark.parametrize(
    "command",
    [["node_modules/vitest/vitest.mjs", "run"], ["node_modules/svelte-check/bin/svelte-check", "--tsconfig", "tsconfig.json", "--fail-on-warnings"]],
    ids=["vitest", "types"],
)
@pytest.mark.slow
def test_components_and_types(command):
    done = subprocess.run(["node", *command], cwd=WEB, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
