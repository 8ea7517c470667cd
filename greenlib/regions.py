"""Rank cloud regions by carbon within limits of law, cost and distance, and say what a limit costs in kilograms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from greenlib.catalog import table
from greenlib.checks import ArgumentError, ArgumentTypeError, checked, choice, number, quantity
from greenlib.footprint import emissions_kg, facility_kwh, it_kwh

__all__ = ["LimitCost", "cost_of_limit", "great_circle_km", "rank_sites", "recommend_region", "round_trip_ms"]

EARTH_RADIUS_KM = 6371.0
"""Radius of a sphere about as large as the Earth; the true figure is off it by less than 0.6 % in any distance."""

FIBRE_GROUP_INDEX = 1.4682
"""How many times slower than in vacuum light is in the most common glass fibre, at 1550 nm (ephotonics2026fibre)."""

VACUUM_KM_PER_MS = 299.792458
"""Speed of light, exact."""


def recommend_region(gpu_hours, max_cost=None) -> pd.DataFrame:
    """Return the eight illustrative regions by emissions, those over the budget left out.

    This is the textbook example: 700 W, PUE 1.1 and cost = hours × price for every region alike. Its rows are
    illustrative; :func:`rank_sites` does the same with sourced ones.

    Args:
        gpu_hours: Accelerator hours of the job; 0 or more.
        max_cost: Budget in USD; None for no budget, 0 for a budget of nothing.

    Returns:
        The regions that fit the budget, the cleanest first: columns region, provider, grid_g_per_kwh, facility_kwh,
        emissions_kg, cost_usd, renewable_fraction; empty when none fits.

    Raises:
        ArgumentError: A value is NaN, infinite or negative.
        ArgumentTypeError: A value is not a number.

    Source: illustrative. Taught in 04.

    Example:
        >>> recommend_region(10_000, max_cost=50_000)["emissions_kg"].round(1).head(2).tolist()
        [154.0, 192.5]
    """
    gpu_hours = number("gpu_hours", gpu_hours, "[0, inf)")
    rows = table("illustrative_regions")
    energy_kwh = facility_kwh(it_kwh(gpu_hours, power_w=700), pue=1.1)
    ranked = rows.assign(
        facility_kwh=energy_kwh,
        emissions_kg=emissions_kg(energy_kwh, grid_g_per_kwh=rows["grid_g_per_kwh"]),
        cost_usd=gpu_hours * rows["usd_per_gpu_hour"],
    )
    if max_cost is not None:
        ranked = ranked[ranked["cost_usd"] <= number("max_cost", max_cost, "[0, inf)")]
    columns = [
        "region",
        "provider",
        "grid_g_per_kwh",
        "facility_kwh",
        "emissions_kg",
        "cost_usd",
        "renewable_fraction",
    ]
    return ranked.sort_values("emissions_kg", kind="stable", ignore_index=True)[columns]


@checked
def great_circle_km(latitude, longitude, *, to_latitude, to_longitude):
    r"""Return the shortest way over the Earth's surface between two places.

    .. math:: d = 2 r \arcsin \sqrt{\sin^2 \frac{\varphi_2 - \varphi_1}{2}
              + \cos\varphi_1 \cos\varphi_2 \sin^2 \frac{\lambda_2 - \lambda_1}{2}}

    with a radius :math:`r` of 6,371 km. The Earth is a little flat, which makes a distance up to 0.6 % wrong.

    Args:
        latitude: Latitude of the first place, :math:`\varphi_1`, in degrees, north positive; -90 to 90.
        longitude: Longitude of the first place, :math:`\lambda_1`, in degrees, east positive; -180 to 180.
        to_latitude: Latitude of the second place, :math:`\varphi_2`.
        to_longitude: Longitude of the second place, :math:`\lambda_2`.

    Returns:
        Kilometres, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Taught in 04.

    Example:
        >>> round(great_circle_km(48.14, 11.58, to_latitude=59.33, to_longitude=18.07))
        1314
    """
    half_north = np.radians(to_latitude - latitude) / 2
    half_east = np.radians(to_longitude - longitude) / 2
    shrunk = np.cos(np.radians(latitude)) * np.cos(np.radians(to_latitude))
    square = np.sin(half_north) ** 2 + shrunk * np.sin(half_east) ** 2
    # Rounding can push the square of antipodes just above 1, where arcsin has no value.
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(square, 1.0)))


@checked
def round_trip_ms(distance_km, *, group_index=FIBRE_GROUP_INDEX):
    r"""Return the least time that light in glass needs for a distance and back.

    .. math:: t = \frac{2 \, d \, n}{c}

    A lower bound: cables make detours, and every switch on the way adds to it. Only radio and hollow fibre beat it.

    Args:
        distance_km: Distance one way, :math:`d`, in km; 0 or more.
        group_index: Speed of light in vacuum over that in the fibre, :math:`n`; 1 to 2.

    Returns:
        Milliseconds, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.

    Source: ephotonics2026fibre (group index). Taught in 04.

    Example:
        >>> round(round_trip_ms(1000), 2)
        9.79
    """
    return 2 * distance_km * group_index / VACUUM_KM_PER_MS


def rank_sites(
    it_kwh,
    *,
    default_pue,
    providers: Iterable[str] | None = None,
    jurisdictions: Iterable[str] | None = None,
    gdpr_transfers: Iterable[str] | None = None,
    near: tuple[float, float] | None = None,
    max_round_trip_ms=None,
    cost_usd: Mapping[str, float] | pd.Series | None = None,
    max_cost_usd=None,
) -> pd.DataFrame:
    """Return the sourced sites by the emissions of a job, within what provider, law, distance and budget allow.

    The table of sites holds no prices: what the job costs at a site is the caller's to say.

    Args:
        it_kwh: IT energy of the job in kWh; 0 or more.
        default_pue: PUE for a site that publishes none; 1 to 10.
        providers: Providers to keep, of ``aws``, ``azure`` and ``gcp``; None for all.
        jurisdictions: Jurisdictions to keep, such as ``"EU"`` or ``"USA"``; None for all.
        gdpr_transfers: Transfer rules to keep, such as ``"eu"`` or ``"adequate"``; None for all.
        near: Latitude and longitude, in degrees, of the place that is served; None for none.
        max_round_trip_ms: Longest :func:`round_trip_ms` from ``near``, 0 or more; None for no limit.
        cost_usd: Cost of the whole job in USD by name of the site; None where nothing is known.
        max_cost_usd: Budget in USD, 0 or more; a site of unknown cost does not fit it. None for no budget.

    Returns:
        The sites that remain, the cleanest first: columns name, location, grid_g_per_kwh, grid_method, pue,
        pue_published, facility_kwh, emissions_kg, jurisdiction, gdpr_transfer; with ``near`` also round_trip_ms, with
        ``cost_usd`` also cost_usd, NaN where unknown. Empty when none remains.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range, or a limit lacks what it limits.
        ArgumentTypeError: A value is not a number, or a filter is not a list of names.
        UnknownNameError: A filter names something that no site has.

    Source: the rows' own. Taught in 04.

    Example:
        >>> rank_sites(1000, default_pue=1.2, providers=["gcp"])["name"].head(2).tolist()
        ['gcp/europe-north2', 'gcp/northamerica-northeast1']
        >>> rank_sites(1000, default_pue=1.2, near=(48.14, 11.58), max_round_trip_ms=10)["name"].iloc[0]
        'gcp/europe-west6'
    """
    energy_kwh = number("it_kwh", it_kwh, "[0, inf)")
    pue = number("default_pue", default_pue, "[1, 10]")
    sites = table("sites")
    filters = {"provider": providers, "jurisdiction": jurisdictions, "gdpr_transfer": gdpr_transfers}
    for column, wanted in filters.items():
        if wanted is None:
            continue
        if isinstance(wanted, str) or not isinstance(wanted, Iterable):
            raise ArgumentTypeError(f"{column}s", wanted, "a list of names")
        sites = sites[sites[column].isin([choice(column, name, table("sites")[column].unique()) for name in wanted])]
    known_pue = sites["pue"].fillna(pue)
    facility = facility_kwh(pd.Series(energy_kwh, index=sites.index), pue=known_pue)
    ranked = sites.assign(
        pue=known_pue,
        pue_published=sites["pue"].notna(),
        facility_kwh=facility,
        emissions_kg=emissions_kg(facility, grid_g_per_kwh=sites["grid_g_per_kwh"]),
    )
    columns = ["name", "location", "grid_g_per_kwh", "grid_method", "pue", "pue_published"]
    columns += ["facility_kwh", "emissions_kg", "jurisdiction", "gdpr_transfer"]
    measures = {
        "round_trip_ms": ("near", near, _round_trips_ms, "max_round_trip_ms", max_round_trip_ms),
        "cost_usd": ("cost_usd", cost_usd, _costs_usd, "max_cost_usd", max_cost_usd),
    }
    for column, (argument, given, measure, limit_name, limit) in measures.items():
        if given is None and limit is not None:
            raise ArgumentError(argument, None, f"given, since {limit_name} is")
        if given is not None:
            ranked[column] = measure(given, ranked)
            columns.append(column)
        if limit is not None:
            ranked = ranked[ranked[column] <= number(limit_name, limit, "[0, inf)")]
    return ranked.sort_values("emissions_kg", kind="stable", ignore_index=True)[columns]


def _round_trips_ms(near: Any, sites: pd.DataFrame) -> pd.Series:
    if not isinstance(near, tuple | list) or len(near) != 2:
        raise ArgumentTypeError("near", near, "a pair: latitude and longitude, in degrees")
    distance_km = great_circle_km(*near, to_latitude=sites["latitude"], to_longitude=sites["longitude"])
    return round_trip_ms(distance_km)


def _costs_usd(cost_usd: Any, sites: pd.DataFrame) -> pd.Series:
    if not isinstance(cost_usd, Mapping | pd.Series):
        raise ArgumentTypeError("cost_usd", cost_usd, "a Series or dict: name of the site to USD")
    known = table("sites")["name"]
    for name in cost_usd.keys():  # noqa: SIM118 - a Series iterates over its values
        choice("site", name, known)
    costs = quantity("cost_usd", pd.Series(cost_usd), "[0, inf)")
    if not costs.index.is_unique:
        raise ArgumentError("cost_usd", "a site twice", "one cost for each site")
    return sites["name"].map(costs)


@dataclass(frozen=True, slots=True)
class LimitCost:
    """What a limit on the choice of a site costs: the best site within it against the best of all."""

    site_without: str
    """Name of the cleanest site of all."""
    site_within: str
    """Name of the cleanest site that the limit leaves."""
    extra_kg: float
    """Emissions at the second less those at the first, in kg CO2e; never negative."""
    extra_usd: float | None
    """Cost at the second less that at the first, in USD, negative where the limit saves money; None if unknown."""
    sites_left: int
    """How many sites the limit leaves."""

    @property
    def binds(self) -> bool:
        """Whether the limit costs any carbon; one that does not may be as real in law, and is free."""
        return self.extra_kg > 0


def cost_of_limit(it_kwh, *, default_pue, cost_usd: Mapping[str, float] | pd.Series | None = None, **limits):
    r"""Return what a limit on the choice of a site costs in kilograms, and in USD where prices are given.

    .. math:: \Delta m = m_\mathrm{best\ within} - m_\mathrm{best\ anywhere}

    Args:
        it_kwh: IT energy of the job in kWh; 0 or more.
        default_pue: PUE for a site that publishes none; 1 to 10.
        cost_usd: Cost of the whole job in USD by name of the site, as far as it is known.
        **limits: The limits of :func:`rank_sites`: ``providers``, ``jurisdictions``, ``gdpr_transfers``, ``near``
            with ``max_round_trip_ms``, ``max_cost_usd``. Several hold together.

    Returns:
        A :class:`LimitCost`.

    Raises:
        ArgumentError: No site is left, or a value is impossible.
        ArgumentTypeError: A value is of the wrong kind.
        UnknownNameError: There is no such limit, or it names something that no site has.

    Source: the rows' own. Taught in 04.

    Example:
        >>> cost_of_limit(7000, default_pue=1.2, gdpr_transfers=["eu"]).extra_kg
        0.0
        >>> cost_of_limit(7000, default_pue=1.2, jurisdictions=["IND"]).extra_kg > 4000
        True
    """
    known = set(rank_sites.__kwdefaults__) - {"cost_usd"}
    for name in sorted(set(limits) - known):
        choice("limit", name, sorted(known))
    free = rank_sites(it_kwh, default_pue=default_pue, cost_usd=cost_usd)
    within = rank_sites(it_kwh, default_pue=default_pue, cost_usd=cost_usd, **limits)
    if within.empty:
        raise ArgumentError("limits", limits, "such that a site is left")
    best, bound = free.iloc[0], within.iloc[0]
    extra_usd = None if cost_usd is None else float(bound["cost_usd"] - best["cost_usd"])
    return LimitCost(
        site_without=best["name"],
        site_within=bound["name"],
        extra_kg=float(bound["emissions_kg"] - best["emissions_kg"]),
        extra_usd=None if extra_usd is None or np.isnan(extra_usd) else extra_usd,
        sites_left=len(within),
    )
