"""Comparison: two stored runs, where they part, and whether by a jump (a bug, another batch) or exponentially (chaos). Never imports torch.

>>> from kazami.comparison import compare
"""

from .comparing import compare
from .figure import comparison_figure
from .growth import Growth, growth_of
from .parting import Parting
from .result import Comparison, Jump, Setting

__all__ = ["Comparison", "Growth", "Jump", "Parting", "Setting", "compare", "comparison_figure", "growth_of"]
