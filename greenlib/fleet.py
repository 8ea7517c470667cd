"""Size a service: how many replicas the busiest hour needs, what they draw in every hour, and what a year emits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from greenlib.catalog import accelerator as find_accelerator, table
from greenlib.checks import ArgumentError, ArgumentTypeError, checked, choice, integer, number, quantity
from greenlib.serving import (
    BANDWIDTH_EFFICIENCY,
    USABLE_MEMORY,
    frame_inputs,
    serving_constants,
    serving_step,
)

__all__ = ["Fleet", "service_kg", "size_fleet"]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The replicas of a served model, and what they do in each hour of a day, a week or a year."""

    replicas: np.ndarray
    """Replicas that are switched on, one number an hour."""
    accelerators: int
    """Accelerators that must be there: those of the busiest hour."""
    batch_size: np.ndarray
    """Requests that one replica answers at once, mean of each hour; below 1 when it is idle in between."""
    token_ms: np.ndarray
    """Milliseconds between two tokens of an answer."""
    power_w: np.ndarray
    """Power of all accelerators that are switched on, in W."""
    max_batch_size: int
    """The most requests at once that a replica can take within latency, memory and setting."""
    capacity_per_hour: float
    """Requests that one replica answers in an hour at that batch size."""
    tokens: float
    """Output tokens written over all hours."""

    @property
    def device_kwh(self) -> float:
        """Energy of the accelerators over all hours, in kWh: no host, no cooling."""
        return float(self.power_w.sum() / 1000)

    @property
    def joules_per_token(self) -> float:
        """Joules of the accelerators for one output token, over all hours, idle ones included."""
        return self.device_kwh * 3.6e6 / self.tokens


def size_fleet(
    requests_per_hour,
    *,
    output_tokens,
    max_token_ms,
    max_batch_size: int,
    model: str,
    weight_precision: str,
    accelerator: str,
    accelerators: int,
    prompt_tokens=None,
    replicas: int | None = None,
    switch_off: bool = False,
) -> Fleet:
    r"""Return the replicas that the busiest hour needs, and their batch size and power in every hour.

    .. math:: N = \lambda \, T \, t(B), \qquad R = \lceil N_\mathrm{peak} / B_\mathrm{max} \rceil

    Little's law: with :math:`\lambda` requests a second, answers of :math:`T` tokens and a step of :math:`t` seconds
    for each, :math:`N` requests are in flight. A replica takes the most, :math:`B_\mathrm{max}`, that latency, memory
    for the cache and the server's setting allow. Arrivals within an hour are taken to be even; a queue that they form
    is not modelled. An idle replica draws its floor.

    Args:
        requests_per_hour: Requests in each hour, one-dimensional; 0 or more, not all 0.
        output_tokens: Mean tokens of an answer, :math:`T`; 1 or more.
        max_token_ms: Longest time between two tokens of an answer, in ms; above 0.
        max_batch_size: Most requests at once that the server is set to; 1 to 100,000.
        model: A name that ``table("models")`` knows.
        weight_precision: A number format, such as ``"bf16"`` or ``"fp8"``.
        accelerator: A name in ``table("accelerators")``.
        accelerators: How many serve one replica; 1 or more.
        prompt_tokens: Tokens read for one answer; None for the 250 of :func:`~greenlib.serving.serving_step`.
        replicas: Replicas that there are; None for as many as are needed.
        switch_off: Whether replicas that an hour does not need are switched off and draw nothing.

    Returns:
        A :class:`Fleet`.

    Raises:
        ArgumentError: A value is impossible, not even one request at a time is fast enough or finds memory, or the
            replicas given do not suffice.
        ArgumentTypeError: An argument is of the wrong kind.
        UnknownNameError: A name is not known; the nearest one is suggested.

    Source: mlenergy2026 for the serving model, little1961proof for the law. Taught in 16.

    Example:
        >>> fleet = size_fleet([2000, 20_000], output_tokens=400, max_token_ms=50, max_batch_size=128,
        ...                    model="Llama-3.1-8B", weight_precision="bf16", accelerator="H100-SXM", accelerators=1)
        >>> fleet.accelerators, bool(fleet.batch_size[0] < fleet.batch_size[1])
        (1, True)
    """
    demand = np.asarray(quantity("requests_per_hour", requests_per_hour, "[0, 1e12]"), dtype=float)
    if demand.ndim != 1 or not demand.any():
        raise ArgumentError("requests_per_hour", requests_per_hour, "one-dimensional, with a request in some hour")
    tokens = number("output_tokens", output_tokens, "[1, 1e7]")
    limit_ms = number("max_token_ms", max_token_ms, "(0, 1e6]")
    setting = integer("max_batch_size", max_batch_size, low=1, high=100_000)
    count = integer("accelerators", accelerators, low=1, high=1_000_000)
    if not isinstance(switch_off, bool):
        raise ArgumentTypeError("switch_off", switch_off, "True or False")
    choice("model", model, table("models")["name"])
    server = {
        "model": model,
        "weight_precision": weight_precision,
        "accelerator": accelerator,
        "accelerators": count,
        "output_tokens": tokens,
        "prompt_tokens": prompt_tokens,
    }
    batches = np.arange(1, setting + 1)
    step = serving_step(batch_size=batches, **server)
    most = min(_fast_enough(step.step_s * 1000, limit_ms), _fit_for_memory(step.cache_s, server))
    batches, seconds = batches[:most], step.step_s[:most]
    capacity = batches / (tokens * seconds) * 3600

    # A demand that only rounding puts above a whole number of replicas needs no further one.
    needed = np.maximum(np.ceil(demand / capacity[-1] - 1e-9), 1.0)
    there = int(needed.max()) if replicas is None else integer("replicas", replicas, low=1)
    if needed.max() > there:
        raise ArgumentError("replicas", there, f"at least {needed.max():g} for the busiest hour")
    on = needed if switch_off else np.full(demand.shape, float(there))
    # An idle replica answers nothing and draws the floor; in between, it is busy a part of the hour.
    idle_w = count * find_accelerator(accelerator).tdp_w * serving_constants().floor_fraction
    answered, at_once = np.append(0.0, capacity), np.append(0.0, batches)
    batch = np.interp(demand / on, answered, at_once)
    return Fleet(
        replicas=on,
        accelerators=there * count,
        batch_size=batch,
        token_ms=1000 * np.interp(batch, batches, seconds),
        power_w=on * np.interp(batch, at_once, np.append(idle_w, step.power_w[:most])),
        max_batch_size=most,
        capacity_per_hour=float(capacity[-1]),
        tokens=float(demand.sum() * tokens),
    )


