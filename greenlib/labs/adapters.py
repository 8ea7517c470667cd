r"""Low-rank adapters for the language model: freeze a matrix :math:`W`, and train two thin ones beside it.

A layer then computes :math:`x W + x A B`, with :math:`A` of shape :math:`m \times r` and :math:`B` of shape
:math:`r \times n`. :math:`B` begins at zero, so an adapter that has learnt nothing changes nothing. The model's own
lines carry adapters along: see ``_apply`` and ``_unapply`` in :mod:`greenlib.labs.language`.
"""

from __future__ import annotations

import numpy as np

from greenlib.checks import integer
from greenlib.labs.language import Weights

__all__ = ["adapter_names", "merged", "with_adapters"]

ADAPTED = ("mix", "up", "down", "head")
"""The layers that get an adapter."""


def with_adapters(weights: Weights, *, rank: int, seed: int) -> Weights:
    """Return the weights with an untrained adapter beside each layer.

    Args:
        weights: Name to array.
        rank: Width of the thin matrices, :math:`r`; 1 or more.
        seed: Seed of the random numbers.

    Returns:
        The same arrays and for each layer two new ones, such as ``up.a`` and ``up.b``.

    Raises:
        ArgumentError: The rank or the seed is out of range.

    Source: hu2021lora. Taught in the lab of 08.

    Example:
        >>> from greenlib.labs.language import Shape, initial, total_params
        >>> base = initial(Shape(), seed=0)
        >>> adapted = with_adapters(base, rank=4, seed=0)
        >>> sum(adapted[name].size for name in adapter_names(adapted)), total_params(base)
        (3456, 40800)
    """
    rank, generator = integer("rank", rank, low=1), np.random.default_rng(integer("seed", seed, low=0))
    thin = {}
    for name in ADAPTED:
        stack, rows, columns = weights[name].shape
        a = generator.normal(size=(stack, rows, rank)) * rows**-0.5
        thin[f"{name}.a"] = a.astype(weights[name].dtype)
        thin[f"{name}.b"] = np.zeros((stack, rank, columns), weights[name].dtype)
    return weights | thin


def adapter_names(weights: Weights) -> list[str]:
    """Return the names of the adapters among the weights: what :func:`greenlib.labs.language.train` is to train.

    Args:
        weights: Name to array.

    Returns:
        Names.

    Example:
        >>> from greenlib.labs.language import Shape, initial
        >>> adapter_names(with_adapters(initial(Shape(), seed=0), rank=1, seed=0))[:2]
        ['mix.a', 'mix.b']

    Taught in the lab of 08.
    """
    return [name for name in weights if name.endswith((".a", ".b"))]


def merged(weights: Weights) -> Weights:
    """Return the weights with every adapter added to its matrix, so that using them costs nothing extra.

    Args:
        weights: Name to array, with adapters.

    Returns:
        The names and shapes of the base alone.

    Source: hu2021lora. Taught in the lab of 08.

    Example:
        >>> from greenlib.labs.language import Shape, initial
        >>> base = initial(Shape(), seed=0)
        >>> list(merged(with_adapters(base, rank=2, seed=0))) == list(base)
        True
    """
    thin = adapter_names(weights)
    return {
        name: array + weights[f"{name}.a"] @ weights[f"{name}.b"] if f"{name}.a" in weights else array
        for name, array in weights.items()
        if name not in thin
    }
