"""``cure``: finds the smallest change that makes a training work, and proves it.

Diagnosis names candidates; each is tried from the same seed on the same batches; what helps goes to the proof, the least change first; what is not needed is
dropped. A change that helps but leaves something wrong is kept as the new beginning of another round.
"""

from ..maps import Training
from ..maps.training import untouched_randomness
from ..records import Proof
from .search import OutOfBudget, Progress, Search
from .subject import TrainingSubject


def cure(training: Training, *, budget: float = 120.0, seeds: int = 3, only: str = "", progress: Progress | None = None) -> Proof:
    """Find the smallest change that makes a training work, and prove it by training anew.

    Args:
        training: The training; it is not changed, nor are the global random streams.
        budget: Seconds for all trials together. The trial that is under way is finished.
        seeds: How many seeds the proof takes, at least 3.
        only: Name of one prescription of the findings, such as ``"lower_learning_rate"``: that alone is tried, exactly as it is prescribed.
        progress: Called before each trial.

    Returns:
        The proof. Where nothing is wrong nothing is tried; where nothing helped ``cured`` is ``False`` and ``tried`` says what became of each candidate. Ctrl-C
        returns what is known so far.

    Raises:
        UsageError: No finding prescribes ``only``.

    Limits:
        Only changes that can be carried out on a `Training` are tried. A diagnosis that sees nothing wrong cures nothing.
    """
    with untouched_randomness():
        search = Search(TrainingSubject.of(training), max(seeds, 3), budget, progress, only)
        try:
            return search.proof()
        except (OutOfBudget, KeyboardInterrupt) as reason:
            return search.concluded(interrupted=isinstance(reason, KeyboardInterrupt))
