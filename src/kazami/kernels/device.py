"""Kernels for graphics cards, as text: which rows of a network a thread holds in registers, and the Triton source that does so. Nothing runs here."""

from ._plan import LATENCY, Plan
from ._program import Program
from ._scratch import Scratch
from ._triton import WRITTEN, triton_text
from .network import Descent, Network

__all__ = ["LANES", "WRITTEN", "device_plan", "device_text", "held_numbers"]
LANES = 32  # of a block: a warp, so that few members still spread over the whole card
REGISTERS = 255  # of 32 bits, of a thread: the architecture's limit
HELD = frozenset({"state", "settings", "scratch"})
MANY = 16  # samples of a group: beyond, weights are hardly ever read again less often
LARGEST_HELD = 2 * REGISTERS  # numbers: about as many spill as stay, and the time Triton takes grows with their square (half a minute here)


def device_plan(network: Network, descent: Descent, itemsize: int, n_tangents: int, batch: int) -> Plan:
    """Return how a program for a card is cut: every row a register if state and gradient about fit, else tiles over rows in memory."""
    words = itemsize // 4
    numbers = held_numbers(network, descent, n_tangents)
    if numbers <= LARGEST_HELD:
        return Plan(1, LATENCY, unrolled=True)
    samples = 1
    while 2 * samples <= min(batch, MANY) and Scratch(network, 2 * samples, n_tangents).rows <= numbers:
        samples *= 2
    return Plan(samples, REGISTERS // 2 // words, is_parallel=True)


def held_numbers(network: Network, descent: Descent, n_tangents: int) -> int:
    """Return how many numbers live through a whole step: parameters, memory and gradient, of the step and of each tangent, and one sample's values."""
    through = network.n_parameters * (2 + descent.n_slots) * (1 + n_tangents)
    return through + Scratch(network, 1, n_tangents).rows - network.n_parameters * (1 + n_tangents)


def device_text(program: Program, plan: Plan) -> str:
    """Return the Triton source of a program that was generated with ``plan``; one instance for each block of `LANES` lanes."""
    return triton_text(program, LANES, HELD if plan.unrolled else frozenset())
