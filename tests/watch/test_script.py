"""The same script under plain Python and under ``run_script``: stdout, stderr and exit code are the same, byte for byte."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.watch.plain_python import DRIVER, Place


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


# Name: (script, exit code, the ending that ``after`` is told). Each is called ``train.py`` and is given two arguments.
ALIKE = {
    "everything a script sees of itself": (
        """
        import os, sys
        print(sys.argv, sys.orig_argv, sys.path, os.getcwd(), sys.flags, sys.getrecursionlimit(), sys.warnoptions)
        print(list(globals()), __name__, __file__, __doc__, __spec__, __package__, __cached__, type(__loader__), __loader__.path, __builtins__)
        print(sys.modules["__main__"].__dict__ is globals(), os.path.exists("train.py"), __annotations__)
        """,
        0,
        "finished 0",
    ),
    "main guard and doc string": ('"""A doc string."""\nif __name__ == "__main__":\n    print(__doc__)', 0, "finished 0"),
    "pickle, hints, source": (
        """
        import dataclasses, inspect, pickle, typing
        @dataclasses.dataclass
        class Point:
            x: "int"
            y: "Point | None" = None
        print(pickle.loads(pickle.dumps(Point(1, Point(2)))), typing.get_type_hints(Point))
        print(inspect.getsource(Point))
        """,
        0,
        "finished 0",
    ),
    "spawned process": (
        """
        import multiprocessing
        def double(x):
            return 2 * x
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(double, [1, 2]))
        else:
            assert __name__ == "__mp_main__", __name__
        """,
        0,
        "finished 0",
    ),
    "exception at top level": ("print('before')\nx = {'a': 1}\nprint(x['a'] + x['b'])", 1, "exception 1"),
    "exception in functions": ("def f(x):\n    return 1 / x\ndef g():\n    return f(1) + f(\n        0)\ng()", 1, "exception 1"),
    "exception with a cause": (
        """
        def f():
            try:
                {}["a"]
            except KeyError as error:
                raise ValueError("two\\nlines") from error
        try:
            f()
        except ValueError:
            raise RuntimeError
        """,
        1,
        "exception 1",
    ),
    "exception with notes": ("e = ValueError('x')\ne.add_note('a note')\nraise e", 1, "exception 1"),
    "exception group": (
        """
        def fail(text):
            try:
                1 / 0
            except ZeroDivisionError:
                raise ValueError(text)
        errors = []
        for text in "ab":
            try:
                fail(text)
            except ValueError as error:
                errors.append(error)
        raise ExceptionGroup("several", errors)
        """,
        1,
        "exception 1",
    ),
    "exception in a thread": (
        """
        import threading, time
        is_said = threading.Event()
        def fail():
            is_said.wait()
            time.sleep(0.1)
            print("still running")
            1 / 0
        threading.Thread(target=fail, name="Worker").start()
        print("main is done")
        is_said.set()
        """,
        0,
        "finished 0",
    ),
    "exit in a thread": ("import sys, threading\nt = threading.Thread(target=sys.exit, args=(3,))\nt.start()\nt.join()\nprint('on')", 0, "finished 0"),
    "exception whose text fails": ("class E(Exception):\n    def __str__(self):\n        1 / 0\nraise E", 1, "exception 1"),
    "failed import": ("import no_such_module", 1, "exception 1"),
    "import of a broken module": ("import broken", 1, "exception 1"),
    "exit none": ("import sys; print('x'); sys.exit()", 0, "exit 0"),
    "exit 0": ("import sys; sys.exit(0)", 0, "exit 0"),
    "exit 3": ("import sys; sys.exit(3)", 3, "exit 3"),
    "exit -1": ("import sys; sys.exit(-1)", 255, "exit 255"),
    "exit beyond 32 bits": ("import sys; sys.exit(2**33 + 5)", 5, "exit 5"),
    "exit text": ("import sys; print('out'); sys.exit('text')", 1, "exit 1"),
    "exit tuple": ("import sys; sys.exit((1, 'x'))", 1, "exit 1"),
    "exit bool": ("import sys; sys.exit(not True)", 0, "exit 0"),
    "raise SystemExit": ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise SystemExit(4)", 4, "exit 4"),
    "unittest": (
        """
        import unittest
        class Passes:
            def run(self, test):
                return unittest.TestResult()
        unittest.main(argv=["t"], testRunner=Passes())
        """,
        None,
        None,
    ),
    "syntax error": ("x = 1\ndef f(:\n    pass", 1, None),
    "unclosed": ("print((1, 2)\nx = 3\n", 1, None),
    "indentation error": ("if True:\nprint(1)", 1, None),
    "tabs and spaces": ("if True:\n        x = 1\n\ty = 2\n", 1, None),
    "late syntax error": ("return 3", 1, None),
    "null byte": (b"x = 1\nprint(\x00)\n", 1, None),
    "not UTF-8": (b"x = 1\nname = '\xe9t\xe9'\n", 1, None),
    "unknown coding": (b"# coding: klingon\nprint(1)\n", 1, None),
    "latin-1": ("# -*- coding: latin-1 -*-\nprint('été', len('été'))\nraise ValueError('é')".encode("latin-1"), 1, "exception 1"),
    "byte order mark": (b"\xef\xbb\xbfprint('marked')\nx = 1 / 0", 1, "exception 1"),
    "Windows line ends": (b"x = '''a\r\nb'''\r\nprint(repr(x))\r\n1 / 0\r\n", 1, "exception 1"),
    "no line end, form feed": (b"\x0cprint(1)", 0, "finished 0"),
    "empty": (b"", 0, "finished 0"),
    "custom excepthook": ("import sys\nsys.excepthook = lambda t, e, tb: print(t, e, tb.tb_lineno, tb.tb_next, sys.exc_info())\n1 / 0", 1, "exception 1"),
    "failing excepthook": ("import sys\ndef hook(*a):\n    return {}['x']\nsys.excepthook = hook\n1 / 0", 1, "exception 1"),
    "exiting excepthook": ("import sys\nsys.excepthook = lambda *a: sys.exit(9)\n1 / 0", 9, "exception 9"),
    "no excepthook": ("import sys\ndel sys.excepthook\n1 / 0", 1, "exception 1"),
    "atexit and threads": (
        """
        import atexit, concurrent.futures, pickle, threading, time
        class Kept: pass
        kept = Kept()
        atexit.register(lambda: print("first", type(pickle.loads(pickle.dumps(kept)))))
        atexit.register(print, "second")
        atexit.register(int, "not a number")
        pool = concurrent.futures.ThreadPoolExecutor(1)
        is_said = threading.Event()
        pool.submit(lambda: (is_said.wait(), print("pool")))
        threading.Thread(target=lambda: (time.sleep(0.1), print("thread"), is_said.set())).start()
        class Last:
            def __del__(self): print("deleted")
        last = Last()
        raise SystemExit("leaving")
        """,
        1,
        "exit 1",
    ),
    "file left open": ("f = open('log.txt', 'w')\nf.write('kept')\nimport atexit\natexit.register(lambda: print(__name__))", 0, "finished 0"),
    "warnings": (
        """
        import warnings
        warnings.warn("shown", DeprecationWarning)
        def f(): warnings.warn("of the caller", DeprecationWarning, stacklevel=2)
        f()
        warnings.warn("hidden", PendingDeprecationWarning)
        x = "\\d"
        """,
        0,
        "finished 0",
    ),
    "hard exit": ("import os, sys\nprint('flushed', flush=True)\nprint('lost')\nos._exit(7)", 7, None),
    "binary stdout": ("import sys\nsys.stdout.buffer.write(bytes(range(256)))", 0, "finished 0"),
    "closed stdout": ("import sys\nprint('x')\nsys.stdout.close()", 0, "finished 0"),
    "no stderr": ("import sys\nsys.stderr = None\n1 / 0", 1, "exception 1"),
    "stdin": ("print(input().upper())\nimport sys\nprint(repr(sys.stdin.read()))", 0, "finished 0"),
    "asyncio": (
        """
        import asyncio
        async def main():
            await asyncio.sleep(0)
            print(asyncio.current_task().get_name())
            1 / 0
        asyncio.run(main())
        """,
        1,
        "exception 1",
    ),
    "argparse": ("import argparse\np = argparse.ArgumentParser()\np.add_argument('--epochs')\np.parse_args()", 2, "exit 2"),
    "interrupt from inside": (
        """
        import atexit, signal
        atexit.register(print, "at exit")
        f = open("log.txt", "w")
        f.write("kept")
        signal.raise_signal(signal.SIGINT)
        """,
        -2,
        "interrupted 130",
    ),
    "interrupt of another class": ("class Stop(KeyboardInterrupt): pass\nraise Stop('x')", 1, "exception 1"),
    "debugger": ("import sys, pdb, linecache\nprint(linecache.getline(__file__, 1))", 0, "finished 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_a_script_is_run_as_python_runs_it(place, name):
    script, exit_code, end = ALIKE[name]
    place.write("broken.py", "def f(:\n    pass\n")
    place.write("train.py", script)
    result = place.assert_same("train.py", "--lr=0.1", "b c", stdin=b"line\nrest\n")
    if exit_code is not None:
        assert result[0] == exit_code
        assert place.notes() == (["before", end] if end else ["before"] if name == "hard exit" else [])
    log = place.directory / "log.txt"
    assert not log.exists() or log.read_text() == "kept"


@pytest.mark.parametrize(
    "options", [["-u"], ["-X", "dev"], ["-P"], ["-W", "error"], ["-O"], ["-I"], ["-X", "no_debug_ranges"], ["-X", "utf8=1", "-B"]], ids=" ".join
)
def test_options_of_python_have_the_same_effect(place, options):
    place.write("train.py", "import sys, warnings\nassert 1\nprint(sys.path[:2], sys.orig_argv)\nwarnings.warn('w')\n(1\n / 0)")
    if options == ["-I"]:  # no PYTHONPATH either: the driver has to find kazami by itself
        place.driver.write_text(f"import sys\nsys.path.append({place.environment['PYTHONPATH']!r})\n" + DRIVER)
        place.write("train.py", "import sys\nprint(sys.path[:2], sys.flags)")
    place.options = options
    place.assert_same("train.py")


@pytest.mark.parametrize("command", ["./train.py", "././train.py", "sub/../train.py", "sub//inner.py", "link.py", "random.py", "ABSOLUTE"])
def test_paths_are_seen_as_given(place, command):
    text = "import sys\nprint(sys.argv, sys.path[0], __file__)\nimport beside\n1 / 0"
    for name in ("train.py", "sub/inner.py", "random.py"):
        place.write(name, text)
    place.write("sub/beside.py", "print('beside in sub')")
    place.write("beside.py", "print('beside')")
    (place.directory / "link.py").symlink_to(Path("sub/inner.py"))
    place.assert_same(command if command != "ABSOLUTE" else str(place.directory / "train.py"))


def test_stdout_and_traceback_keep_their_order_in_one_pipe(place):
    place.write("train.py", "print('first')\n1 / 0")
    _, out, _ = place.assert_same("train.py", merged=True)
    assert out.startswith(b"first")


@pytest.mark.parametrize("command", ["missing.py", "sub", "missing/", "train.py/x", "secret.py"])
def test_what_cannot_be_opened_is_refused_in_pythons_words(place, command):
    place.write("train.py", "")
    place.write("sub/other.py", "")
    place.write("secret.py", "print(1)")
    (place.directory / "secret.py").chmod(0)
    place.assert_same(command)
    assert place.notes() in ([], ["before", "exit 1"], ["before", "finished 0"])  # root may read anything; a folder is looked into only when it runs


@pytest.mark.parametrize(
    "code",
    ["import sys; print(sys.argv, sys.path[0], __file__, __name__, __spec__.name, repr(__package__))", "raise ValueError", "import sys; sys.exit('x')", "f(:"],
)
@pytest.mark.parametrize("command", [["-m", "package"], ["-m", "package.module"], ["-m", "single"], ["folder"], ["folder/"], ["archive.zip"]], ids=" ".join)
def test_modules_folders_and_archives(place, command, code):
    place.write("package/__init__.py", "import sys\nprint('package', sys.argv, sys.path[0])")
    for name in ("package/__main__.py", "package/module.py", "single.py", "folder/__main__.py"):
        place.write(name, code)
    with zipfile.ZipFile(place.directory / "archive.zip", "w") as archive:
        archive.writestr("__main__.py", code)
    place.assert_same(*command, "--lr", "1")


@pytest.mark.parametrize("name", ["missing", "package.missing", "package", "broken", "single.x", ".relative", "interrupted", "json"])
def test_modules_that_fail(place, name):
    place.write("package/__init__.py", "")
    place.write("single.py", "print(1)")
    place.write("broken/__init__.py", "1 / 0")
    place.write("broken/__main__.py", "")
    place.write("interrupted.py", "print('x')\nraise KeyboardInterrupt")
    place.assert_same("-m", name)


@pytest.mark.parametrize("options", [[], ["-P"]], ids=["plain", "safe path"])
def test_folder_and_module_with_safe_path(place, options):
    place.write("folder/__main__.py", "import sys; print(sys.path[0])")
    place.write("single.py", "import sys; print(sys.path[0])")
    place.options = options
    place.assert_same("folder")
    place.assert_same("-m", "single")


def test_compiled_file_and_stdin(place):
    place.write("train.py", "import sys\nprint(sys.argv, sys.path[0] == '', __file__, __name__)\nx = 1 / 0")
    subprocess.run([sys.executable, "-c", "import py_compile; py_compile.compile('train.py', 'compiled.pyc')"], cwd=place.directory, check=True)
    place.assert_same("compiled.pyc", "a")
    place.assert_same("-", "a", stdin=(place.directory / "train.py").read_bytes())


def test_a_recursion_error_is_shown_but_for_the_frames_that_are_ours(place):
    place.write("train.py", "def f():\n    f()\nf()")
    plain, watched = (place.run("train.py", watched=watched)[2] for watched in (False, True))
    count = re.compile(rb"repeated \d+ more")
    assert count.sub(b"", plain) == count.sub(b"", watched)


def test_spawned_children_of_a_module_find_it(place):
    place.write("package/__init__.py", "")
    place.write(
        "package/work.py",
        """
        import multiprocessing
        def double(x):
            return 2 * x, __name__, __spec__.name
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(double, [1]))
        """,
    )
    place.assert_same("-m", "package.work")
