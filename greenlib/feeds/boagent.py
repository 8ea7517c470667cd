"""boagent: a companion of a machine that reads its power and asks BoaviztAPI about its making.

It runs beside the work, as root, on Linux, and needs three others: ``lshw`` and ``nvme-cli`` to see the hardware,
Scaphandre to read the power from the processors' counters, and a BoaviztAPI. It sends processors, memory and disks to
BoaviztAPI, so neither the making of an accelerator nor its power is in the answer. ``BOAGENT_URL`` names the address
of a running one, such as ``http://localhost:8000``. Otherwise the answer is a replay: its shape is boagent's, its
values are this book's own and illustrative.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from greenlib.checks import ArgumentError, ArgumentTypeError, number
from greenlib.feeds.service import Answer, Service

__all__ = ["SERVICE", "Metrics", "query"]

SERVICE = Service(
    name="boagent",
    slug="boagent",
    address="http://localhost:8000",
    address_variable="BOAGENT_URL",
)

FRESH_S = 0
"""A window that lies in the past is read from files on the same machine: it is asked anew each time."""

_MOMENT = "a time with a zone, such as datetime(2026, 11, 1, tzinfo=UTC)"

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Spread(BaseModel):
    """A value with its range."""

    value: Amount
    min: Amount
    max: Amount


class Operational(BaseModel):
    """Emissions of the electricity in the window."""

    value: Spread
    unit: Literal["kg CO2eq"]


class Embedded(BaseModel):
    """Share of the making that falls to the window, in kg."""

    value: Amount
    unit: Literal["kg CO2eq"]


class Power(BaseModel):
    """Mean power that Scaphandre read in the window."""

    value: Amount
    unit: Literal["W"]


class Time(BaseModel):
    """A moment, in seconds since 1970."""

    value: float
    unit: Literal["s"]


class Warnings(BaseModel):
    """What boagent itself warns of."""

    energy_consumption_warning: str | None = None


class LocationWarning(BaseModel):
    """What boagent says when it was not told the country."""

    warning_message: str


class Metrics(BaseModel):
    """boagent's answer for one window of time, as far as it is read here."""

    total_operational_emissions: Operational
    embedded_emissions: Embedded
    average_power_measured: Power
    start_time: Time
    end_time: Time
    emissions_calculation_data: Warnings = Warnings()
    location_warning: LocationWarning | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Metrics:
        if not self.start_time.value < self.end_time.value:
            raise ValueError("the window ends before it begins")
        return self

    @property
    def hours(self) -> float:
        """Length of the window in hours."""
        return (self.end_time.value - self.start_time.value) / 3600

    @property
    def operational_kg(self) -> float:
        """Emissions of the electricity in the window, in kg CO2e."""
        return self.total_operational_emissions.value.value

    @property
    def embodied_kg(self) -> float:
        """Share of the making that falls to the window, in kg CO2e."""
        return self.embedded_emissions.value

    @property
    def power_w(self) -> float:
        """Mean power in the window, in W, without accelerators."""
        return self.average_power_measured.value

    @property
    def warnings(self) -> list[str]:
        """What boagent itself warns of."""
        said = [self.emissions_calculation_data.energy_consumption_warning]
        said.append(self.location_warning.warning_message if self.location_warning else None)
        return [text for text in said if text]


def query(start: datetime, end: datetime, *, location: str = "USA", lifetime_years: float = 5.0) -> Answer[Metrics]:
    """Return what boagent says of the machine for a window of time.

    Both ends must be given: asked without them, boagent answers for the last hour's electricity, but for the making of
    the whole machine, and the two do not belong together.

    Args:
        start: Start of the window, with a time zone.
        end: End of the window, after the start.
        location: Country whose grid is used, as an ISO 3166 code of three letters.
        lifetime_years: Years over which the making is shared out; above 0, at most 100.

    Returns:
        The answer. A replay is of a window of its own, whatever was asked; ``body.hours`` says how long.

    Raises:
        ArgumentError: A time has no zone, the window is empty, or the lifetime is out of range.
        ArgumentTypeError: A time is none, or the lifetime is not one number.
        FeedError: boagent gave no usable answer, now or earlier.

    Source: boagent2026. Taught in 10.

    Example:
        >>> from datetime import UTC
        >>> answer = query(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
        >>> answer.body.hours, answer.how
        (24.0, 'replayed')
    """
    for name, moment in (("start", start), ("end", end)):
        if not isinstance(moment, datetime):
            raise ArgumentTypeError(name, moment, _MOMENT)
        if moment.tzinfo is None:
            raise ArgumentError(name, moment, _MOMENT)
    if not start < end:
        raise ArgumentError("end", end, f"after the start, {start.isoformat()}")
    lifetime_years = number("lifetime_years", lifetime_years, "(0, 100]")
    if not SERVICE.is_live():
        return SERVICE.replay("query", Metrics)
    parameters = {
        "start_time": str(start.timestamp()),
        "end_time": str(end.timestamp()),
        "location": location,
        "lifetime": str(lifetime_years),
        "measure_power": "true",
        "verbose": "false",
    }
    return SERVICE.get("/query", Metrics, parameters=parameters, fresh_s=FRESH_S)
