"""Dense against mixture-of-experts: what the arithmetic promises, and what it leaves out."""

from __future__ import annotations

import pandas as pd

from greenlib.checks import checked, number, quantity
from greenlib.footprint import accelerator_hours, emissions_kg, facility_kwh, it_kwh, training_flops

__all__ = ["compare_architectures", "experts_touched", "weights_gb"]


def compare_architectures(
    dense_params,
    moe_total_params,
    moe_active_params,
    tokens,
    flops_per_param_token=6,
    hardware_tflops=989,
    mfu=0.40,
    gpu_power_w=700,
    pue=1.1,
    co2_g_kwh=400,
) -> pd.DataFrame:
    """Return energy and emissions of a dense and a sparse model by the proportional estimate.

    The estimate takes energy to be proportional to active parameters. ``moe_total_params`` only sizes the memory; it
    never enters the energy, which is the weakness that the chapter examines.

    Args:
        dense_params: Parameters of the dense model.
        moe_total_params: Parameters that the sparse model stores.
        moe_active_params: Parameters that it uses for one token; at most ``moe_total_params``.
        tokens: Tokens processed.
        flops_per_param_token: 6 for training, 2 for inference.
        hardware_tflops: Peak rate of one accelerator in TFLOP/s.
        mfu: Model FLOP utilisation; above 0, at most 1.
        gpu_power_w: Mean IT power for one accelerator in W.
        pue: Power usage effectiveness; 1 to 10.
        co2_g_kwh: Grid intensity in g CO2e per kWh; 0 to 5000.

    Returns:
        Rows ``dense`` and ``moe``; columns total_params, active_params, flops, accelerator_hours, facility_kwh,
        emissions_kg, weights_gb (16 bit) and ``saving``, the fraction of the dense model's energy that is saved.

    Raises:
        ArgumentError: A value is out of range, or more parameters are active than stored.
        ArgumentTypeError: An argument is not a number.

    Source: jiang2024mixtral for the sizes; the defaults are the source text's. Taught in 02.

    Example:
        >>> rows = compare_architectures(70e9, 47e9, 13e9, 2e12)
        >>> [round(kwh) for kwh in rows["facility_kwh"]], float(rows.loc["moe", "saving"].round(3))
        ([454162, 84344], 0.814)
    """
    total_limit = number("moe_total_params", moe_total_params, "(0, 1e16]")
    number("moe_active_params", moe_active_params, f"(0, {total_limit}]")
    number("dense_params", dense_params, "(0, 1e16]")
    peak_flops_per_s = number("hardware_tflops", hardware_tflops, "(0, 1e9]") * 1e12
    total = pd.Series({"dense": dense_params, "moe": moe_total_params})
    active = pd.Series({"dense": dense_params, "moe": moe_active_params})
    flops = training_flops(active, tokens, flops_per_param_token=flops_per_param_token)
    hours = accelerator_hours(flops, peak_flops_per_s=peak_flops_per_s, mfu=mfu)
    facility = facility_kwh(it_kwh(hours, power_w=gpu_power_w), pue=pue)
    return pd.DataFrame(
        {
            "total_params": total,
            "active_params": active,
            "flops": flops,
            "accelerator_hours": hours,
            "facility_kwh": facility,
            "emissions_kg": emissions_kg(facility, grid_g_per_kwh=co2_g_kwh),
            "weights_gb": weights_gb(total, bits_per_weight=16),
            "saving": 1 - facility / facility["dense"],
        }
    )


@checked
def weights_gb(total_params, *, bits_per_weight):
    r"""Return the memory that the weights fill.

    .. math:: \frac{N b}{8 \cdot 10^9}

    Args:
        total_params: Parameters stored, :math:`N`; above 0.
        bits_per_weight: Bits for one weight, scales included, :math:`b`; above 0, at most 64.

    Returns:
        Gigabytes (10^9 bytes), of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.

    Taught in 02 and 07.

    Example:
        >>> weights_gb(70e9, bits_per_weight=16)
        140.0
    """
    return total_params * bits_per_weight / 8e9


@checked
def experts_touched(batch_size, *, experts, experts_per_token):
    r"""Return the share of a layer's experts that a batch of tokens wakes, if routing is even and independent.

    .. math:: 1 - \left(1 - \frac{k}{E}\right)^B

    One token wakes its own few experts; many tokens together wake nearly all of them, and every expert that is awake
    has its weights read.

    Args:
        batch_size: Tokens computed together, :math:`B`; 1 or more.
        experts: Experts in a layer, :math:`E`; 1 or more.
        experts_per_token: Experts that one token is routed to, :math:`k`; at most ``experts``.

    Returns:
        A fraction from 0 to 1, of the kind that was given.

    Raises:
        ArgumentError: A value is out of range, or more experts are used than there are.
        ArgumentTypeError: An argument is not numbers.

    Taught in 02.

    Example:
        >>> experts_touched(1, experts=8, experts_per_token=2)
        0.25
        >>> round(experts_touched(8, experts=8, experts_per_token=2), 2)
        0.9
    """
    share = quantity("experts_per_token / experts", experts_per_token / experts, "(0, 1]")
    return 1 - (1 - share) ** batch_size
