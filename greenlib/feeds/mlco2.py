"""ML CO2 Impact, the calculator of Lacoste et al., reproduced to the last digit it shows.

The calculator is a web page without a service to ask, so its arithmetic is redone here: three numbers, each rounded to
two digits before the next one is computed from it. No key, no address, no network.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from greenlib.checks import number

__all__ = ["Estimate", "estimate"]

_EXACT = Context(prec=30, rounding=ROUND_HALF_UP)
"""Digits enough for the largest number that is still rounded, whatever the reader's own decimal context."""

_UNROUNDED = 1e21
"""JavaScript's ``toFixed`` leaves numbers from here on as they are."""


class Estimate(NamedTuple):
    """The three numbers that the calculator shows, each as it shows it."""

    energy_kwh: float
    impact_kg_per_kwh: float
    co2_kg: float

    def __getitem__(self, key):
        """Return a number by its name, as in a row of a table, or by its place."""
        return getattr(self, key) if isinstance(key, str) and key in self._fields else tuple.__getitem__(self, key)


def _two_digits(value: float) -> float:
    """Round as ``Number(x.toFixed(2))`` does: half up, on the exact binary value, which ``round`` does not."""
    if value >= _UNROUNDED:
        return value
    return float(Decimal(value).quantize(Decimal("0.01"), context=_EXACT))


def estimate(watt: float, hours: float, impact_g_per_kwh: float) -> Estimate:
    r"""Return what the ML CO2 Impact calculator shows for one accelerator.

    .. math:: E = \left[\frac{P t}{1000}\right], \quad f = \left[\frac{g}{1000}\right], \quad m = \left[E f\right]

    where the brackets round to two digits, half up. So the factor is known to 10 g/kWh only, and below 5 g/kWh it is
    nothing. There is no PUE, no host, no memory and no making in it.

    Args:
        watt: Power of the accelerator, :math:`P`, in W; the calculator takes its TDP. 0 to 1e100.
        hours: Accelerator hours, :math:`t`; 0 to 1e100.
        impact_g_per_kwh: Grid intensity of the region, :math:`g`, in g CO2e per kWh; 0 to 1e100. The calculator cuts
            the factors of its own table to whole grams before that.

    Returns:
        The energy in kWh, the factor in kg/kWh and the emissions in kg, rounded as the calculator rounds.

    Raises:
        ArgumentError: A number is NaN, infinite or negative.
        ArgumentTypeError: An argument is not one number.

    Source: lacoste2019, file js/grayscale.js, function setDetails. Taught in 10.

    Example:
        >>> estimate(250, 12345, 557)
        Estimate(energy_kwh=3086.25, impact_kg_per_kwh=0.56, co2_kg=1728.3)
        >>> estimate(221, 7, 517).co2_kg
        0.81
    """
    watt = number("watt", watt, "[0, 1e100]")
    hours = number("hours", hours, "[0, 1e100]")
    impact_g_per_kwh = number("impact_g_per_kwh", impact_g_per_kwh, "[0, 1e100]")
    energy_kwh = _two_digits(watt * hours / 1000)
    impact_kg_per_kwh = _two_digits(impact_g_per_kwh / 1000)
    return Estimate(energy_kwh, impact_kg_per_kwh, _two_digits(energy_kwh * impact_kg_per_kwh))
