"""Compute budgets and break-even points of distillation, quantisation, adapters and reuse."""

from __future__ import annotations

import numpy as np

from greenlib.checks import checked

__all__ = [
    "adapter_params",
    "bits_per_weight",
    "break_even_uses",
    "distillation_flops",
    "finetuning_flops",
    "saving",
]


@checked
def saving(before, after):
    r"""Return the fraction that is saved when a quantity falls; negative when it rises.

    .. math:: s = 1 - \frac{\mathrm{after}}{\mathrm{before}}

    Args:
        before: The quantity without the measure; above 0.
        after: The same quantity with it, in the same unit; 0 or more.

    Returns:
        A fraction of at most 1, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.

    Taught in 06 and 07.

    Example:
        >>> saving(4.0, 3.0)
        0.25
    """
    return 1 - after / before


@checked
def distillation_flops(active_params, tokens, *, teacher_active_params):
    r"""Return the operations of training a student on a teacher's output distributions.

    .. math:: C = 6 N_s D + 2 N_t D

    The student learns from every token; the teacher reads every token once to give its answer. Training the teacher
    is not included: add it when the teacher would not have been trained otherwise.

    Args:
        active_params: Parameters of the student, :math:`N_s`; above 0.
        tokens: Training tokens, :math:`D`; 0 or more.
        teacher_active_params: Active parameters of the teacher, :math:`N_t`; above 0.

    Returns:
        Operations in FLOP, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: hinton2015distilling. Taught in 06.

    Example:
        >>> distillation_flops(7e9, 1e12, teacher_active_params=70e9) / (6 * 7e9 * 1e12)
        4.333333333333334
    """
    return (6 * active_params + 2 * teacher_active_params) * tokens


@checked
def break_even_uses(upfront, *, cost_before, cost_after):
    r"""Return the number of uses after which an investment has paid for itself.

    .. math:: n = \frac{U}{c_\mathrm{before} - c_\mathrm{after}}

    Any one unit will do: FLOP, kWh or kg. A use is whatever the two costs are counted for: a token, a request, a run.

    Args:
        upfront: What the change costs once, :math:`U`; above 0.
        cost_before: Cost of one use without it; 0 or more.
        cost_after: Cost of one use with it; 0 or more.

    Returns:
        Uses, of the kind that was given; infinite where a use does not become cheaper.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Taught in 06, 07 and 08.

    Example:
        >>> break_even_uses(600, cost_before=5, cost_after=2)
        200.0
        >>> break_even_uses(600, cost_before=2, cost_after=5)
        inf
    """
    with np.errstate(divide="ignore"):
        return np.divide(upfront, np.maximum(cost_before - cost_after, 0))


@checked
def bits_per_weight(bits, *, group_size, scale_bits=16):
    r"""Return the bits that one quantised weight takes when each group of weights shares a scale.

    .. math:: b + \frac{s}{g}

    Args:
        bits: Bits of the quantised number, :math:`b`; above 0, at most 64.
        group_size: Weights that share one scale, :math:`g`; 1 or more.
        scale_bits: Bits of the scale, with its zero point if there is one, :math:`s`; 0 to 64.

    Returns:
        Bits for one weight, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.

    Taught in 07.

    Example:
        >>> bits_per_weight(4, group_size=32)
        4.5
    """
    return bits + scale_bits / group_size


@checked
def adapter_params(rows, columns, *, rank):
    r"""Return the trained parameters of a low-rank adapter of one weight matrix.

    .. math:: r (m + n)

    Args:
        rows: Rows of the matrix, :math:`m`; 1 or more.
        columns: Columns of the matrix, :math:`n`; 1 or more.
        rank: Rank of the adapter, :math:`r`; 1 or more.

    Returns:
        Parameters, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.

    Source: hu2021lora, section 4.1. Taught in 06 and 08.

    Example:
        >>> adapter_params(4096, 4096, rank=8) / 4096**2
        0.00390625
    """
    return rank * (rows + columns)


@checked
def finetuning_flops(active_params, tokens, *, trained_fraction):
    r"""Return the operations of fine-tuning a model of which only a part is trained.

    .. math:: C = (4 + 2 f) N D

    The forward pass (2) and the backward pass through the activations (2) run through the whole model either way;
    only the gradients of the weights (2) shrink with the trained fraction. An adapter therefore saves at most a third
    of the operations, however few parameters it trains.

    Args:
        active_params: Parameters used for one token, :math:`N`; above 0.
        tokens: Tokens trained on, :math:`D`; 0 or more.
        trained_fraction: Share of the parameters that is trained, :math:`f`; above 0, at most 1.

    Returns:
        Operations in FLOP, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.
        AlignmentError: Two arguments do not belong row to row.

    Source: hu2021lora; the split of the backward pass is that of kaplan2020scaling. Taught in 06 and 08.

    Example:
        >>> finetuning_flops(7e9, 1e6, trained_fraction=1.0) / (7e9 * 1e6)
        6.0
    """
    return (4 + 2 * trained_fraction) * active_params * tokens
