import sys
from importlib.metadata import EntryPoint

import pytest

from kazami import registry
from kazami.registry import plugins

BASE = "class AbstractRule: ...\n"
RULE = "from ._base import AbstractRule\nclass {name}(AbstractRule): ...\n"


@pytest.fixture
def room(tmp_path, monkeypatch):
    """Return a function that builds a package of the given files, each time under a new name, and gives its name and its abstract base."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def build(**files):
        name = f"room{len(list(tmp_path.iterdir()))}_{tmp_path.name}"
        (tmp_path / name).mkdir()
        for file, text in {"__init__": "", "_base": BASE, **files}.items():
            (tmp_path / name / f"{file}.py").write_text(text)
        return name, getattr(__import__(f"{name}._base", fromlist=["_base"]), "AbstractRule")  # noqa: B009

    yield build
    for module in set(sys.modules) - before:
        del sys.modules[module]


def offer(monkeypatch, *values):
    """Let packages offer entry points with these values."""
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint(f"rule{number}", value, group) for number, value in enumerate(values)])


def names(found):
    return [plugin.__name__ for plugin in found]


def test_a_file_is_a_plugin_in_the_order_of_the_names(room):
    package, base = room(saturated=RULE.format(name="Saturated"), dead_units=RULE.format(name="DeadUnits"))
    assert names(plugins(package, base)) == ["DeadUnits", "Saturated"]


def test_private_files_abstract_classes_strangers_and_imported_classes_are_no_plugins(room):
    package, base = room(
        _hidden=RULE.format(name="Hidden"),
        a=RULE.format(name="AbstractHalf") + "class Stranger: ...\n",
        b=RULE.format(name="Real"),
        c="from .b import Real\n",
    )
    assert names(plugins(package, base)) == ["Real"]


def test_the_folder_is_scanned_once(room, monkeypatch):
    package, base = room(a=RULE.format(name="A"))
    first = plugins(package, base)
    monkeypatch.setattr(registry, "pkgutil", None)
    assert plugins(package, base) is first


def test_an_empty_room_has_no_plugins(room):
    assert plugins(*room()) == ()


def test_our_own_broken_file_is_not_hidden(room):
    package, base = room(broken="import a_module_that_is_not_there")
    with pytest.raises(ImportError, match="a_module_that_is_not_there"):
        plugins(package, base)


def test_other_packages_offer_classes_and_modules(room, monkeypatch):
    package, base = room(a=RULE.format(name="A"), _far=RULE.format(name="Far"), _more=RULE.format(name="More"))
    offer(monkeypatch, f"{package}._far:Far", f"{package}._more", f"{package}.a:A")
    assert names(plugins(package, base)) == ["A", "Far", "More"]


@pytest.mark.parametrize("value", ["a_package_that_is_not_there.rule:Rule", "collections:OrderedDict", "collections:nothing"])
def test_a_broken_offer_gives_one_warning_that_names_the_package(room, monkeypatch, value):
    package, base = room(a=RULE.format(name="A"))
    offer(monkeypatch, value)
    with pytest.warns(RuntimeWarning, match=f'"{value.partition(".rule")[0].partition(":")[0]}') as caught:
        assert names(plugins(package, base)) == ["A"]
    assert len(caught) == 1
