"""Measurable quantities of a layer, one per file; every one gives one number per layer and recorded step."""

from ._base import AbstractObservable, Moment, all_observables, norm_of, norms_of, sample, signal

__all__ = ["AbstractObservable", "Moment", "all_observables", "norm_of", "norms_of", "sample", "signal"]
