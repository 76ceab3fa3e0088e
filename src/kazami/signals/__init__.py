"""Signals: numpy and scipy mathematics of time series, and the regime of a series.

The names are opened on first use: the diagnosis needs a few robust statistics and shall not wait for scipy.
"""

from typing import TYPE_CHECKING

from ..doors import lazy_door

if TYPE_CHECKING:  # the same names for type checkers and editors, which do not open doors
    from .dimension import Dimension as Dimension
    from .dimension import correlation_dimension as correlation_dimension
    from .dimension import correlation_sum as correlation_sum
    from .divergence import Divergence as Divergence
    from .divergence import SeriesExponent as SeriesExponent
    from .divergence import lyapunov_from_series as lyapunov_from_series
    from .divergence import neighbour_divergence as neighbour_divergence
    from .embedding import decorrelation_time as decorrelation_time
    from .embedding import delay_vectors as delay_vectors
    from .entropy import order_patterns as order_patterns
    from .entropy import permutation_entropy as permutation_entropy
    from .intermittency import Intermittency as Intermittency
    from .intermittency import intermittency_type as intermittency_type
    from .laminar import LaminarPhases as LaminarPhases
    from .laminar import laminar_phases as laminar_phases
    from .laminar import maxima as maxima
    from .periods import Period as Period
    from .periods import period as period
    from .periods import return_mismatch as return_mismatch
    from .predictability import Determinism as Determinism
    from .predictability import determinism as determinism
    from .predictability import image_exponent as image_exponent
    from .prediction import linear_prediction_error as linear_prediction_error
    from .prediction import local_prediction_error as local_prediction_error
    from .recurrences import Recurrence as Recurrence
    from .recurrences import recurrence as recurrence
    from .regimes import regime as regime
    from .robust import autocorrelation as autocorrelation
    from .robust import neighbour_noise as neighbour_noise
    from .robust import robust_z as robust_z
    from .robust import rolling_median as rolling_median
    from .robust import theil_sen as theil_sen
    from .robust import turning_rate as turning_rate
    from .spectrum import Lines as Lines
    from .spectrum import power_spectrum as power_spectrum
    from .spectrum import spectral_lines as spectral_lines
    from .surrogates import phase_randomised as phase_randomised
    from .surrogates import shuffled as shuffled
    from .surrogates import shuffled_band as shuffled_band
    from .zero_one_walk import zero_one as zero_one

__all__ = [
    "Determinism",
    "Dimension",
    "Divergence",
    "Intermittency",
    "LaminarPhases",
    "Lines",
    "Period",
    "Recurrence",
    "SeriesExponent",
    "autocorrelation",
    "correlation_dimension",
    "correlation_sum",
    "decorrelation_time",
    "delay_vectors",
    "determinism",
    "image_exponent",
    "intermittency_type",
    "laminar_phases",
    "linear_prediction_error",
    "local_prediction_error",
    "lyapunov_from_series",
    "maxima",
    "neighbour_divergence",
    "neighbour_noise",
    "order_patterns",
    "period",
    "permutation_entropy",
    "phase_randomised",
    "power_spectrum",
    "recurrence",
    "regime",
    "return_mismatch",
    "robust_z",
    "rolling_median",
    "shuffled",
    "shuffled_band",
    "spectral_lines",
    "theil_sen",
    "turning_rate",
    "zero_one",
]

_MODULE_OF = {
    "Determinism": ".predictability",
    "Dimension": ".dimension",
    "Divergence": ".divergence",
    "Intermittency": ".intermittency",
    "LaminarPhases": ".laminar",
    "Lines": ".spectrum",
    "Period": ".periods",
    "Recurrence": ".recurrences",
    "SeriesExponent": ".divergence",
    "autocorrelation": ".robust",
    "correlation_dimension": ".dimension",
    "correlation_sum": ".dimension",
    "decorrelation_time": ".embedding",
    "delay_vectors": ".embedding",
    "determinism": ".predictability",
    "image_exponent": ".predictability",
    "intermittency_type": ".intermittency",
    "laminar_phases": ".laminar",
    "linear_prediction_error": ".prediction",
    "local_prediction_error": ".prediction",
    "lyapunov_from_series": ".divergence",
    "maxima": ".laminar",
    "neighbour_divergence": ".divergence",
    "neighbour_noise": ".robust",
    "order_patterns": ".entropy",
    "period": ".periods",
    "permutation_entropy": ".entropy",
    "phase_randomised": ".surrogates",
    "power_spectrum": ".spectrum",
    "recurrence": ".recurrences",
    "regime": ".regimes",
    "return_mismatch": ".periods",
    "robust_z": ".robust",
    "rolling_median": ".robust",
    "shuffled": ".surrogates",
    "shuffled_band": ".surrogates",
    "spectral_lines": ".spectrum",
    "theil_sen": ".robust",
    "turning_rate": ".robust",
    "zero_one": ".zero_one_walk",
}

if not TYPE_CHECKING:  # hidden from type checkers, so that they still notice a misspelt name
    __getattr__ = lazy_door(__name__, _MODULE_OF)


def __dir__() -> list[str]:
    """Return the names in the room, also those not opened yet."""
    return sorted({*globals(), *__all__})
