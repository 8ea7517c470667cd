"""The chain from work to footprint: FLOP, accelerator hours, IT energy, facility energy, kilograms and litres.

One pure function per quantity, named after what it returns. Each takes floats, NumPy arrays, pandas Series or Dask
arrays and returns the same kind. :func:`footprint` walks the whole chain at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from greenlib.checks import ArgumentError, checked

if TYPE_CHECKING:
    from greenlib.catalog import Accelerator, Site

__all__ = [
    "Footprint",
    "accelerator_hours",
    "embodied_kg",
    "emissions_kg",
    "facility_kwh",
    "footprint",
    "inference_flops",
    "it_kwh",
    "training_flops",
    "water_l",
]


@checked
def training_flops(active_params, tokens, *, flops_per_param_token=6):
    r"""Return the operations of one training run.

    .. math:: C = 6 N D

    Two operations per parameter and token make the forward pass, four the backward pass; attention over the context
    is left out, which is small while the context is short against the width of the model.

    Args:
        active_params: Parameters used for one token, :math:`N`; above 0.
        tokens: Training tokens, :math:`D`; 0 or more.
        flops_per_param_token: Operations per parameter and token; above 0, at most 100.

    Returns:
        Operations in FLOP, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: kaplan2020scaling, section 2.1. Taught in 01.

    Example:
        >>> training_flops(70e9, 2e12)
        8.4e+23
    """
    return active_params * tokens * flops_per_param_token


@checked
def inference_flops(active_params, tokens, *, flops_per_param_token=2):
    r"""Return the operations of processing tokens without learning from them.

    .. math:: C = 2 N D

    Args:
        active_params: Parameters used for one token, :math:`N`; above 0.
        tokens: Tokens read or written, :math:`D`; 0 or more.
        flops_per_param_token: Operations per parameter and token; above 0, at most 100.

    Returns:
        Operations in FLOP, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: kaplan2020scaling, section 2.1. Taught in 01.

    Example:
        >>> inference_flops(70e9, 1000)
        140000000000000.0
    """
    return active_params * tokens * flops_per_param_token


@checked
def accelerator_hours(flops, *, peak_flops_per_s, mfu):
    r"""Return the accelerator hours that a number of operations takes.

    .. math:: t = \frac{C}{3600 \, P \, \mathrm{MFU}}

    Args:
        flops: Operations, :math:`C`, in FLOP; 0 or more.
        peak_flops_per_s: Peak rate of one accelerator at the precision used, :math:`P`, in FLOP/s; 1e6 to 1e21.
        mfu: Model FLOP utilisation, the share of the peak that becomes useful work; above 0, at most 1.

    Returns:
        Hours of one accelerator, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: chowdhery2022palm, appendix B (MFU). Taught in 01.

    Example:
        >>> round(accelerator_hours(8.4e23, peak_flops_per_s=989e12, mfu=0.40))
        589821
    """
    return flops / (peak_flops_per_s * mfu * 3600)


@checked
def it_kwh(accelerator_hours, *, power_w):
    r"""Return the energy that the IT equipment takes in that time.

    .. math:: E_\mathrm{IT} = \frac{t \, p}{1000}

    Args:
        accelerator_hours: Hours of one accelerator, :math:`t`; 0 or more.
        power_w: Mean IT power for one accelerator with its share of host and network, :math:`p`, in W; above 0.
            The accelerator's TDP is the usual stand-in when nothing was measured.

    Returns:
        IT energy in kWh, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: patterson2021carbon, section 2. Taught in 01.

    Example:
        >>> it_kwh(1000, power_w=700)
        700.0
    """
    return accelerator_hours * power_w / 1000


@checked
def facility_kwh(it_kwh, *, pue):
    r"""Return the energy that the whole building takes for that IT energy.

    .. math:: E_\mathrm{facility} = E_\mathrm{IT} \, \mathrm{PUE}

    Args:
        it_kwh: IT energy in kWh; 0 or more.
        pue: Power usage effectiveness, facility energy over IT energy; 1 to 10.

    Returns:
        Facility energy in kWh, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: patterson2021carbon, section 2. Taught in 01 and 03.

    Example:
        >>> facility_kwh(700, pue=1.1)
        770.0000000000001
    """
    return it_kwh * pue


@checked
def emissions_kg(facility_kwh, *, grid_g_per_kwh):
    r"""Return the operational emissions of that facility energy.

    .. math:: m = \frac{E_\mathrm{facility} \, g}{1000}

    Args:
        facility_kwh: Facility energy in kWh; 0 or more.
        grid_g_per_kwh: Grid intensity, :math:`g`, in g CO2e per kWh; 0 to 5000.

    Returns:
        Emissions in kg CO2e, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: patterson2021carbon, section 2. Taught in 01.

    Example:
        >>> emissions_kg(770, grid_g_per_kwh=400)
        308.0
    """
    return facility_kwh * grid_g_per_kwh / 1000


@checked
def water_l(it_kwh, *, wue_l_per_kwh):
    r"""Return the water that the building consumes on site.

    .. math:: W = E_\mathrm{IT} \, \mathrm{WUE}

    WUE is defined as litres per kWh of *IT* energy, so PUE does not enter.

    Args:
        it_kwh: IT energy in kWh; 0 or more.
        wue_l_per_kwh: Water usage effectiveness in litres per kWh of IT energy; 0 to 50.

    Returns:
        Water in litres, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: li2023thirsty, section 3. Taught in 03.

    Example:
        >>> water_l(700, wue_l_per_kwh=0.2)
        140.0
    """
    return it_kwh * wue_l_per_kwh


@checked
def embodied_kg(accelerator_hours, *, device_embodied_kg, lifetime_hours, utilization):
    r"""Return the share of the accelerator's making that this work uses up.

    .. math:: m = M \, \frac{t}{L \, u}

    Args:
        accelerator_hours: Hours of one accelerator, :math:`t`; 0 or more.
        device_embodied_kg: Emissions of making one accelerator, :math:`M`, in kg CO2e; above 0.
        lifetime_hours: Hours from installation to retirement, :math:`L`; above 0.
        utilization: Share of the lifetime in which the accelerator works, :math:`u`; above 0, at most 1.

    Returns:
        Embodied emissions in kg CO2e, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: luccioni2023bloom, section 4.1. Taught in 03.

    Example:
        >>> embodied_kg(8760, device_embodied_kg=150, lifetime_hours=4 * 8760, utilization=0.5)
        75.0
    """
    return device_embodied_kg * accelerator_hours / (lifetime_hours * utilization)


@checked
def _operational_kg(
    flops,
    *,
    peak_flops_per_s,
    mfu,
    power_w,
    pue,
    grid_g_per_kwh,
    wue_l_per_kwh=None,
    device_embodied_kg=None,
    lifetime_hours=None,
    utilization=None,
):
    """Walk the chain to operational emissions; the optional inputs are taken in so that all are checked at once."""
    hours = accelerator_hours.formula(flops, peak_flops_per_s=peak_flops_per_s, mfu=mfu)
    facility = facility_kwh.formula(it_kwh.formula(hours, power_w=power_w), pue=pue)
    return emissions_kg.formula(facility, grid_g_per_kwh=grid_g_per_kwh)


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """The footprint of a piece of work: what went in, and every quantity of the chain that comes out.

    The inputs are fields. ``operational_kg`` is computed when the footprint is made, the other quantities when they
    are first asked for. A quantity whose inputs were not given (water, embodied emissions) is ``None``.
    """

    flops: Any
    mfu: Any
    peak_flops_per_s: Any
    power_w: Any
    pue: Any
    grid_g_per_kwh: Any
    wue_l_per_kwh: Any = None
    device_embodied_kg: Any = None
    lifetime_hours: Any = None
    utilization: Any = None
    operational_kg: Any
    """Emissions of the electricity used, in kg CO2e."""

    @cached_property
    def accelerator_hours(self):
        """Hours of one accelerator."""
        return accelerator_hours(self.flops, peak_flops_per_s=self.peak_flops_per_s, mfu=self.mfu)

    @cached_property
    def it_kwh(self):
        """Energy of the IT equipment in kWh."""
        return it_kwh(self.accelerator_hours, power_w=self.power_w)

    @cached_property
    def facility_kwh(self):
        """Energy of the whole building in kWh."""
        return facility_kwh(self.it_kwh, pue=self.pue)

    @cached_property
    def water_l(self):
        """On-site water in litres, or None without a WUE."""
        if self.wue_l_per_kwh is None:
            return None
        return water_l(self.it_kwh, wue_l_per_kwh=self.wue_l_per_kwh)

    @cached_property
    def embodied_kg(self):
        """Share of the making of the accelerators in kg CO2e, or None without a lifetime."""
        if self.device_embodied_kg is None:
            return None
        return embodied_kg(
            self.accelerator_hours,
            device_embodied_kg=self.device_embodied_kg,
            lifetime_hours=self.lifetime_hours,
            utilization=self.utilization,
        )

    def inputs(self) -> dict[str, Any]:
        """Return the inputs that were given, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None and name != "operational_kg"}

    def quantities(self) -> dict[str, Any]:
        """Return the computed quantities by name, in the order of the chain, without those that are None."""
        names = ("accelerator_hours", "it_kwh", "facility_kwh", "operational_kg", "embodied_kg", "water_l")
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}

    def __repr__(self) -> str:
        return f"Footprint({', '.join(f'{name}={_short(value)}' for name, value in self.quantities().items())})"

    def _repr_html_(self) -> str | None:
        labels = {
            "accelerator_hours": ("Accelerator time", "h"),
            "it_kwh": ("IT energy", "kWh"),
            "facility_kwh": ("Facility energy", "kWh"),
            "operational_kg": ("Operational emissions", "kg CO2e"),
            "embodied_kg": ("Embodied emissions", "kg CO2e"),
            "water_l": ("Water on site", "L"),
        }
        columns = {name: _columns(value) for name, value in self.quantities().items()}
        if None in columns.values():
            return None
        uncertain = any(len(numbers) == 3 for numbers in columns.values())
        head = "<thead><tr><th></th><th>p10</th><th>p50</th><th>p90</th><th></th></tr></thead>" if uncertain else ""
        rows = ""
        for name, numbers in columns.items():
            numbers = numbers * 3 if uncertain and len(numbers) == 1 else numbers
            cells = "".join(f"<td>{n:,.4g}</td>" if n < 1000 else f"<td>{n:,.0f}</td>" for n in numbers)
            rows += f"<tr><th>{labels[name][0]}</th>{cells}<td>{labels[name][1]}</td></tr>"
        return f'<table class="footprint">{head}<tbody>{rows}</tbody></table>'


