"""What went wrong while writing, as one clear sentence."""

import errno
from dataclasses import dataclass

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble with a run directory.

    Attributes:
        kind: ``"full"``, ``"denied"``, ``"gone"``, ``"file"`` or the name of the exception.
        what: What was found, as the beginning of a sentence.
        advice: What to do about it.
    """

    kind: str
    what: str
    advice: str

    def at_start(self) -> str:
        """Return the sentence for a run that cannot be written at all."""
        return f"The run cannot be written: {self.what}. {self.advice}."

    def while_writing(self) -> str:
        """Return the sentence for a run that has begun: the training goes on."""
        return f"The run cannot be written at the moment: {self.what}. The training goes on, and kazami tries again at every flush. {self.advice}."


def trouble(error: BaseException, location: str) -> Trouble:
    """Return what ``error`` means for the run at ``location``.

    Example:
        >>> trouble(OSError(errno.ENOSPC, "No space left on device"), "runs/a").at_start()
        'The run cannot be written: no space is left for runs/a. Free some space, or pass another directory (--run DIR).'
    """
    number = error.errno if isinstance(error, OSError) else None
    elsewhere = "ass another directory (--run DIR)"
    if number in _FULL:
        return Trouble("full", f"no space is left for {location}", f"Free some space, or p{elsewhere}")
    if number in _DENIED or isinstance(error, PermissionError):
        return Trouble("denied", f"{location} may not be written (no permission, or read-only)", f"Change its permissions, or p{elsewhere}")
    if isinstance(error, FileExistsError):
        return Trouble("file", f"{location} is a file where a directory should be", f"P{elsewhere}")
    if number in _GONE:
        return Trouble("gone", f"{location} is no directory that exists (deleted, moved, or below a file)", f"Put it back, or p{elsewhere}")
    detail = str(error).splitlines()[0] if str(error) else "no details"
    return Trouble(type(error).__name__, f"{location} could not be written ({type(error).__name__}: {detail})", f"P{elsewhere}")
