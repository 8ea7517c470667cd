"""Green Algorithms, the formula of Lannelongue et al.: cores and memory, the building, and the times a run is made.

The calculator is a web page without a service to ask; its formula is short and stands here. No key, no network.
"""

from __future__ import annotations

from greenlib.checks import checked

__all__ = ["MEMORY_W_PER_GB", "PUE_UNKNOWN", "emissions_kg", "facility_kwh"]

MEMORY_W_PER_GB = 0.3725
"""Power of memory in W per GB, which the paper and the calculator's data of version 2.2 use."""

PUE_UNKNOWN = 1.67
"""PUE where none is known, an average of data centres surveyed in 2019; the same two sources."""


@checked
def facility_kwh(
    hours,
    *,
    cores,
    core_w,
    memory_gb,
    core_usage=1.0,
    memory_w_per_gb=MEMORY_W_PER_GB,
    pue=PUE_UNKNOWN,
    runs=1.0,
):
    r"""Return the facility energy of a run by Green Algorithms' formula.

    .. math:: E = \frac{t \, (n_c P_c u + n_m P_m) \, \mathrm{PUE} \cdot \mathrm{PSF}}{1000}

    The defaults are the calculator's own: full use of the cores, its power of memory, its PUE for an unknown building,
    one run. Memory counts by what was reserved, and is not scaled by the use of the cores.

    Args:
        hours: Run time, :math:`t`; 0 to 1e9.
        cores: Processor cores, or accelerators, :math:`n_c`; 0 to 1e9.
        core_w: Power of one of them at full use, :math:`P_c`, in W; 0 to 1e6.
        memory_gb: Host memory reserved, :math:`n_m`, in GB; 0 to 1e9.
        core_usage: Mean use of the cores, :math:`u`; 0 to 1.
        memory_w_per_gb: Power of memory, :math:`P_m`, in W per GB; 0 to 100.
        pue: Power usage effectiveness; 1 to 10.
        runs: Times the run is made, which the paper calls the pragmatic scaling factor, PSF; 0 to 1e9.

    Returns:
        Facility energy in kWh, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: lannelongue2021green, section on the methods; greenalgorithms2025, data/v2.2. Taught in 10.

    Example:
        >>> round(facility_kwh(10, cores=1, core_w=400, memory_gb=64, pue=1.1), 5)
        4.66224
    """
    return hours * (cores * core_w * core_usage + memory_gb * memory_w_per_gb) * pue * runs / 1000


@checked
def emissions_kg(
    hours,
    *,
    cores,
    core_w,
    memory_gb,
    grid_g_per_kwh,
    core_usage=1.0,
    memory_w_per_gb=MEMORY_W_PER_GB,
    pue=PUE_UNKNOWN,
    runs=1.0,
):
    r"""Return the emissions of a run by Green Algorithms' formula.

    .. math:: m = \frac{E \, g}{1000}

    with the facility energy :math:`E` of :func:`facility_kwh`.

    Args:
        hours: Run time; 0 to 1e9.
        cores: Processor cores, or accelerators; 0 to 1e9.
        core_w: Power of one of them at full use in W; 0 to 1e6.
        memory_gb: Host memory reserved in GB; 0 to 1e9.
        grid_g_per_kwh: Grid intensity, :math:`g`, in g CO2e per kWh; 0 to 5000.
        core_usage: Mean use of the cores; 0 to 1.
        memory_w_per_gb: Power of memory in W per GB; 0 to 100.
        pue: Power usage effectiveness; 1 to 10.
        runs: Times the run is made; 0 to 1e9.

    Returns:
        Emissions in kg CO2e, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: lannelongue2021green, section on the methods. Taught in 10.

    Example:
        >>> round(emissions_kg(10, cores=1, core_w=400, memory_gb=64, pue=1.1, grid_g_per_kwh=400), 6)
        1.864896
    """
    energy_kwh = facility_kwh.formula(
        hours,
        cores=cores,
        core_w=core_w,
        memory_gb=memory_gb,
        core_usage=core_usage,
        memory_w_per_gb=memory_w_per_gb,
        pue=pue,
        runs=runs,
    )
    return energy_kwh * grid_g_per_kwh / 1000
