"""Records: the frozen data that cross rooms."""

from .check import Check
from .finding import SEVERITIES, Evidence, Finding, Prescription, Sentence, Severity
from .proof import Proof, ProofRow, Tried
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
    "Proof",
    "ProofRow",
    "RunInfo",
    "Sentence",
    "Series",
    "Severity",
    "Trace",
    "Tried",
    "Wind",
    "wind_of",
]
