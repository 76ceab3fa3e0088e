"""Signals: numpy-only mathematics of time series."""

from .robust import autocorrelation, neighbour_noise, robust_z, rolling_median, theil_sen, turning_rate

__all__ = ["autocorrelation", "neighbour_noise", "robust_z", "rolling_median", "theil_sen", "turning_rate"]
