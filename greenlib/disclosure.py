"""Turn a footprint into what others ask for: a model-card section, a checklist answer, the energy part of a form.

One :class:`Disclosure` holds the facts; its methods write the three texts and the JSON. A fact that is missing is
written down as missing. A quantity counts as measured only where everything that it follows from was measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from greenlib import catalog
from greenlib.checks import (
    QUANTITIES,
    ArgumentError,
    ArgumentTypeError,
    choice,
    integer,
    number,
    quantity,
)
from greenlib.footprint import Footprint, emissions_kg, facility_kwh, inference_flops, it_kwh
from greenlib.uncertainty import interval

if TYPE_CHECKING:
    from greenlib.catalog import Accelerator, Site

__all__ = ["ASKED", "LABELS", "Amount", "Disclosure", "Report", "disclose"]

SCHEMA = "greenlib.disclosure/1"
KINDS = ("measured", "estimated", "not measured")
BOUNDARIES = ("device", "IT")

BENCHMARK_TOKENS = 100_000
"""Tokens in the inference benchmark of the European form, whose own example generates as many."""

ASKED: Mapping[str, tuple[str, ...]] = {
    "model card": ("accelerator", "accelerator_hours", "site", "operational_kg"),
    "ACL checklist": ("total_params", "accelerator_hours", "accelerator"),
    "NeurIPS checklist": ("accelerator", "memory_gb", "training_days", "accelerator_hours", "other_accelerator_hours"),
    "EU form": (
        "total_params",
        "flops",
        "training_days",
        "accelerator_hours",
        "facility_kwh",
        "method",
        "inference_flops",
    ),
}
"""What each document asks for, of all that a report could say.

The model card is the section on environmental impact in Hugging Face's template; the checklists are question
C1 of ACL Rolling Review and the question on compute resources of NeurIPS; the form is the Model Documentation Form
of the European code of practice, which spells out point 1(d) and points 2(d) and (e) of Annex XI.

