"""Climatiq: an emission factor from a keyed database, times a quantity of yours.

Set ``CLIMATIQ_API_KEY`` to ask the real service; ``CLIMATIQ_URL`` names another address. Without a key the answer is a
replay: its shape is the one that Climatiq documents, its factors are this book's own and illustrative.

Climatiq once took virtual machines and hours and worked out the energy itself. These cloud-computing endpoints were
announced to end on 30 September 2026 without a successor, so the energy has to be worked out first: by a chain of
yours. What remains is a multiplication with a factor that names its source, year and region.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from greenlib.checks import choice, number
from greenlib.feeds.service import Answer, Service

__all__ = ["SERVICE", "ActivityData", "EmissionFactor", "Estimation", "electricity"]

SERVICE = Service(
    name="Climatiq",
    slug="climatiq",
    address="https://api.climatiq.io",
    address_variable="CLIMATIQ_URL",
    key_variables=("CLIMATIQ_API_KEY",),
)

FRESH_S = 24 * 3600
"""Seconds for which an answer is as good as a live one: the factors are yearly."""

GRID_MIX = "electricity-supply_grid-source_supplier_mix"
"""Climatiq's name for electricity from the grid as it is supplied."""

DATA_VERSION = "^33"
"""The release of Climatiq's database that is asked, in its notation for "this one or a compatible later one"."""

RECORDED = ("US", "FI")
"""Regions of which a replay ships."""

Quantity = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class EmissionFactor(BaseModel):
    """The factor that was used, and where it comes from."""

    name: str
    activity_id: str
    source: str
    source_dataset: str | None = None
    year: int
    region: str
    source_lca_activity: str | None = None
    data_quality_flags: list[str] = []


class ActivityData(BaseModel):
    """The quantity that the factor was multiplied by."""

    activity_value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    activity_unit: Literal["kWh"]


class Estimation(BaseModel):
    """Climatiq's answer, as far as it is read here; another unit than kilograms is refused, not misread."""

    co2e: Quantity
    co2e_unit: Literal["kg"]
    co2e_calculation_method: str | None = None
    co2e_calculation_origin: str | None = None
    emission_factor: EmissionFactor | None
    """The factor; None if the key's plan does not include the audit trail."""
    activity_data: ActivityData
    audit_trail: str | None = None

    @property
    def g_per_kwh(self) -> float:
        """The factor that was in effect, in g CO2e per kWh."""
        return 1000 * self.co2e / self.activity_data.activity_value


def electricity(facility_kwh: float, region: str, *, year: int | None = None) -> Answer[Estimation]:
    """Return Climatiq's estimate for electricity from the grid of a region.

    Args:
        facility_kwh: Energy at the meter of the building, PUE included, in kWh; above 0.
        region: The grid, as Climatiq names it: an ISO 3166 code of two letters, such as ``"US"``, or of a part.
        year: Year of the factor; None for the newest that Climatiq has. Replays know one year.

    Returns:
        The answer; ``body.co2e`` in kg CO2e, ``body.emission_factor`` with source and year.

    Raises:
        ArgumentError: The energy is not above 0, or there is no replay of that year.
        UnknownNameError: Without a key: there is no replay of that region.
        FeedError: The service refused the key or the question, or gave no usable answer, now or earlier.

    Source: climatiq2026. Taught in 10.

    Example:
        >>> answer = electricity(1000, "US")
        >>> answer.body.co2e, answer.how
        (400.0, 'replayed')
    """
    facility_kwh = number("facility_kwh", facility_kwh, "(0, inf)")
    if not SERVICE.is_live():
        return _replayed(facility_kwh, region, year)
    selector: dict[str, Any] = {"activity_id": GRID_MIX, "data_version": DATA_VERSION, "region": region}
    if year is not None:
        selector["year"] = year
    return SERVICE.post(
        "/data/v1/estimate",
        Estimation,
        body={"emission_factor": selector, "parameters": {"energy": facility_kwh, "energy_unit": "kWh"}},
        headers={"Authorization": f"Bearer {SERVICE.key()[0]}"},
        fresh_s=FRESH_S,
    )


def _replayed(facility_kwh: float, region: str, year: int | None) -> Answer[Estimation]:
    """Return the recording for another quantity: the answer is proportional to it."""
    recording = SERVICE.replay(f"electricity_{choice('region', region, RECORDED).lower()}", Estimation)
    recorded = recording.body
    if year is not None and recorded.emission_factor is not None:
        choice("year", str(year), [str(recorded.emission_factor.year)])
    asked = recorded.activity_data.model_copy(update={"activity_value": facility_kwh})
    co2e = recorded.co2e * facility_kwh / recorded.activity_data.activity_value
    return replace(recording, body=recorded.model_copy(update={"co2e": co2e, "activity_data": asked}))
