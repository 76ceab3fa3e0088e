"""Builds the site: ``python -m tools.handbook [FOLDER]`` (docs/_build by default); warnings are errors."""

import sys
from pathlib import Path

from .building import build


def main(arguments: list[str]) -> int:
    """Build both languages and say where they are."""
    place = Path(arguments[0]).resolve() if arguments else None
    return build(place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
