"""BoaviztAPI: what it took to make a server or an accelerator, part by part.

BoaviztAPI is free software under the AGPL and runs on the reader's own machine: ``make boavizta`` installs it into an
environment of its own, starts it and prints the line ``BOAVIZTA_URL=…`` that switches this client to it. It is asked
over HTTP as a separate program and never imported. Without that variable the answer is a recording of that server.

Two habits of the server are undone here. It answers questions about accelerators that it does not know with its
default, and takes a short name for the nearest one it knows: this client compares what was asked with what was
answered, and refuses. And it has no electricity of accelerators, "not implemented": :func:`gpu_footprint` adds that
from greenlib's own chain and says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from greenlib.checks import choice
from greenlib.feeds.service import Answer, FeedError, Service
from greenlib.footprint import embodied_kg, emissions_kg, facility_kwh, it_kwh

__all__ = ["SERVICE", "Component", "GpuFootprint", "Server", "gpu", "gpu_footprint", "server"]

SERVICE = Service(
    name="BoaviztAPI",
    slug="boavizta",
    address="http://127.0.0.1:5000",
    address_variable="BOAVIZTA_URL",
)

VERSION = "2.5.0"
"""The release that was recorded, and that ``make boavizta`` installs."""

FRESH_S = 0
"""A server on the same machine is asked anew each time; the last answer is kept for when it is gone."""

GPUS = {
    "NVIDIA H100 SXM 80GB": "gpu_h100_sxm_80gb",
    "NVIDIA A100 SXM4 80GB": "gpu_a100_sxm4_80gb",
    "NVIDIA A100 SXM4 40GB": "gpu_a100_sxm4_40gb",
    "NVIDIA L4": "gpu_l4",
}
"""Accelerators with a recording, by BoaviztAPI's names."""

SERVERS = {
    "p5.48xlarge": "server_p5_48xlarge",
    "p4de.24xlarge": "server_p4de_24xlarge",
    "a2-ultragpu": "server_a2_ultragpu",
}
"""Servers with a recording, by BoaviztAPI's names of archetypes."""

LOCATION = "USA"
"""The country for which the servers were recorded."""

Kilograms = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Spread(BaseModel):
    """A value with the range that the server states for it."""

    value: Kilograms
    min: Kilograms
    max: Kilograms


class Criterion(BaseModel):
    """One kind of impact: of making the thing, and of using it."""

    unit: Literal["kgCO2eq"]
    embedded: Spread
    use: Spread | Literal["not implemented"]


class Impacts(BaseModel):
    """The impacts that were asked for: climate alone."""

    gwp: Criterion


class Attribute(BaseModel):
    """A property of a part, and how the server came by it."""

    value: Any = None
    status: str | None = None


class ComponentDetails(BaseModel):
    """What the server knows of one accelerator."""

    name: Attribute
    duration: Attribute


class Component(BaseModel):
    """The answer for one accelerator."""

    impacts: Impacts
    verbose: ComponentDetails

    @property
    def device_embodied_kg(self) -> float:
        """Emissions of making one accelerator, in kg CO2e."""
        return self.impacts.gwp.embedded.value


class Part(BaseModel):
    """Parts of one kind in a server; their impacts are those of all of them together."""

    impacts: Impacts
    units: Attribute
    capacity: Attribute | None = None
    """Gigabytes of one module of memory or one disk."""


