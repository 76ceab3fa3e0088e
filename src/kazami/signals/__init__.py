"""Signals: numpy-only mathematics of time series."""

from .robust import neighbour_noise, robust_z, rolling_median, theil_sen, turning_rate

__all__ = ["neighbour_noise", "robust_z", "rolling_median", "theil_sen", "turning_rate"]
