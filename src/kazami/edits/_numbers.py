"""Numbers as people write them."""

import math

RELATIVE = 1e-4  # prescriptions hold rounded numbers


def close(first: float, second: float) -> bool:
    """Return whether two settings are the same number."""
    return math.isclose(first, second, rel_tol=RELATIVE)


def tidy(value: float, like: str = "") -> str:
    """Return a number as text, with an exponent where the old text has one or where it is shorter.

    >>> tidy(0.003, like="1e-2"), tidy(0.003, like="0.01"), tidy(2e-05), tidy(64.0), tidy(0.05, like="1"), tidy(1.2, like="1e-4")
    ('3e-3', '0.003', '2e-5', '64.0', '0.05', '1.2')
    """
    plain = repr(float(value))
    if "e" not in plain:
        digits = f"{value:.10g}"
        plain = digits if "." in digits or "e" in digits else f"{digits}.0"
    mantissa, _, exponent = f"{value:.9e}".partition("e")
    scientific = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    wants_exponent = ("e" in like.lower() and int(exponent) != 0) or "e" in plain or len(plain.lstrip("-")) > 7
    return scientific if wants_exponent and value != 0 else plain
