"""Attention: softmax(Q·Kᵀ)·V, recognised by its wiring, together with the projections of the module it stands in."""

from .units import Unit, Wiring
from .vocabulary import ATTENTION, PRODUCTS, SHAPERS, SOURCES, words_of

_ON_THE_WAY = SHAPERS | words_of(
    "mul div add sub masked_fill where cast dropout tril triu clamp write setitem neg nan_to_num contiguous tanh maximum minimum softcap"
)
REACH = 24  # operations between the two products, at most


def with_attention(wiring: Wiring, units: list[Unit]) -> list[Unit]:
    """Return the units with those that make up attention put together.

    A core is a scaled dot-product attention in one operation, or a softmax whose scores come from a product of two data, and which goes into another
    product with data. It is joined by the rest of its module where this is nothing but projections in front of it and at most one layer behind.
    """
    unit_of = {place: unit for unit in units for place in unit.members}
    cores = [core for place, operation in enumerate(wiring.operations) if (core := _core(place, operation.op, wiring))]
    taken: set[int] = set()
    made: list[Unit] = []
    for core in cores:
        members = {id(unit_of[place]): unit_of[place] for place in core}
        whole = _module_around(core, cores, wiring, unit_of) or members
        whole = whole if _is_convex(whole, wiring, unit_of) else members
        if taken & set(whole) or not _is_convex(whole, wiring, unit_of):
            continue
        taken |= set(whole)
        made.append(_joined(list(whole.values()), core, wiring))
    rest = [unit for unit in units if id(unit) not in taken]
    return sorted([*rest, *made], key=lambda unit: unit.members[-1])


def _core(place: int, op: str, wiring: Wiring) -> tuple[int, ...]:
    """Return the operations of the attention whose softmax is at ``place``; empty where there is none."""
    if op in ATTENTION:
        return (place,)
    if op != "softmax" or wiring.is_static[place]:
        return ()
    first = _product_before(place, wiring)
    last = _product_behind(place, wiring)
    if first is None or last is None:
        return ()
    ahead, back = {first}, {last}
    for one in range(first + 1, last + 1):
        if any(source in ahead for source, _ in wiring.operations[one].inputs):
            ahead.add(one)
    for one in range(last, first, -1):
        if one in back:
            back.update(source for source, _ in wiring.operations[one].inputs)
    return tuple(sorted(one for one in ahead & back if wiring.operations[one].op not in SOURCES))


def _is_product_of_data(place: int, wiring: Wiring) -> bool:
    operation = wiring.operations[place]
    return operation.op in PRODUCTS and len(operation.inputs) >= 2 and not any(wiring.is_static[source] for source, _ in operation.inputs[:2])


def _product_before(place: int, wiring: Wiring) -> int | None:
    waiting, seen = [source for source, _ in wiring.operations[place].inputs], set[int]()
    while waiting and len(seen) < REACH:
        one = waiting.pop(0)
        if one in seen or wiring.is_static[one]:
            continue
        seen.add(one)
        if _is_product_of_data(one, wiring):
            return one
        if wiring.operations[one].op in _ON_THE_WAY:
            waiting += [source for source, _ in wiring.operations[one].inputs]
    return None


def _product_behind(place: int, wiring: Wiring) -> int | None:
    waiting, seen = [one for one in wiring.readers[place] if one >= 0], set[int]()
    while waiting and len(seen) < REACH:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        if _is_product_of_data(one, wiring):
            return one
        if wiring.operations[one].op in _ON_THE_WAY:
            waiting += [reader for reader in wiring.readers[one] if reader >= 0]
    return None


def _module_around(core: tuple[int, ...], cores: list[tuple[int, ...]], wiring: Wiring, unit_of: dict[int, Unit]) -> dict[int, Unit] | None:
    """Return the units of the smallest module around ``core`` that has projections, ``None`` if there is more in it than attention."""
    path = wiring.operations[core[0]].path
    while path:
        run = _run_of(path, core, wiring)
        others = sum(1 for one in cores if one[0] in run)
        found = {id(unit_of[place]): unit_of[place] for place in run}
        layers = [unit for unit in found.values() if unit.kind == "layer"]
        behind = [unit for unit in layers if unit.main > core[-1]]
        if others > 1 or len(behind) > 1:
            return None
        if len(layers) > len(behind):
            return found if all(set(unit.members) <= run or unit.kind != "operation" for unit in found.values()) else None
        path = path.rpartition(".")[0]
    return None


def _run_of(path: str, core: tuple[int, ...], wiring: Wiring) -> set[int]:
    """Return the operations of one call of a module: those around the core, one after the other, that ran inside it."""

    def is_inside(place: int) -> bool:
        return f"{wiring.operations[place].path}.".startswith(f"{path}.")

    def is_passed_over(place: int) -> bool:
        return wiring.operations[place].op in SOURCES or wiring.is_static[place]

    run = set(core)
    for step in (-1, 1):
        place = core[0] + step
        while 0 <= place < len(wiring.operations) and (is_inside(place) or is_passed_over(place)):
            if not is_passed_over(place):
                run.add(place)
            place += step
    return run


def _is_convex(units: dict[int, Unit], wiring: Wiring, unit_of: dict[int, Unit]) -> bool:
    """Return whether nothing outside lies between two of the units: only then can they be drawn as one."""
    places = {place for unit in units.values() for place in unit.members}
    spoilt: set[int] = set()
    for place in range(min(places), max(places) + 1):
        sources = [source for source, _ in wiring.operations[place].inputs]
        if place in places:
            if any(source in spoilt for source in sources):
                return False
        elif any(source in places or source in spoilt for source in sources):
            spoilt |= set(unit_of[place].members)
    return True


def _joined(units: list[Unit], core: tuple[int, ...], wiring: Wiring) -> Unit:
    main = next((place for place in core if wiring.operations[place].op in (*ATTENTION, "softmax")), core[0])
    if len(units) == 1:
        units[0].kind = "attention"
        return units[0]
    inner = sorted(units, key=lambda unit: unit.members[-1])
    return Unit("attention", main, sorted(place for unit in units for place in unit.members), inner=inner)