Source: huggingface2026card, acl2024checklist, neurips2024checklist, euaiact2024, gpaicode2025.
"""

_UNITS = {
    "flops": "FLOP",
    "accelerator_hours": "h",
    "power_w": "W",
    "it_kwh": "kWh",
    "pue": "ratio",
    "facility_kwh": "kWh",
    "grid_g_per_kwh": "g CO2e/kWh",
    "operational_kg": "kg CO2e",
    "embodied_kg": "kg CO2e",
    "wue_l_per_kwh": "L/kWh",
    "water_l": "L",
}

_ROOTS = ("flops", "accelerator_hours", "power_w", "pue", "grid_g_per_kwh", "wue_l_per_kwh")

_FOLLOWS_FROM = {
    "it_kwh": ("accelerator_hours", "power_w"),
    "facility_kwh": ("accelerator_hours", "power_w", "pue"),
    "operational_kg": ("accelerator_hours", "power_w", "pue", "grid_g_per_kwh"),
    "water_l": ("accelerator_hours", "power_w", "wue_l_per_kwh"),
    "embodied_kg": ("accelerator_hours", "device_embodied_kg"),
}

# Fewer numbers are rather several runs side by side, of which percentiles would make one run that nobody made.
_FEWEST_SAMPLES = 100

LABELS = {
    "total_params": "Parameters",
    "accelerator": "Accelerators",
    "memory_gb": "Memory of one accelerator",
    "flops": "Computation used for training",
    "accelerator_hours": "Accelerator hours",
    "training_days": "Training time",
    "other_accelerator_hours": "Experiments and failed runs",
    "power_w": "Power for one accelerator",
    "it_kwh": "IT energy",
    "pue": "PUE",
    "facility_kwh": "Facility energy",
    "site": "Site",
    "grid_g_per_kwh": "Grid intensity",
    "operational_kg": "Operational emissions",
    "embodied_kg": "Embodied emissions",
    "water_l": "Water on site",
    "inference_flops": "Computation for inference",
    "method": "Method",
}
"""How the texts name each line."""


class Report(str):
    """Markdown text to paste; a notebook shows it rendered, as a quotation without a heading of its own."""

    def _repr_markdown_(self) -> str:
        title, *lines = self.splitlines()
        return "\n".join(f"> {line}" for line in (f"**{title.removeprefix('## ')}**", *lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One quantity of a disclosure: its value, its range, its unit and how it is known.

    ``low`` and ``high`` are the 10th and 90th percentile where the footprint held samples, None where it held one
    number. A quantity that is not measured has no value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """Everything that a report says about one training run; None where it is not known.

    ``boundary`` says what the power covers: the accelerators alone ("device"), or host and network as well ("IT").
    Taught in 15.
    """

    model: str
    boundary: str
    quantities: Mapping[str, Amount]
    accelerator: str | None = None
    accelerators: int | None = None
    memory_gb: float | None = None
    total_params: float | None = None
    active_params: float | None = None
    other_accelerator_hours: float | None = None
    power_basis: str | None = None
    site: str | None = None
    location: str | None = None
    grid_method: str | None = None
    grid_year: int | None = None

    def __post_init__(self) -> None:
        _line("model", self.model)
        choice("boundary", self.boundary, BOUNDARIES)
        for name in ("accelerator", "power_basis", "site", "location", "grid_method"):
            if getattr(self, name) is not None:
                _line(name, getattr(self, name))
        for name, allowed in (
            ("memory_gb", "(0, 1e6]"),
            ("total_params", None),
            ("active_params", None),
            ("other_accelerator_hours", "[0, inf)"),
        ):
            if getattr(self, name) is not None:
                number(name, quantity(name, getattr(self, name), allowed))
        if self.accelerators is not None:
            integer("accelerators", self.accelerators, low=1)
        if self.grid_year is not None:
            integer("grid_year", self.grid_year, low=1900, high=2100)
        if self.active_params is not None and self.active_params > (self.total_params or math.inf):
            raise ArgumentError("active_params", self.active_params, f"at most total_params, {self.total_params:g}")
        if not isinstance(self.quantities, Mapping) or set(self.quantities) != set(_UNITS):
            raise ArgumentError("quantities", self.quantities, f"an amount for each of {', '.join(_UNITS)}")
        for name, amount in self.quantities.items():
            _check_amount(name, amount)
        _check_products(self.quantities)

    @property
    def training_days(self) -> float | None:
        """Wall-clock days, if all accelerators worked all the time; None without their number."""
        hours = self.quantities["accelerator_hours"].value
        return None if self.accelerators is None else hours / self.accelerators / 24

    @property
    def inference_flops(self) -> float | None:
        """FLOP for generating 100,000 tokens, two for each active parameter; None without the active parameters."""
        return None if self.active_params is None else inference_flops(self.active_params, BENCHMARK_TOKENS)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the energy and the emissions do not contain."""
        missing = {
            "host, network and storage": self.boundary == "device",
            "experiments and failed runs": self.other_accelerator_hours != 0,
            "use of the model after training": True,
            "making of the hardware": self.quantities["embodied_kg"].value is None,
            "water": self.quantities["water_l"].value is None,
        }
        return tuple(name for name, absent in missing.items() if absent)

    def model_card(self) -> Report:
        """Return the section on environmental impact of a model card, as Markdown.

        Returns:
            Every quantity with its range and kind, the boundary, the method, and what is left out.

        Source: huggingface2026card. Taught in 15.

        Example:
            >>> import greenlib as gl
            >>> run = gl.footprint(8.4e23, "H100-SXM", "gcp/us-central1", mfu=0.40)
            >>> card = gl.disclose(run, model="Example-70B", boundary="device", accelerator="H100-SXM").model_card()
            >>> print(*card.splitlines()[2:5], sep="\\n")
            - **Model:** Example-70B
            - **Accelerators:** H100-SXM, number not known
            - **Accelerator hours:** 590,000 h, estimated
        """
        names = ("accelerator", "accelerator_hours", "power_w", "it_kwh", "pue", "facility_kwh")
        names += ("site", "grid_g_per_kwh", "operational_kg", "embodied_kg", "water_l", "other_accelerator_hours")
        emissions = "Emissions are that energy × the average grid intensity."
        return self._text(
            "Environmental impact", names, f"{self._method()} {emissions}", f"**Left out:** {'; '.join(self.left_out)}."
        )

    def checklist(self) -> Report:
        """Return the answer to what conference checklists ask about compute, as Markdown.

        ACL asks for parameters, accelerator hours and infrastructure; NeurIPS for the kind of workers, their memory,
        the time, the total compute, and what failed or preliminary experiments took. Neither asks for energy or
        carbon. The answer is *yes* only where all that is asked for is known.

        Returns:
            The two answers, and the facts behind them.

        Source: acl2024checklist; neurips2024checklist. Taught in 15.

        Example:
            >>> import greenlib as gl
            >>> run = gl.footprint(8.4e23, "H100-SXM", "gcp/us-central1", mfu=0.40)
            >>> report = gl.disclose(run, model="Example-70B", boundary="device", accelerator="H100-SXM")
            >>> print(report.checklist().splitlines()[2])
            **ACL checklist:** no; not known: parameters.
        """
        answers = "\n\n".join(self._answer(name) for name in ("ACL checklist", "NeurIPS checklist"))
        names = ("total_params", "accelerator", "memory_gb", "accelerator_hours", "training_days")
        names += ("other_accelerator_hours", "flops")
        return self._text("Compute resources", names, before=answers)

    def annex_xi(self) -> Report:
        """Return the part on computation and energy of the European technical documentation, as Markdown.

        Annex XI, section 1, points 2(d) and (e), with the items of the Model Documentation Form: energy in MWh, which
        may rest on information about the computational resources used where it is not known.

        Returns:
            The items, the method and the boundary, and to whom the documentation goes. It is no legal advice.

        Source: euaiact2024, Article 53 and Annex XI; gpaicode2025. Taught in 15.

        Example:
            >>> import greenlib as gl
            >>> run = gl.footprint(8.4e23, "H100-SXM", "gcp/us-central1", mfu=0.40)
            >>> report = gl.disclose(run, model="Example-70B", boundary="IT", accelerator="H100-SXM")
            >>> print(*(line for line in report.annex_xi().splitlines() if "Energy used" in line))
            - **Energy used for training:** 450 MWh, estimated
        """
        names = ("total_params", "flops", "accelerator", "accelerator_hours", "training_days")
        names += ("facility_kwh", "inference_flops")
        known = self.quantities["facility_kwh"].kind == "measured"
        basis = (
            "The energy consumption is known: hours, power and PUE were measured."
            if known
            else "The energy consumption is estimated, from information about the computational resources used."
        )
        recipient = (
            "For the AI Office and the national competent authorities on request (Article 53(1)(a)); the regulation "
            "does not make it public. Models under a free and open-source licence are exempt unless they present a "
            "systemic risk (Article 53(2)). Emissions, water and embodied emissions are not asked for."
        )
        return self._text(
            "Annex XI, section 1, points 2(d) and (e)",
            names,
            f"{self._method()} {basis}",
            recipient,
            labels=LABELS | {"facility_kwh": "Energy used for training"},
            energy_unit="MWh",
        )

    def as_dict(self) -> dict[str, Any]:
        """Return all facts as plain numbers, text and None, in a stable order.

        Returns:
            A dictionary that :meth:`from_dict` turns back into an equal disclosure. ``schema`` names the version.

        Taught in 15.
        """
        facts = asdict(self)
        quantities = {name: facts["quantities"][name] for name in _UNITS}
        return {"schema": SCHEMA, **facts, "quantities": quantities, "left_out": list(self.left_out)}

    def to_json(self) -> str:
        """Return :meth:`as_dict` as JSON.

        Returns:
            JSON text at full precision; what is not known is ``null``.

        Taught in 15.

        Example:
            >>> import greenlib as gl
            >>> run = gl.footprint(8.4e23, "H100-SXM", "gcp/us-central1", mfu=0.40)
            >>> report = gl.disclose(run, model="Example-70B", boundary="device")
            >>> gl.Disclosure.from_json(report.to_json()) == report
            True
        """
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Disclosure:
        """Return the disclosure that :meth:`as_dict` wrote.

        Args:
            facts: The dictionary.

        Returns:
            The disclosure, checked like a new one.

        Raises:
            ArgumentError: A key is missing or unknown, or a value is impossible.
            ArgumentTypeError: A value is of the wrong kind.
        """
        if not isinstance(facts, Mapping):
            raise ArgumentTypeError("facts", facts, "a dictionary as as_dict returns it")
        names = [field.name for field in fields(cls)]
        odd = {"schema", "left_out", *names} ^ set(facts)
        if odd:
            raise ArgumentError("facts", sorted(map(str, odd)), "without missing or unknown keys")
        choice("schema", facts["schema"], [SCHEMA])
        given = facts["quantities"]
        if not isinstance(given, Mapping) or not all(
            isinstance(row, Mapping) and set(row) == {field.name for field in fields(Amount)} for row in given.values()
        ):
            raise ArgumentError("quantities", given, "rows of value, low, high, unit and kind")
        amounts = {name: Amount(**row) for name, row in given.items()}
        disclosure = cls(**{name: facts[name] for name in names} | {"quantities": amounts})
        if facts["left_out"] != list(disclosure.left_out):
            raise ArgumentError("left_out", facts["left_out"], f"what follows from the facts, {disclosure.left_out}")
        return disclosure

    @classmethod
    def from_json(cls, text: str) -> Disclosure:
        """Return the disclosure that :meth:`to_json` wrote.

        Args:
            text: The JSON.

        Returns:
            The disclosure, checked like a new one.

        Raises:
            ArgumentError: The text is not JSON, a key is missing or unknown, or a value is impossible.
            ArgumentTypeError: A value is of the wrong kind.
        """
        try:
            facts = json.loads(text)
        except (TypeError, ValueError) as error:
            raise ArgumentError("text", text, "JSON as to_json writes it") from error
        return cls.from_dict(facts)

    def __repr__(self) -> str:
        energy = _amount_text("facility_kwh", self.quantities["facility_kwh"])
        return f"Disclosure({self.model!r}, {energy})"

    def _text(
        self,
        title: str,
        names: tuple[str, ...],
        *after: str,
        before: str = "",
        labels: Mapping[str, str] = LABELS,
        energy_unit: str | None = None,
    ) -> Report:
        if self.boundary == "device":
            labels = {**labels, "it_kwh": "Device energy"}
        lines = [f"- **Model:** {self.model}"]
        lines += [f"- **{labels[name]}:** {self._written(name, energy_unit)}" for name in names]
        ranged = any(name in self.quantities and self.quantities[name].low is not None for name in names)
        key = "Ranges in brackets hold eight draws in ten." if ranged else ""
        parts = [f"## {title}", before, "\n".join(lines), key, *after]
        return Report("\n\n".join(part for part in parts if part) + "\n")

    def _answer(self, document: str) -> str:
        unknown = [LABELS[name].lower() for name in ASKED[document] if not self._is_known(name)]
        answer = f"no; not known: {', '.join(unknown)}" if unknown else "yes, as follows"
        return f"**{document}:** {answer}."

    def _is_known(self, name: str) -> bool:
        value = self.quantities[name].value if name in self.quantities else getattr(self, name)
        return value is not None

    def _written(self, name: str, energy_unit: str | None = None) -> str:
        if name in self.quantities:
            return _amount_text(name, self.quantities[name], energy_unit) + self._remark(name)
        value = getattr(self, name)
        if name == "accelerator":
            count = "number not known" if self.accelerators is None else f"{self.accelerators:,} of them"
            return f"{value or 'not known'}, {count}"
        if name == "site":
            return ", ".join(part for part in (value, self.location) if part) or "not known"
        if value is None:
            return "not known"
        if name == "total_params":
            active = "not known" if self.active_params is None else _digits(self.active_params, 3)
            return f"{_digits(value, 3)} in all; active: {active}"
        if name == "training_days":
            return f"{_digits(value, 2)} days on the clock, estimated as if no accelerator ever stood still"
        if name == "inference_flops":
            return f"{_digits(value, 2)} FLOP for {BENCHMARK_TOKENS:,} tokens, estimated as 2 for each active parameter"
        if name == "other_accelerator_hours":
            return f"{_digits(value, 2)} accelerator hours more, not in the energy" if value else "none"
        return f"{value:g} GB"

    def _remark(self, name: str) -> str:
        if name == "power_w":
            covers = "the accelerator alone" if self.boundary == "device" else "the accelerator, its host and network"
            return f"; {self.power_basis or 'basis not stated'}; covers {covers}"
        if name == "facility_kwh" and self.boundary == "device":
            return "; without host, network and storage"
        if name == "grid_g_per_kwh":
            return f"; method: {self.grid_method or 'not known'}; year: {self.grid_year or 'not known'}"
        return ""

    def _method(self) -> str:
        counted = self.quantities["accelerator_hours"].kind == "measured"
        hours = "counted" if counted else "from FLOP, peak rate and assumed utilisation"
        covers = "accelerators alone" if self.boundary == "device" else "IT equipment"
        return (
            f"**{LABELS['method']}:** accelerator hours ({hours}) × {self.quantities['power_w'].kind} power × PUE. "
            f"Boundary: the facility, from the power of the {covers}."
        )