def _fast_enough(step_ms: np.ndarray, limit_ms: float) -> int:
    if step_ms[0] > limit_ms:
        raise ArgumentError("max_token_ms", limit_ms, f"at least {step_ms[0]:.3g} for one request at a time")
    return int((step_ms <= limit_ms).sum())


def _fit_for_memory(cache_s: np.ndarray, server: dict[str, Any]) -> int:
    """Return how many caches of mean length fit beside the weights."""
    sizes = table("models").set_index("name").loc[server["model"], ["total_params", "active_params"]]
    row = pd.DataFrame([{**server, **sizes, "batch_size": 1, "task": "service"}])
    inputs = {name: float(np.ravel(values)[0]) for name, values in frame_inputs(row).items()}
    weights = inputs["other_params"] * inputs["other_bytes"] + inputs["routed_params"] * inputs["routed_bytes"]
    memory_of_one = find_accelerator(server["accelerator"]).memory_gb * 1e9 * USABLE_MEMORY
    one_cache = cache_s[0] * server["accelerators"] * inputs["bytes_per_s"] * BANDWIDTH_EFFICIENCY
    fitting = int((server["accelerators"] * memory_of_one - weights) // one_cache)
    if fitting < 1:
        needed = math.ceil((weights + one_cache) / memory_of_one)
        least = f"at least {needed:,} for one cache to fit beside the weights"
        raise ArgumentError("accelerators", server["accelerators"], least)
    return fitting


@checked
def service_kg(
    device_kwh,
    *,
    it_ratio,
    pue,
    grid_g_per_kwh,
    accelerator_hours,
    device_embodied_kg,
    lifetime_hours,
    use_ratio=1.0,
    error_ratio=1.0,
):
    r"""Return what a planned service emits: electricity, and its share of the making of its accelerators.

    .. math:: m = u \left( \frac{e E \, r \, \mathrm{PUE} \, g}{1000} + M \, \frac{t}{L} \right)

    The accelerators belong to the service day and night, so the hours in which they idle count as well. With more use
    than planned the fleet is taken to grow in proportion.

    Args:
        device_kwh: Planned energy of the accelerators, :math:`E`, in kWh; 0 or more.
        it_ratio: IT energy over that of the accelerators, :math:`r`: host, memory, network, spare machines; 1 to 10.
        pue: Power usage effectiveness; 1 to 10.
        grid_g_per_kwh: Grid intensity, :math:`g`, in g CO2e per kWh; 0 to 5000.
        accelerator_hours: Hours for which accelerators are reserved, :math:`t`; 0 or more.
        device_embodied_kg: Emissions of making one accelerator, :math:`M`, in kg CO2e; above 0.
        lifetime_hours: Hours from installation to retirement, :math:`L`; above 0.
        use_ratio: Requests over those planned for, :math:`u`; above 0.
        error_ratio: Energy of the accelerators as a meter would read it over the plan's, :math:`e`; above 0.

    Returns:
        Emissions in kg CO2e, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Taught in 16.

    Example:
        >>> service_kg(1000, it_ratio=1.5, pue=1.2, grid_g_per_kwh=100, accelerator_hours=8760,
        ...            device_embodied_kg=300, lifetime_hours=5 * 8760)
        240.0
    """
    electricity = error_ratio * device_kwh * it_ratio * pue * grid_g_per_kwh / 1000
    return use_ratio * (electricity + device_embodied_kg * accelerator_hours / lifetime_hours)