class Figure(BaseModel):
    """A number that the server used."""

    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Server(BaseModel):
    """The answer for a whole server over its whole life, part by part."""

    impacts: Impacts
    verbose: dict[str, Any]

    def model_post_init(self, _context: Any) -> None:
        """Hold the parts and figures against their shapes, too."""
        _ = self.parts, self.lifetime_hours, self.power_w, self.grid_g_per_kwh, self.location

    @property
    def embodied(self) -> Spread:
        """Emissions of making the server, in kg CO2e, with the stated range."""
        return self.impacts.gwp.embedded

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by kind, such as ``"RAM-1"``."""
        found = {kind: part for kind, part in self.verbose.items() if isinstance(part, dict) and "impacts" in part}
        return {kind: Part.model_validate(part) for kind, part in found.items()}

    @property
    def lifetime_hours(self) -> float:
        """Hours over which the making is shared out; the server counts them as hours of work."""
        return Figure.model_validate(self.verbose.get("hours_life_time")).value

    @property
    def power_w(self) -> float:
        """Mean power that the server models, in W: processors and memory and a surcharge, no accelerators."""
        return Figure.model_validate(self.verbose.get("avg_power")).value

    @property
    def grid_g_per_kwh(self) -> float:
        """Grid intensity that the server used, in g CO2e per kWh."""
        return 1000 * Figure.model_validate(self.verbose.get("gwp_factor")).value

    @property
    def location(self) -> Any:
        """Country that the server used."""
        return Attribute.model_validate(self.verbose.get("usage_location")).value


@dataclass(frozen=True, slots=True)
class GpuFootprint:
    """The footprint of some accelerator hours: making by BoaviztAPI, electricity by greenlib."""

    embodied_kg: float
    operational_kg: float
    embodied_by: str
    operational_by: str

    @property
    def total_kg(self) -> float:
        """Both together, in kg CO2e."""
        return self.embodied_kg + self.operational_kg


def gpu(name: str) -> Answer[Component]:
    """Return what it took to make one accelerator.

    Args:
        name: BoaviztAPI's own name, such as ``"NVIDIA L4"``; the server lists them at ``/v1/utils/gpu_name``.

    Returns:
        The answer; ``body.device_embodied_kg`` in kg CO2e.

    Raises:
        UnknownNameError: Without a server: there is no recording of that name.
        FeedError: The server does not know the name and answered for another accelerator, or gave no usable answer.

    Source: boavizta2026. Taught in 10.

    Example:
        >>> answer = gpu("NVIDIA L4")
        >>> answer.body.device_embodied_kg, answer.how
        (123.5, 'replayed')
    """
    if not SERVICE.is_live():
        return SERVICE.replay(GPUS[choice("name", name, GPUS)], Component)
    answer = SERVICE.post(
        "/v1/component/gpu",
        Component,
        body={"name": name},
        parameters={"verbose": "true", "criteria": "gwp"},
        fresh_s=FRESH_S,
    )
    found = answer.body.verbose.name
    if found.status != "COMPLETED":
        raise FeedError(SERVICE.name, f"it does not know {name!r} and answered for its default accelerator")
    if found.value != name:
        raise FeedError(SERVICE.name, f"it took {name!r} for {found.value!r}; ask by that name if you mean it")
    return answer


def server(archetype: str, *, location: str = LOCATION) -> Answer[Server]:
    """Return what it took to make a server, and the electricity that BoaviztAPI models for it.

    Args:
        archetype: BoaviztAPI's own name, such as ``"p5.48xlarge"``; the server lists them at ``/v1/server/archetypes``.
        location: Country whose grid is used, as an ISO 3166 code of three letters.

    Returns:
        The answer over the whole life of the server; look at ``body.parts`` before you trust the sum.

    Raises:
        UnknownNameError: Without a server: there is no recording of that archetype or location.
        FeedError: The server does not know the location and used another, or gave no usable answer.

    Source: boavizta2026. Taught in 10.

    Example:
        >>> body = server("p4de.24xlarge").body
        >>> body.embodied.value, body.parts["GPU-1"].impacts.gwp.use
        (7600.0, 'not implemented')
    """
    if not SERVICE.is_live():
        choice("location", location, [LOCATION])
        return SERVICE.replay(SERVERS[choice("archetype", archetype, SERVERS)], Server)
    answer = SERVICE.post(
        "/v1/server/",
        Server,
        body={"usage": {"usage_location": location}},
        parameters={"archetype": archetype, "verbose": "true", "criteria": "gwp"},
        fresh_s=FRESH_S,
    )
    if answer.body.location != location:
        raise FeedError(SERVICE.name, f"it does not know the location {location!r} and used {answer.body.location!r}")
    return answer


def gpu_footprint(
    name: str,
    accelerator_hours: float,
    *,
    power_w: float,
    pue: float,
    grid_g_per_kwh: float,
    lifetime_hours: float,
    utilization: float,
) -> GpuFootprint:
    r"""Return the footprint of some accelerator hours, with the electricity that BoaviztAPI leaves out.

    .. math:: m = M \, \frac{t}{L \, u} + \frac{t \, p}{1000} \cdot \mathrm{PUE} \cdot \frac{g}{1000}

    with the emissions of making, :math:`M`, by BoaviztAPI, and everything else by greenlib.

    Args:
        name: BoaviztAPI's name of the accelerator.
        accelerator_hours: Hours of one accelerator, :math:`t`; 0 or more.
        power_w: Mean IT power for one accelerator, :math:`p`, in W; above 0.
        pue: Power usage effectiveness; 1 to 10.
        grid_g_per_kwh: Grid intensity, :math:`g`, in g CO2e per kWh; 0 to 5000.
        lifetime_hours: Hours from installation to retirement, :math:`L`; above 0.
        utilization: Share of the lifetime in which the accelerator works, :math:`u`; above 0, at most 1.

    Returns:
        Both parts in kg CO2e, and for each who says so.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        UnknownNameError: Without a server: there is no recording of that name.
        FeedError: The server gave no usable answer, or has learnt to count the electricity itself.

    Source: boavizta2026. Taught in 10.

    Example:
        >>> making = {"lifetime_hours": 4 * 8760, "utilization": 0.5}
        >>> one = gpu_footprint("NVIDIA L4", 8760, power_w=72, pue=1.1, grid_g_per_kwh=400, **making)
        >>> one.embodied_kg, round(one.operational_kg, 3)
        (61.75, 277.517)
    """
    answer = gpu(name)
    if answer.body.impacts.gwp.use != "not implemented":
        raise FeedError(SERVICE.name, "it counts the electricity of accelerators now; adding ours would count it twice")
    making = embodied_kg(
        accelerator_hours,
        device_embodied_kg=answer.body.device_embodied_kg,
        lifetime_hours=lifetime_hours,
        utilization=utilization,
    )
    energy_kwh = facility_kwh(it_kwh(accelerator_hours, power_w=power_w), pue=pue)
    return GpuFootprint(
        embodied_kg=making,
        operational_kg=emissions_kg(energy_kwh, grid_g_per_kwh=grid_g_per_kwh),
        embodied_by=answer.note,
        operational_by="greenlib's chain: it_kwh, facility_kwh, emissions_kg; BoaviztAPI has no use phase of GPUs",
    )


def recordings() -> dict[str, tuple[str, dict[str, str], dict[str, Any]]]:
    """Return the questions that are recorded: name to path, parameters and body."""
    details = {"verbose": "true", "criteria": "gwp"}
    usage = {"usage": {"usage_location": LOCATION}}
    accelerators = {slug: ("/v1/component/gpu", details, {"name": name}) for name, slug in GPUS.items()}
    servers = {slug: ("/v1/server/", {"archetype": name, **details}, usage) for name, slug in SERVERS.items()}
    return accelerators | servers


def main() -> None:
    """Ask the server at ``BOAVIZTA_URL`` everything that is recorded, and write the recordings anew."""
    folder = Path(__file__).parent / "replays"
    for slug, (path, parameters, body) in recordings().items():
        answer = SERVICE.post(path, Recording, body=body, parameters=parameters, fresh_s=FRESH_S)
        recording = {
            "recorded": datetime.now(UTC).date().isoformat(),
            "note": f"recorded from BoaviztAPI {VERSION}",
            "body": answer.body.model_dump(),
        }
        text = json.dumps(recording, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{SERVICE.slug}_{slug}.json").write_text(text, encoding="utf-8")


class Recording(BaseModel, extra="allow"):
    """An answer with everything in it."""


if __name__ == "__main__":
    main()