def _line(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(name, value, "text on one line")
    if not value.strip() or not value.isprintable():
        raise ArgumentError(name, value, "text on one line, not empty")
    return value


def _check_amount(name: str, amount: Any) -> None:
    if not isinstance(amount, Amount):
        raise ArgumentTypeError(name, amount, "an Amount")
    choice("kind", amount.kind, KINDS)
    choice(f"unit of {name}", amount.unit, [_UNITS[name]])
    if (amount.value is None) != (amount.kind == "not measured"):
        raise ArgumentError(name, amount.value, "a number, or None where the kind is 'not measured'")
    if (amount.low is None) != (amount.high is None) or (amount.value is None and amount.low is not None):
        raise ArgumentError(name, (amount.low, amount.high), "a range with two ends around a value, or none")
    ends = [end for end in (amount.low, amount.value, amount.high) if end is not None]
    allowed = None if name in QUANTITIES else "[0, inf)"
    for end in ends:
        number(name, quantity(name, end, allowed))
    if ends != sorted(ends):
        raise ArgumentError(name, tuple(ends), "in the order low, value, high")


def _check_products(quantities: Mapping[str, Amount]) -> None:
    """Refuse a product that is better known than its factors, or that is not their product."""
    kinds = {name: amount.kind for name, amount in quantities.items()}
    for name, roots in _FOLLOWS_FROM.items():
        if kinds[name] == "measured" and any(kinds.get(root) != "measured" for root in roots):
            raise ArgumentError(f"kind of {name}", "measured", f"'estimated' unless {', '.join(roots)} were measured")
    chain = ("accelerator_hours", "power_w", "it_kwh", "pue", "facility_kwh", "grid_g_per_kwh", "operational_kg")
    if any(quantities[name].value is None for name in chain):
        raise ArgumentError("quantities", "a gap in the chain", f"a value for each of {', '.join(chain)}")
    for name, first, second, multiply in (
        ("it_kwh", "accelerator_hours", "power_w", lambda hours, watts: it_kwh(hours, power_w=watts)),
        ("facility_kwh", "it_kwh", "pue", lambda kwh, pue: facility_kwh(kwh, pue=pue)),
        ("operational_kg", "facility_kwh", "grid_g_per_kwh", lambda kwh, grid: emissions_kg(kwh, grid_g_per_kwh=grid)),
    ):
        # Percentiles of a product are the products of percentiles only if no more than one factor has a range.
        if quantities[first].low is None or quantities[second].low is None:
            for found, *factors in zip(*(_ends(quantities[one]) for one in (name, first, second)), strict=True):
                product = multiply(*factors)
                if not math.isclose(found, product, rel_tol=1e-6):
                    raise ArgumentError(name, found, f"{product:.6g}, which follows from the other quantities")


def _ends(amount: Amount) -> tuple[float, float, float]:
    return (amount.value,) * 3 if amount.low is None else (amount.low, amount.value, amount.high)


def _digits(value: float, count: int) -> str:
    """Write a number with so many significant digits, and no more."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{count - 1}e}")
    if not 1e-4 <= rounded < 1e9:
        mantissa, exponent = f"{value:.{count - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{rounded:,.{max(0, count - 1 - math.floor(math.log10(rounded)))}f}"


_LARGER = {"kWh": (("MWh", 1e3), ("GWh", 1e6)), "kg CO2e": (("t CO2e", 1e3),), "L": (("m³", 1e3),)}


def _amount_text(name: str, amount: Amount, unit: str | None = None) -> str:
    if amount.value is None:
        return "not measured"
    fitting = [(amount.unit, 1.0)]
    fitting += [step for step in _LARGER.get(amount.unit, ()) if step[0] == unit or amount.value >= step[1]]
    written, scale = next((step for step in fitting if step[0] == unit), fitting[-1])
    # What was put in is stated as it was put in; what was worked out from estimates is worth two digits.
    exact = amount.kind == "measured" or (name in _ROOTS[2:] and amount.low is None)
    count = 3 if exact else 2
    suffix = "" if written == "ratio" else f" {written}"
    text = f"{_digits(amount.value / scale, count)}{suffix}"
    if amount.low is not None:
        low, high = _digits(amount.low / scale, count), _digits(amount.high / scale, count)
        text += f" ({low} to {high})"
    return f"{text}, {amount.kind}"


def _amount(name: str, value: Any, kind: str) -> Amount:
    unit = _UNITS[name]
    if value is None:
        return Amount(value=None, unit=unit, kind="not measured")
    if np.ndim(value) == 0:
        return Amount(value=float(value), unit=unit, kind=kind)
    if np.size(value) < _FEWEST_SAMPLES:
        raise ArgumentError(name, f"{np.size(value)} values", f"one number or at least {_FEWEST_SAMPLES} samples")
    low, middle, high = interval(np.asarray(value))
    return Amount(value=middle, low=low, high=high, unit=unit, kind=kind)


def _is_one_number(value: Any, expected: float | None) -> bool:
    return expected is not None and np.ndim(value) == 0 and float(value) == expected


def _kinds_of(values: Mapping[str, Any], kinds: Any) -> dict[str, str]:
    """Return the kind of every quantity: given for what went in, worked out for what follows from it."""
    if not isinstance(kinds, Mapping):
        raise ArgumentTypeError("kinds", kinds, "a dictionary of quantity and kind")
    stated = {name: "not measured" if values[name] is None else "estimated" for name in _ROOTS}
    for name, kind in kinds.items():
        if name in _FOLLOWS_FROM:
            raise ArgumentError("kinds", name, f"stated for {', '.join(_FOLLOWS_FROM[name])}, from which it follows")
        choice("quantity in kinds", name, _ROOTS)
        choice(f"kind of {name}", kind, KINDS)
        if (kind == "not measured") != (values[name] is None):
            fitting = "'not measured', since it has no value" if values[name] is None else "'measured' or 'estimated'"
            raise ArgumentError(f"kind of {name}", kind, fitting)
        stated[name] = kind
    for name, roots in _FOLLOWS_FROM.items():
        sure = all(stated.get(root) == "measured" for root in roots)
        stated[name] = "measured" if sure else "estimated"
    return stated


def disclose(
    footprint: Footprint,
    *,
    model: str,
    boundary: str,
    accelerator: Accelerator | str | None = None,
    accelerators: int | None = None,
    site: Site | str | None = None,
    location: str | None = None,
    grid_method: str | None = None,
    grid_year: int | None = None,
    total_params: float | None = None,
    active_params: float | None = None,
    other_accelerator_hours: float | None = None,
    power_basis: str | None = None,
    kinds: Mapping[str, str] | None = None,
) -> Disclosure:
    """Return what a footprint says to a reader, a reviewer or an authority.

    Only what went into the footprint can be called measured: hours, power, PUE, grid intensity, WUE. Energy, water
    and emissions follow from these and are measured where all of these are, estimated otherwise. An input that
    ``kinds`` does not name counts as estimated where the footprint has a value, as not measured where it has none.

    Args:
        footprint: The footprint of one run. Arrays are samples, 100 or more, and become a value with a range.
        model: Name of the model, on one line.
        boundary: What ``power_w`` covers: ``"device"`` for accelerators alone, ``"IT"`` with host and network.
        accelerator: A row of the accelerator table, or its name.
        accelerators: How many worked together; 1 or more.
        site: A row of the site table, or its name; says how the grid intensity was found if the footprint uses it.
        location: Where the site is, in words; the table's without it.
        grid_method: How the grid intensity was found, in words, where the footprint does not use the site's.
        grid_year: Its year.
        total_params: Parameters stored; above 0.
        active_params: Parameters used for one token; above 0, at most ``total_params``.
        other_accelerator_hours: Hours of experiments and failed runs that are not in the footprint; 0 or more.
        power_basis: Where the power comes from, in words; a power equal to the accelerator's TDP says so by itself.
        kinds: Quantity to ``"measured"``, ``"estimated"`` or ``"not measured"``, for what went in.

    Returns:
        The disclosure; ``model_card()``, ``checklist()``, ``annex_xi()`` and ``to_json()`` write it down.

    Raises:
        ArgumentError: A value is impossible, a kind is stated for what only follows, or a datasheet's power is
            called measured.
        ArgumentTypeError: An argument is of the wrong kind.
        UnknownNameError: There is no such accelerator, site, quantity, boundary or kind.

    Source: euaiact2024; acl2024checklist; neurips2024checklist; huggingface2026card. Taught in 15.

    Example:
        >>> import greenlib as gl
        >>> run = gl.footprint(8.4e23, "H100-SXM", "gcp/us-central1", mfu=0.40)
        >>> gl.disclose(run, model="Example-70B", boundary="device")
        Disclosure('Example-70B', 450 MWh, estimated)
        >>> gl.disclose(run, model="Example-70B", boundary="device", kinds={"facility_kwh": "measured"})
        Traceback (most recent call last):
        greenlib.checks.ArgumentError: kinds = 'facility_kwh' is not possible: it must be ...
    """
    if not isinstance(footprint, Footprint):
        raise ArgumentTypeError("footprint", footprint, "a Footprint")
    if accelerator is not None and not isinstance(accelerator, catalog.Accelerator):
        accelerator = catalog.accelerator(accelerator)
    if site is not None and not isinstance(site, catalog.Site):
        site = catalog.site(site)
    values = {name: getattr(footprint, name) for name in _UNITS}
    kind_of = _kinds_of(values, {} if kinds is None else kinds)
    if accelerator is not None and _is_one_number(footprint.power_w, accelerator.tdp_w):
        if kind_of["power_w"] == "measured":
            tdp = f"'estimated', since {accelerator.tdp_w:g} W is the TDP of {accelerator.name} and no reading"
            raise ArgumentError("kind of power_w", "measured", tdp)
        power_basis = power_basis or "TDP from the datasheet"
    if site is not None and _is_one_number(footprint.grid_g_per_kwh, site.grid_g_per_kwh):
        grid_method, grid_year = grid_method or f"{site.grid_method} average", grid_year or site.grid_year
    return Disclosure(
        model=model,
        boundary=boundary,
        quantities={name: _amount(name, value, kind_of[name]) for name, value in values.items()},
        accelerator=accelerator and accelerator.name,
        accelerators=accelerators,
        memory_gb=accelerator and accelerator.memory_gb,
        total_params=total_params,
        active_params=active_params,
        other_accelerator_hours=other_accelerator_hours,
        power_basis=power_basis,
        site=site and site.name,
        location=location or (site and site.location),
        grid_method=grid_method,
        grid_year=grid_year,
    )
