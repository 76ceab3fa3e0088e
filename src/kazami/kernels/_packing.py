"""Members side by side in lanes: from rows of members to blocks of rows of lanes, and back."""

import numpy as np

from ._machine import aligned


class Packing:
    """Which member sits in which lane.

    Args:
        members: Numbers of the members, in order; the last block is filled with copies of the last one.
        lanes: Numbers in a row.
    """

    def __init__(self, members: np.ndarray, lanes: int) -> None:
        """Fill the lanes."""
        self.members, self.lanes = members, lanes
        self.n_blocks = -(-len(members) // lanes)
        self._padding = self.n_blocks * lanes - len(members)

    def packed(self, values: np.ndarray, into: np.ndarray, first_row: int = 0) -> None:
        """Put ``values``, shape ``(len(members), n)``, into rows ``first_row …`` of blocks of shape ``(n_blocks, rows, lanes)``."""
        if self._padding:
            values = np.concatenate([values, np.broadcast_to(values[-1], (self._padding, values.shape[1]))])
        blocks = values.reshape(self.n_blocks, self.lanes, values.shape[1])
        into[:, first_row : first_row + values.shape[1]] = blocks.transpose(0, 2, 1)

    def unpacked(self, blocks: np.ndarray) -> np.ndarray:
        """Return the members' values, shape ``(len(members), rows)``, out of blocks of shape ``(n_blocks, rows, lanes)``."""
        flat = blocks.transpose(0, 2, 1).reshape(self.n_blocks * self.lanes, blocks.shape[1])
        return flat[: len(self.members)]

    def of_rows(self, blocks: np.ndarray) -> np.ndarray:
        """Return the members' values row by row, shape ``(rows, len(members))``."""
        return blocks.transpose(1, 0, 2).reshape(blocks.shape[1], -1)[:, : len(self.members)]

    def without(self, gone: np.ndarray, state: np.ndarray) -> tuple["Packing", np.ndarray]:
        """Return a packing without the members where ``gone``, and their ``state`` packed anew."""
        kept = Packing(self.members[~gone], self.lanes)
        fresh = aligned((kept.n_blocks, *state.shape[1:]), state.dtype)
        if kept.n_blocks:
            kept.packed(self.unpacked(state)[~gone], fresh)
        return kept, fresh
