"""The drawing of the house in CONTRIBUTING.md is the house: the rooms of the linter's contract, in its order, and the dry ones marked."""

import re
import tomllib

from tests.house.tree import DRY_ROOMS, ROOT


def drawn():
    """Return the rows of the drawing, room and whether it is marked dry."""
    block = re.search(r"```\n(cli .*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return [(line.split()[0], line.endswith(" dry")) for line in block[1].splitlines()]


def test_every_room_is_drawn_in_the_order_of_the_stairs():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    assert [room for room, _ in drawn()] == next(contract["layers"] for contract in contracts if contract["type"] == "layers")


def test_dry_rooms_are_marked():
    assert {room for room, is_dry in drawn() if is_dry} == set(DRY_ROOMS)
