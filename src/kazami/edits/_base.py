"""What an edit is: it writes the change that a cure prescribes into the user's own text, or says that the place was not found with certainty."""

from abc import ABC, abstractmethod
from typing import ClassVar

from ..records.finding import Prescription
from ._draft import Draft
from ._places import Places
from ._program import Program
from ._reading import Script
from ._source import Uncertain


class AbstractEdit(ABC):
    """Writes what some cures prescribe into a script.

    Class attributes:
        name: Name of the edit.
        writes: Names of the cures whose prescriptions it can write.
        how: Where it writes, one sentence for the documentation.
        is_last_resort: Whether it is asked only where the edits that change the number or call itself found no place.
    """

    name: ClassVar[str]
    writes: ClassVar[tuple[str, ...]]
    how: ClassVar[str]
    is_last_resort: ClassVar[bool] = False

    def edit(self, script: Script, change: Prescription) -> Script | None:
        """Return the script with the change written into it; ``None`` where the place was not found with certainty: never a guess.

        Args:
            script: Stays as it is.
            change: A prescription of one of the cures that this edit writes.
        """
        if change.name not in self.writes:
            return None
        try:
            program = Program(script)
            draft = Draft(program)
            self.write(draft, Places(program), change)
            return draft.script()
        except (Uncertain, SyntaxError, ValueError):  # ValueError: a null byte, which no parser takes
            return None

    @abstractmethod
    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Put the change into the draft.

        Raises:
            Uncertain: The place was not found with certainty.
        """
