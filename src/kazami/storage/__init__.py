"""Storage: the run directory, written while a training runs and read by anybody at any time. Never imports torch.

::

    <run>/run.json                              head of the run (RunInfo), replaced atomically; of rank N > 0: run-rN.json
    <run>/events.jsonl                          one event a line
    <run>/metrics/part-<first>-<last>.parquet   long table: step, series, value
    <run>/trajectory/part-<first>-<last>.safetensors
    <run>/distributions/part-<first>-<last>.safetensors   histograms of each layer at a few tens of steps
    <run>/live.jsonl                            the newest rows, only while somebody watches the run being written
    <run>/proof.json                            of a run of `kazami cure`: what was tried, and the proof

Files of rank N > 0 of a distributed training have ``-rN`` before the dot.
"""

from .distributions import BINS, Distribution
from .live_tail import TailReader
from .location import default_location, is_over
from .proof_file import StoredProof, write_proof
from .reader import StoredRun, open_run
from .strict_json import dumps, loads, plain
from .trace_head import trace_from_head, trace_head
from .trajectory import Trajectory
from .writer import RunWriter

__all__ = [
    "BINS",
    "Distribution",
    "RunWriter",
    "StoredProof",
    "StoredRun",
    "TailReader",
    "Trajectory",
    "default_location",
    "dumps",
    "is_over",
    "loads",
    "open_run",
    "plain",
    "trace_from_head",
    "trace_head",
    "write_proof",
]
