"""Training as a map: a training made of factories, so that it can be started again from the same state on the same batches."""

from .training import Training, TrainingRun

__all__ = ["Training", "TrainingRun"]
