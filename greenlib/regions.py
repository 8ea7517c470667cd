"""Rank cloud regions by carbon, under a budget and within the jurisdictions that may hold the data."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from greenlib.catalog import table
from greenlib.checks import ArgumentTypeError, choice, number
from greenlib.footprint import emissions_kg, facility_kwh, it_kwh

__all__ = ["rank_sites", "recommend_region"]


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
    gpu_hours = number("accelerator_hours", gpu_hours, "[0, inf)")
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


def rank_sites(
    it_kwh,
    *,
    default_pue,
    providers: Iterable[str] | None = None,
    jurisdictions: Iterable[str] | None = None,
    gdpr_transfers: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return the sourced sites by the emissions of a job, within what provider and law allow.

    Args:
        it_kwh: IT energy of the job in kWh; 0 or more.
        default_pue: PUE for a site that publishes none; 1 to 10.
        providers: Providers to keep, of ``aws``, ``azure`` and ``gcp``; None for all.
        jurisdictions: Jurisdictions to keep, such as ``"EU"`` or ``"USA"``; None for all.
        gdpr_transfers: Transfer rules to keep, such as ``"eu"`` or ``"adequate"``; None for all.

    Returns:
        The sites that remain, the cleanest first: columns name, location, grid_g_per_kwh, grid_method, pue,
        pue_published, facility_kwh, emissions_kg, jurisdiction, gdpr_transfer; empty when none remains.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: A value is not a number, or a filter is not a list of names.
        UnknownNameError: A filter names something that no site has.

    Source: the rows' own. Taught in 04.

    Example:
        >>> rank_sites(1000, default_pue=1.2, providers=["gcp"])["name"].head(2).tolist()
        ['gcp/europe-north2', 'gcp/northamerica-northeast1']
    """
    energy_kwh = number("it_kwh", it_kwh, "[0, inf)")
    pue = number("default_pue", default_pue, "[1, 10]")
    sites = table("sites")
    filters = {"provider": providers, "jurisdiction": jurisdictions, "gdpr_transfer": gdpr_transfers}
    for column, wanted in filters.items():
        if wanted is None:
            continue
        if isinstance(wanted, str):
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
    return ranked.sort_values("emissions_kg", kind="stable", ignore_index=True)[columns]
