"""Records: the frozen data that cross rooms."""

from .check import Check
from .finding import SEVERITIES, Evidence, Finding, Prescription, Sentence, Severity
from .run_info import FORMAT_VERSION, RunInfo
from .trace import Layer, Progress, Series, Trace
from .wind import SCALE, Wind, wind_of

__all__ = [
    "FORMAT_VERSION",
    "SCALE",
    "SEVERITIES",
    "Check",
    "Evidence",
    "Finding",
    "Layer",
    "Prescription",
    "Progress",
    "RunInfo",
    "Sentence",
    "Series",
    "Severity",
    "Trace",
    "Wind",
    "wind_of",
]
