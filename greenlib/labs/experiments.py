"""Two experiments with the small language model, each a table with one row a run.

:func:`architectures` trains a small dense model, a sparse one with as many active weights, a large dense one with as
many stored weights, and the small one once more for as long as the sparse one takes. :func:`adaptation` trains a model
on one text and then brings it to another, or begins anew. Quality is bits per character of text that was held out: less
is better. Costs are those of the reader's machine; :mod:`greenlib.labs.runs` says how they are taken.

The learning rates were chosen by trying five or six for each variant, and the weight of the load-balancing loss by
trying eight, on seeds from 100, which the experiments do not use by default.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from greenlib.checks import integer
from greenlib.labs.adapters import adapter_names, with_adapters
from greenlib.labs.language import (
    Shape,
    Weights,
    active_params,
    bits_per_character,
    initial,
    predict,
    total_params,
    train,
)
from greenlib.labs.runs import Cost, measured, one_thread, seconds_per_call
from greenlib.labs.text import corpus, windows

__all__ = ["ADAPTATIONS", "ARCHITECTURES", "adaptation", "architectures", "seconds_per_character"]

ARCHITECTURES = {
    "dense small": Shape(context=8, hidden=256),
    "sparse": Shape(context=8, hidden=128, experts=8, experts_per_token=2),
    "dense large": Shape(context=8, hidden=1024),
    "dense small, longer": Shape(context=8, hidden=256),
}
"""The models of :func:`architectures` and their sizes."""

_RATES = {"dense small": 2e-2, "sparse": 2e-2, "dense large": 1.4e-2, "dense small, longer": 1.4e-2}
_LONGER = {"dense small, longer": 5 / 3, "from scratch, longer": 4}

ADAPTATIONS = ("base", "from scratch", "full fine-tune", "adapter", "head only", "from scratch, longer")
"""The variants of :func:`adaptation`: the model before it is adapted, three ways to adapt it, and two not to."""

_ADAPTATION_RATES = {
    "base": 1.4e-2,
    "from scratch": 2.8e-2,
    "full fine-tune": 1e-2,
    "adapter": 2e-2,
    "head only": 1e-2,
    "from scratch, longer": 1.4e-2,
}

BATCH_SIZE = 256
"""Characters predicted in one training step."""

_EVERY = 4
"""Every so-manieth held-out character is asked for: thousands are enough, and asking takes time, too."""


def _size(quick: bool, seeds: int, steps: int) -> tuple[range, int]:
    seeds, steps = integer("seeds", seeds, low=2), integer("steps", steps, low=1)
    return (range(2), min(steps, 60)) if quick else (range(seeds), steps)


def _row(seed: int, variant: str, cost: Cost, weights: Weights, bits: float, **more: Any) -> dict[str, Any]:
    return {
        "seed": seed,
        "variant": variant,
        **more,
        "bits_per_character": bits,
        "quality": 2.0**-bits,
        "cpu_seconds": cost.cpu_seconds,
        "seconds": cost.seconds,
        "energy_j": cost.energy_j,
        "energy_kind": cost.energy_kind,
        "bytes": sum(array.nbytes for array in weights.values()),
    }


def seconds_per_character(shape: Shape, *, batch_size: int, seed: int = 0, seconds: float = 0.05) -> float:
    """Return the time in which an untrained model of these sizes answers, divided by the characters of the batch.

    The time does not depend on what the weights have learnt, except that an untrained router spreads its choices
    more evenly than a trained one.

    Args:
        shape: The model's sizes.
        batch_size: Characters predicted together; 1 or more.
        seed: Seed of weights and text.
        seconds: For how long to go on measuring.

    Returns:
        Seconds a character, on one thread: the quickest of many calls.

    Raises:
        ArgumentError: The batch size or the seed is out of range.

    Example:
        >>> seconds_per_character(Shape(context=4), batch_size=2, seconds=0.01) > 0
        True

    Taught in the lab of 02.
    """
    weights = initial(shape, seed=seed)
    return _seconds_per_character(weights, shape, integer("batch_size", batch_size, low=1), seed, seconds)


def _seconds_per_character(weights: Weights, shape: Shape, batch_size: int, seed: int, seconds: float) -> float:
    rows = windows(corpus("manual").held_out, shape.context)
    batch = rows[np.random.default_rng(seed).integers(len(rows), size=batch_size), :-1]
    return seconds_per_call(predict, weights, shape, batch, seconds=seconds) / batch_size


@one_thread()
def architectures(*, seeds: int = 5, steps: int = 300, quick: bool = False) -> pd.DataFrame:
    """Train the models of :data:`ARCHITECTURES` on Python's manual, each with several seeds, and measure them.

    The first three take the same steps; ``dense small, longer`` takes five for three, which on the machine that this
    was written on costs as much as the sparse model.

    Args:
        seeds: Runs of each model, with seeds from 0; 2 or more.
        steps: Training steps of 256 characters; 1 or more.
        quick: Two seeds and at most 60 steps: for trying out, not for conclusions.

    Returns:
        One row a run: ``seed``, ``variant``, ``steps``, ``total_params``, ``active_params``, ``bits_per_character``
        on held-out text and ``quality``, 2 to the power of minus these bits: the probability that the model gives to
        the character that comes, as a geometric mean. Then ``cpu_seconds``, ``seconds``, ``energy_j`` and
        ``energy_kind`` of the training, ``bytes`` of the weights, and ``seconds_per_character_1`` and ``_64``, the
        time of an answer at these batch sizes.

    Raises:
        ArgumentError: There are fewer than two seeds or no steps.

    Example:
        >>> runs = architectures(quick=True, steps=2)
        >>> runs.groupby("variant", sort=False)["bytes"].first().to_dict()["sparse"]
        596608

    Taught in the lab of 02.
    """
    numbers, steps = _size(quick, seeds, steps)
    manual, rows = corpus("manual"), []
    for seed in numbers:
        for variant, shape in ARCHITECTURES.items():
            own_steps = round(steps * _LONGER.get(variant, 1))
            start = initial(shape, seed=seed)
            settings = {"seed": seed, "batch_size": BATCH_SIZE, "learning_rate": _RATES[variant]}
            with measured(variant) as cost:
                weights = train(start, shape, manual.training, steps=own_steps, **settings)
            about = {
                "steps": own_steps,
                "total_params": total_params(weights),
                "active_params": active_params(weights, shape),
            }
            bits = bits_per_character(weights, shape, manual.held_out, every=_EVERY)
            for size in (1, 64):
                answer = _seconds_per_character(weights, shape, size, seed, 0.005 if quick else 0.02)
                about[f"seconds_per_character_{size}"] = answer
            rows.append(_row(seed, variant, cost, weights, bits, **about))
    return pd.DataFrame(rows)


@one_thread()
def adaptation(
    *, seeds: int = 5, steps: int = 200, base_steps: int = 800, rank: int = 8, quick: bool = False
) -> pd.DataFrame:
    """Train a model on Python's manual, bring it to Python's programs in several ways, and measure each.

    Every way takes the same steps, and ``from scratch, longer`` four times as many. The target is the quality at which
    ``from scratch`` ends with the same seed; a run's cost up to the target is read off its learning curve.

    Args:
        seeds: Runs of each way, with seeds from 0; 2 or more.
        steps: Training steps of each way; 1 or more.
        base_steps: Training steps of the base model; 1 or more.
        rank: Rank of the adapters; 1 or more.
        quick: Two seeds and at most 60 steps: for trying out, not for conclusions.

    Returns:
        One row a run: ``seed``, ``variant`` of :data:`ADAPTATIONS`, ``steps``, ``trained_params``,
        ``bits_per_character`` and ``quality`` on held-out programs, the costs as in :func:`architectures`, and
        ``steps_to_target``, ``cpu_seconds_to_target`` and ``energy_j_to_target``, NaN where the target is not reached;
        the last two are the run's cost in proportion to its steps. The row ``base`` holds the cost of the training
        that comes before, and the quality on programs of a model that has only read the manual.

    Raises:
        ArgumentError: A number is out of range.

    Example:
        >>> runs = adaptation(quick=True, steps=2, base_steps=2)
        >>> runs.groupby("variant", sort=False)["trained_params"].first().to_dict()["adapter"]
        7936

    Taught in the lab of 08.
    """
    numbers, steps = _size(quick, seeds, steps)
    base_steps = _size(quick, seeds, base_steps)[1]
    manual, programs, shape = corpus("manual"), corpus("programs"), ARCHITECTURES["dense small"]
    rows = []
    for seed in numbers:
        untrained, settings = initial(shape, seed=seed), {"seed": seed, "batch_size": BATCH_SIZE}
        with measured("base") as cost:
            base = train(
                untrained, shape, manual.training, steps=base_steps, learning_rate=_ADAPTATION_RATES["base"], **settings
            )
        bits = bits_per_character(base, shape, programs.held_out, every=_EVERY)
        about = {"steps": base_steps, "trained_params": total_params(base)}
        rows.append(_row(seed, "base", cost, base, bits, **about))
        beside = with_adapters(base, rank=rank, seed=seed)
        ways = {
            "from scratch": (untrained, list(untrained)),
            "full fine-tune": (base, list(base)),
            "adapter": (beside, adapter_names(beside)),
            "head only": (base, ["head", "head.bias"]),
            "from scratch, longer": (untrained, list(untrained)),
        }
        target = -np.inf
        for variant, (start, trained) in ways.items():
            own_steps = steps * _LONGER.get(variant, 1)
            noted, passed = np.unique(np.linspace(0, own_steps, 11).round().astype(int)), [start]

            def note(step: int, weights: Weights, noted=noted, passed=passed, trained=trained) -> None:
                if step in noted:
                    passed.append(weights | {name: weights[name].copy() for name in trained})

            settings |= {"learning_rate": _ADAPTATION_RATES[variant], "trained": trained, "after_step": note}
            with measured(variant) as cost:
                weights = train(start, shape, programs.training, steps=own_steps, **settings)
            curve = [bits_per_character(then, shape, programs.held_out, every=_EVERY) for then in passed]
            if variant == "from scratch":
                target = curve[-1]
            until = _first_below(target, noted, curve)
            about = {
                "steps": own_steps,
                "trained_params": sum(weights[name].size for name in trained),
                "steps_to_target": until,
                "cpu_seconds_to_target": cost.cpu_seconds * until / own_steps,
                "energy_j_to_target": cost.energy_j * until / own_steps,
            }
            rows.append(_row(seed, variant, cost, weights, curve[-1], **about))
    return pd.DataFrame(rows)


def _first_below(target: float, steps: np.ndarray, bits: list[float]) -> float:
    """Return the step at which a curve of straight lines first comes down to the target; NaN if it never does."""
    for number, reached in enumerate(bits):
        if reached <= target:
            before = max(number - 1, 0)
            fall = bits[before] - reached
            share = (bits[before] - target) / fall if fall else 0.0
            return float(steps[before] + share * (steps[number] - steps[before]))
    return float("nan")
