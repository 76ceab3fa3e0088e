"""Kernels: small networks trained by the thousand, each member in one lane of the machine's vectors. Never imports torch.

A network of the MLP family and an optimizer become a program in a small intermediate form, and the program machine code through llvmlite (extra ``fast``).

>>> from kazami.kernels import Descent, Layer, Network, compiled
"""

from ._machine import lanes, why_not
from ._records import KernelRun
from .kernel import HOST, Kernel, compiled
from .machines import AbstractMachine
from .network import Descent, Layer, Network

__all__ = ["HOST", "AbstractMachine", "Descent", "Kernel", "KernelRun", "Layer", "Network", "compiled", "lanes", "why_not"]
