"""What a step costs, counted: multiply–adds, elementary functions, and how many of each a core does in a second."""

from .network import Network

FREQUENCY = 2.5e9  # cycles in a second: the lower end of today's cores
PER_CYCLE = 2  # vector operations a core begins in one cycle
# Vector operations of each elementary function, counted in `_functions`; a division takes as long as about 10 of them.
OPERATIONS = {"identity": 1, "relu": 2, "leaky_relu": 3, "tanh": 27, "sigmoid": 27, "silu": 33, "gelu": 75, "gelu_tanh": 45, "softplus": 70}
OVERHEAD = 1.25  # loads, stores and loops that do not hide behind arithmetic


def operations_per_sample(network: Network, n_tangents: int) -> float:
    """Return the vector operations of one sample: forward, backward, and the same for each deviation vector."""
    weights = sum(layer.n_weights for layer in network.layers)
    first = network.layers[0].n_weights
    elementary = sum((OPERATIONS[layer.activation] + 4) * layer.n_outputs for layer in network.layers)
    loss = network.n_outputs * (18 if network.loss == "cross_entropy" else 2) + 35 * (network.loss == "cross_entropy")
    tangent = 6 * weights - 4 * first + sum(8 * layer.n_outputs for layer in network.layers)
    return network.products_per_sample + elementary + loss + n_tangents * tangent


def member_step_seconds(network: Network, batch: int, n_tangents: int, lanes: int) -> float:
    """Return about how long one core takes for one step of one member, with all lanes in use."""
    update = 8 * network.n_parameters * (1 + n_tangents)
    return OVERHEAD * (batch * operations_per_sample(network, n_tangents) + update) / (PER_CYCLE * FREQUENCY * lanes)