def _columns(value: Any) -> list[float] | None:
    """Return what a table shows of a quantity: a number, three percentiles of samples, None for other arrays."""
    if isinstance(value, float):
        return [value]
    if hasattr(value, "p10") and getattr(value, "ndim", 0) == 1:
        return [value.p10, value.p50, value.p90]
    return None


def _short(value: Any) -> str:
    numbers = _columns(value)
    return f"<{type(value).__name__}>" if numbers is None else " to ".join(f"{n:.4g}" for n in dict.fromkeys(numbers))


def _catalog():
    """Import the catalogue, and pandas with it, only when a name is looked up."""
    from greenlib import catalog

    return catalog


def _from_row(row: Any, argument: str, given: Any, found: Any) -> Any:
    """Prefer what the caller gave to what the table row says; without either, say which is missing."""
    if given is not None or found is not None:
        return found if given is None else given
    owner = "no table row was given" if row is None else f"{row.name} has none in the tables"
    raise ArgumentError(argument, None, f"given, since {owner}")


def footprint(
    flops,
    accelerator: Accelerator | str | None = None,
    site: Site | str | None = None,
    *,
    mfu,
    peak_flops_per_s=None,
    power_w=None,
    pue=None,
    grid_g_per_kwh=None,
    wue_l_per_kwh=None,
    device_embodied_kg=None,
    lifetime_hours=None,
    utilization=None,
) -> Footprint:
    r"""Return the footprint of a number of operations on an accelerator at a site.

    .. math:: m = \frac{C}{3600 \, P \, \mathrm{MFU}} \cdot \frac{p}{1000} \cdot \mathrm{PUE} \cdot \frac{g}{1000}

    What the accelerator and the site leave open, or get wrong for you, is given by keyword; a keyword wins over the
    table row.

    Args:
        flops: Operations in FLOP; 0 or more.
        accelerator: A row of the accelerator table or its name, for its dense 16-bit peak rate and its TDP.
        site: A row of the site table or its name, for its PUE, grid intensity and WUE.
        mfu: Model FLOP utilisation; above 0, at most 1.
        peak_flops_per_s: Peak rate of one accelerator in FLOP/s instead of the row's.
        power_w: Mean IT power for one accelerator in W instead of the row's TDP.
        pue: Power usage effectiveness instead of the row's; 1 to 10.
        grid_g_per_kwh: Grid intensity in g CO2e per kWh instead of the row's; 0 to 5000.
        wue_l_per_kwh: Water usage effectiveness instead of the row's, in litres per kWh of IT energy; 0 to 50.
        device_embodied_kg: Emissions of making one accelerator in kg CO2e; needs the next two as well.
        lifetime_hours: Hours from installation to retirement.
        utilization: Share of the lifetime in which the accelerator works; above 0, at most 1.

    Returns:
        The footprint, its quantities of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite, out of range, or neither given nor in the tables.
        ArgumentTypeError: An argument is not numbers.
        UnknownNameError: There is no such accelerator or site.
        AlignmentError: Two arguments do not belong row to row.

    Source: patterson2021carbon, section 2. Taught in 01.

    Example:
        >>> import greenlib as gl
        >>> run = gl.footprint(8.4e23, gl.accelerator("H100-SXM"), gl.site("gcp/us-central1"), mfu=0.40)
        >>> round(run.accelerator_hours), round(run.operational_kg)
        (589583, 187366)
        >>> cleaner = gl.footprint(8.4e23, "H100-SXM", mfu=0.40, pue=1.1, grid_g_per_kwh=20)
        >>> round(cleaner.operational_kg)
        9080
    """
    if isinstance(accelerator, str):
        accelerator = _catalog().accelerator(accelerator)
    if isinstance(site, str):
        site = _catalog().site(site)
    embodied = {
        "device_embodied_kg": device_embodied_kg,
        "lifetime_hours": lifetime_hours,
        "utilization": utilization,
    }
    missing = [name for name, value in embodied.items() if value is None]
    if 0 < len(missing) < len(embodied):
        raise ArgumentError(missing[0], None, "given, since embodied emissions need all of " + ", ".join(embodied))
    inputs = {
        "flops": flops,
        "peak_flops_per_s": _from_row(
            accelerator, "peak_flops_per_s", peak_flops_per_s, accelerator and accelerator.peak_flops_per_s
        ),
        "mfu": mfu,
        "power_w": _from_row(accelerator, "power_w", power_w, accelerator and accelerator.tdp_w),
        "pue": _from_row(site, "pue", pue, site and site.pue),
        "grid_g_per_kwh": _from_row(site, "grid_g_per_kwh", grid_g_per_kwh, site and site.grid_g_per_kwh),
        "wue_l_per_kwh": site.wue_l_per_kwh if wue_l_per_kwh is None and site is not None else wue_l_per_kwh,
        **embodied,
    }
    return Footprint(**inputs, operational_kg=_operational_kg(**inputs))
