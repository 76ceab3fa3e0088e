"""The gallery: every experiment of the lab run in its quick version, its figures and numbers kept in docs/gallery.

``python -m tools.handbook.gallery [NAME...]`` runs those whose source has changed since they were kept, or the named ones.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "docs" / "gallery"
LARGEST = 120_000  # bytes of a drawing; a larger one is kept as dots
DOTS_PER_INCH = 96


def main(names: list[str]) -> int:
    """Run the named experiments, or all that have no outcome of today's source."""
    from kazami.lab import all_experiments

    experiments = list(all_experiments())
    for one in experiments:
        if one.name in names or (not names and not is_kept(one)):
            print(one.name, flush=True)
            keep(one)
    for file in PLACE.glob("*.json"):  # what is no experiment any more
        if file.stem not in {one.name for one in experiments}:
            for left in PLACE.glob(f"{file.stem}.*"):
                left.unlink()
    return 0


def is_kept(one: Any) -> bool:
    """Whether the outcome that is kept was computed by the experiment's file as it is now."""
    file = PLACE / f"{one.name}.json"
    return file.exists() and json.loads(file.read_text("utf-8"))["source"] == source_of(one)


def source_of(one: Any) -> str:
    """Return a digest of the experiment's own file."""
    file = Path(sys.modules[type(one).__module__].__file__ or "")
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def keep(one: Any) -> None:
    """Run one experiment and write its outcome, and a figure in each language."""
    from kazami import __version__

    PLACE.mkdir(exist_ok=True)
    outcome = one.run(quick=True, seed=0)
    files = {language: draw(outcome, one.name, language) for language in ("en", "ja")}
    names = [check.name_in("ja") for check in outcome.checks]
    kept = {"source": source_of(one), "kazami": __version__, "figures": files, "checks_ja": names, "outcome": outcome.to_dict()}
    (PLACE / f"{one.name}.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def draw(outcome: Any, name: str, language: str) -> str:
    """Save the figure as a drawing where that is small, else as dots (whose words are English); return the file's name."""
    from kazami.reports.figures import drawing, save_figure

    place = PLACE / f"{name}.{language}.svg"
    save_figure(outcome.figure(language), str(place))
    if place.stat().st_size <= LARGEST:
        return place.name
    place.unlink()
    dots = PLACE / f"{name}.png"
    if language == "en":
        with drawing():
            outcome.figure("en").savefig(dots, dpi=DOTS_PER_INCH)
    return dots.name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
