"""Where the values of one group of samples lie among the rows of scratch memory."""

from ._activations import FORMS
from .network import Network


class Scratch:
    """Rows of scratch memory, sample by sample within each kind.

    Attributes:
        rows: How many there are.
        gradient: Where the gradient begins.
        tangent_gradients: Where the tangents' gradients begin, one after another.
    """

    def __init__(self, network: Network, samples: int, n_tangents: int) -> None:
        """Hand out the rows."""
        self._rows: dict[tuple[str, int], int] = {}
        self._taken = 0
        self.gradient = self._take(network.n_parameters)
        self.tangent_gradients = self._take(n_tangents * network.n_parameters)
        for index, layer in enumerate(network.layers):
            form = FORMS[layer.activation]
            kinds = ["value", "error"]
            if form.keeps_slope:
                kinds.append("slope")
            if n_tangents:
                kinds += ["raw_error", "value_tangent", "error_tangent"]
            if n_tangents and form.bends == "kept":
                kinds += ["bend", "bend_tangent"]
            for kind in kinds:
                self._rows[kind, index] = self._take(samples * layer.n_outputs)
        if n_tangents and network.loss == "cross_entropy":
            self._rows["share", len(network.layers) - 1] = self._take(samples * network.n_outputs)

    def __call__(self, kind: str, layer: int) -> int:
        """Return the first row of ``kind`` of values of a layer."""
        return self._rows[kind, layer]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._taken

    def _take(self, count: int) -> int:
        begin, self._taken = self._taken, self._taken + count
        return begin
