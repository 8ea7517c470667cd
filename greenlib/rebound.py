"""Why efficiency alone does not cut the total: rebound, elasticity, growth and caps."""

from __future__ import annotations

import numpy as np

from greenlib.checks import checked, quantity

__all__ = [
    "annual_growth",
    "break_even_elasticity",
    "energy_ratio",
    "rebound_fraction",
    "scaled_energy_ratio",
    "uses_under_cap",
]


@checked
def rebound_fraction(expected_saving, actual_saving):
    r"""Return the share of an expected saving that is eaten by more use.

    .. math:: R = 1 - \frac{S_\mathrm{actual}}{S_\mathrm{expected}}

    0 is no rebound; 1 is a saving wholly eaten; above 1 the total rises, which is backfire, the Jevons paradox.

    Args:
        expected_saving: Saving that the engineering promises at unchanged use, as a fraction; above 0, at most 1.
        actual_saving: Saving that is seen, as a fraction of the same total; at most 1, negative where the total rose.

    Returns:
        The rebound as a fraction, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: sorrell2007rebound. Taught in 14.

    Example:
        >>> rebound_fraction(0.5, 0.4)
        0.19999999999999996
        >>> rebound_fraction(0.5, -0.25)
        1.5
    """
    return 1 - actual_saving / expected_saving


@checked
def energy_ratio(efficiency_gain, *, elasticity, pass_through=1.0):
    r"""Return total energy after an efficiency gain over total energy before it.

    .. math:: \frac{E_1}{E_0} = \frac{c^{-\varepsilon}}{G}, \qquad c = 1 - p \left(1 - \frac{1}{G}\right)

    A service that takes :math:`G` times less energy gets cheaper by the share :math:`p` of that gain which reaches
    the user's price, to a fraction :math:`c` of the old price; demand answers with the elasticity
    :math:`\varepsilon`, taken to be constant.

    Args:
        efficiency_gain: Energy for one use before over after, :math:`G`; 1 or more.
        elasticity: Percent more use for one percent lower price, :math:`\varepsilon`; 0 to 10.
        pass_through: Share of the energy gain that shows in the price, :math:`p`; 0 to 1.

    Returns:
        The ratio; below 1 energy falls, above 1 it rises; of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: sorrell2007rebound. Taught in 14.

    Example:
        >>> energy_ratio(2.0, elasticity=0.0), energy_ratio(2.0, elasticity=1.0), energy_ratio(2.0, elasticity=2.0)
        (0.5, 1.0, 2.0)
    """
    price = 1 - pass_through * (1 - 1 / efficiency_gain)
    return price**-elasticity / efficiency_gain


@checked
def break_even_elasticity(efficiency_gain, *, pass_through=1.0):
    r"""Return the elasticity at which more use eats the whole efficiency gain.

    .. math:: \varepsilon^* = \frac{\ln G}{-\ln c}, \qquad c = 1 - p \left(1 - \frac{1}{G}\right)

    Args:
        efficiency_gain: Energy for one use before over after, :math:`G`; above 1.
        pass_through: Share of the energy gain that shows in the price, :math:`p`; above 0, at most 1.

    Returns:
        The elasticity, of the kind that was given; 1 when the whole gain reaches the price.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range, or there is no gain that could be eaten.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Taught in 14.

    Example:
        >>> break_even_elasticity(2.0)
        1.0
        >>> round(break_even_elasticity(3.0, pass_through=0.5), 2)
        2.71
    """
    efficiency_gain = quantity("efficiency_gain", efficiency_gain, "(1, 1e9]")
    pass_through = quantity("pass_through", pass_through, "(0, 1]")
    return np.log(efficiency_gain) / -np.log(1 - pass_through * (1 - 1 / efficiency_gain))


@checked
def annual_growth(before, after, *, years):
    r"""Return the factor by which a quantity grew in a year, on average.

    .. math:: \left(\frac{\mathrm{after}}{\mathrm{before}}\right)^{1/y}

    Args:
        before: The quantity at the start; above 0.
        after: The quantity at the end, in the same unit; 0 or more.
        years: Years between them, :math:`y`; above 0.

    Returns:
        Growth factor for one year, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Taught in 14.

    Example:
        >>> annual_growth(1.0, 16.0, years=4)
        2.0
    """
    return (after / before) ** (1 / years)


@checked
def scaled_energy_ratio(efficiency_gain, *, model_growth, token_exponent):
    r"""Return training energy after models grow and hardware improves, over training energy before.

    .. math:: \frac{E_1}{E_0} = \frac{s^{1+\alpha}}{G}

    Training tokens are taken to grow with the model as :math:`s^\alpha`: :math:`\alpha = 0` keeps them fixed,
    :math:`\alpha = 1` keeps their ratio to the parameters fixed, which is compute-optimal.

    Args:
        efficiency_gain: Operations for one joule after over before, :math:`G`; 1 or more.
        model_growth: Parameters after over before, :math:`s`; above 0.
        token_exponent: How training tokens follow the parameters, :math:`\alpha`; 0 to 3.

    Returns:
        The ratio, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: hoffmann2022chinchilla for the compute-optimal exponent. Taught in 14.

    Example:
        >>> scaled_energy_ratio(2.0, model_growth=4.0, token_exponent=0.0)
        2.0
        >>> scaled_energy_ratio(2.0, model_growth=4.0, token_exponent=1.0)
        8.0
    """
    return model_growth ** (1 + token_exponent) / efficiency_gain


@checked
def uses_under_cap(cap_kwh, *, kwh_per_use):
    r"""Return how many uses fit under an energy cap.

    .. math:: n = \frac{E_\mathrm{cap}}{e}

    Under a cap an efficiency gain buys more uses and leaves the total where it is.

    Args:
        cap_kwh: Energy that may be used, in kWh; 0 or more.
        kwh_per_use: Energy of one use in kWh; above 0.

    Returns:
        Uses, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Taught in 14.

    Example:
        >>> uses_under_cap(1000, kwh_per_use=0.5)
        2000.0
    """
    return cap_kwh / kwh_per_use
