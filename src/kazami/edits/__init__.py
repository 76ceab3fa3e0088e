"""Edits: from a proved change to a unified diff of the user's own source, only where the place is certain."""

from ._base import AbstractEdit
from ._diff import diff_bytes, unified_diff
from ._edited import all_edits, edited
from ._lines import lines_to_add
from ._reading import Script, encoded, read_script

__all__ = ["AbstractEdit", "Script", "all_edits", "diff_bytes", "edited", "encoded", "lines_to_add", "read_script", "unified_diff"]
