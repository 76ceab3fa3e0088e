"""Numbers as people read them: three significant digits, never more."""

import math


def short(value: float | None) -> str:
    """Return a number with three significant digits; large and small ones as ``6.7e3``-like powers of ten.

    >>> short(0.69314), short(12), short(0.1), short(2.3026), short(2.4e-5), short(123456.0), short(float("nan")), short(None)
    ('0.693', '12', '0.1', '2.30', '2.4e-5', '1.23e5', 'NaN', '–')
    """
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return _plain(value)
    digits, _, power = f"{value:.2e}".partition("e")
    return f"{_trimmed(digits, float(f'{digits}e{power}') == value)}e{int(power)}"


def _plain(value: float) -> str:
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return _trimmed(text, float(text) == value)


def _trimmed(text: str, is_exact: bool) -> str:
    """Return 0.100 as 0.1 where that is all there is to say; a rounded 2.30 keeps its last digit, which was measured."""
    return text.rstrip("0").rstrip(".") if is_exact and "." in text else text


def fraction(value: float) -> str:
    r"""Return a share below one as ``"1/40 000"``, rounded to two significant digits, thousands set apart by a narrow space.

    >>> fraction(2.5e-5), fraction(1 / 317), fraction(1e-12)
    ('1/40\u202f000', '1/320', '1e-12')
    """
    if value < 1e-9:  # longer than anyone reads as a fraction
        return short(value)
    denominator = 1 / value
    unit = 10 ** max(0, math.floor(math.log10(denominator)) - 1)
    return f"1/{round(denominator / unit) * unit:,}".replace(",", "\u202f")
