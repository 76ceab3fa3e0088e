"""Records: the frozen data that cross rooms."""

from .check import Check
from .finding import SEVERITIES, Evidence, Finding, Findings, Prescription, Sentence, Severity
from .launch import Launch
from .proof import Proof, ProofRow, Tried
from .regime import LETTERS, Regime, RegimeLabel
from .run_info import FORMAT_VERSION, RunInfo
from .suppression import Suppression
from .trace import Layer, Progress, Series, Trace
from .wind import SCALE, Wind, wind_of

__all__ = [
    "FORMAT_VERSION",
    "LETTERS",
    "SCALE",
    "SEVERITIES",
    "Check",
    "Evidence",
    "Finding",
    "Findings",
    "Launch",
    "Layer",
    "Prescription",
    "Progress",
    "Proof",
    "ProofRow",
    "Regime",
    "RegimeLabel",
    "RunInfo",
    "Sentence",
    "Series",
    "Severity",
    "Suppression",
    "Trace",
    "Tried",
    "Wind",
    "wind_of",
]
