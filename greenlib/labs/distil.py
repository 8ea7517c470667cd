"""A teacher, a small student, and four kinds of lesson, at several numbers of labelled pictures.

The teacher has read thousands of labelled digits; the student gets a few. Every student is of one size and takes the
same steps, so its training costs the same whatever it learns from: what differs is what the lesson knows. Quality is
the share of new pictures read correctly. Costs are those of the reader's machine; :mod:`greenlib.labs.runs` says how
they are taken.

Sizes and temperature were chosen by trying students of 16, 32 and 64 hidden units, 400, 800 and 1,600 steps, and
temperatures 1, 2, 4 and 8 on pictures of other seeds. Steps matter: with 200 instead of 2,000, soft targets fall behind
hard labels at 400 labels. A student that is not done learning shows little of what its lesson is worth.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from greenlib.checks import ArgumentError, integer, number
from greenlib.labs.digits import CLASSES, Digits, Network, accuracy, digits, one_hot, softmax, train
from greenlib.labs.runs import Cost, measured, seconds_per_call

__all__ = ["LABELS", "LESSONS", "STUDENT", "TEACHER", "distillation"]

TEACHER, STUDENT = (128, 64), (32,)
"""Widths of the hidden layers."""

LESSONS = ("hard labels", "label smoothing", "soft targets", "more pictures")
"""What a student can learn from; the last is the labelled pictures and more, which the teacher has labelled."""

LABELS = (50, 100, 400, 1600)
"""Labelled pictures that a student gets."""

_BATCH_SIZE = 25


def distillation(
    *,
    seeds: int = 5,
    labels: Iterable[int] = LABELS,
    steps: int = 2000,
    temperature: float = 4.0,
    smoothing: float = 0.1,
    more: int = 2000,
    quick: bool = False,
) -> pd.DataFrame:
    """Train a teacher, and students by each of :data:`LESSONS` at each number of labels, with several seeds.

    ``hard labels`` are the true digits of the labelled pictures. ``label smoothing`` mixes them with a tenth of
    ignorance. ``soft targets`` are the teacher's probabilities for the same pictures, at a raised temperature.
    ``more pictures`` adds pictures without labels, to which the teacher's first choice is the label.

    Args:
        seeds: Runs of each kind, with seeds from 0, each with its own teacher and pictures; 2 or more.
        labels: Numbers of labelled pictures, each a multiple of 25.
        steps: Training steps of a student, 25 pictures each; 1 or more.
        temperature: Temperature of the soft targets, above 0.
        smoothing: Share of a smoothed label that is spread over all digits, 0 to 1.
        more: Unlabelled pictures that the teacher labels; a multiple of 25.
        quick: Two seeds, two numbers of labels, few steps and a hurried teacher: for trying out, not for conclusions.

    Returns:
        One row a run: ``seed``, ``variant``, ``labels``, ``quality``, ``cpu_seconds``, ``seconds``, ``energy_j`` and
        ``energy_kind`` of the training with the teacher's answers, ``bytes`` and ``parameters`` of the network, and
        ``seconds_per_picture``, the time of an answer among 1,000, the median over networks of that size. The variant
        ``teacher`` is the teacher itself.

    Raises:
        ArgumentError: A number is out of range, or not a multiple of 25.

    Source: hinton2015distilling; szegedy2015rethinking for the smoothing. Taught in the lab of 06.

    Example:
        >>> runs = distillation(quick=True, labels=[50], steps=4)
        >>> runs["variant"].value_counts().to_dict()["soft targets"]
        2
    """
    seeds, steps = integer("seeds", seeds, low=2), integer("steps", steps, low=1)
    labels, more = [integer("labels", n, low=1) for n in labels], integer("more", more, low=1)
    temperature, smoothing = number("temperature", temperature, "(0, inf)"), number("smoothing", smoothing, "[0, 1]")
    for name, pictures in [*(("labels", n) for n in labels), ("more", more)]:
        if pictures % _BATCH_SIZE:
            raise ArgumentError(name, pictures, f"a multiple of {_BATCH_SIZE}, so that every step has as many pictures")
    read, epochs = 8000, 12
    if quick:
        seeds, labels, steps, read, epochs = 2, labels[::2], min(steps, 160), 2000, 8
    test = digits(1000 if quick else 4000, seed=30_000)
    rows = []
    for seed in range(seeds):
        library, pool = digits(read, seed=10_000 + seed), digits(max(labels) + more, seed=20_000 + seed)
        with measured("teacher") as cost:
            teacher = train(*library, hidden=TEACHER, epochs=epochs, seed=seed)
        rows.append(_row(seed, "teacher", read, teacher, cost, test))
        unlabelled = pool.images[max(labels) :]
        for count in labels:
            images, truth = pool.images[:count], one_hot(pool.labels[:count])
            for lesson in LESSONS:
                settings = {"hidden": STUDENT, "batch_size": _BATCH_SIZE, "seed": seed}
                with measured(lesson) as cost:
                    given, targets = images, truth
                    if lesson == "label smoothing":
                        targets = (1 - smoothing) * truth + smoothing / CLASSES
                    elif lesson == "soft targets":
                        settings["temperature"] = temperature
                        targets = softmax(teacher.logits(images), temperature=temperature)
                    elif lesson == "more pictures":
                        given = np.concatenate([images, unlabelled])
                        targets = np.concatenate([truth, one_hot(teacher.logits(unlabelled).argmax(axis=1))])
                    passes = max(1, round(steps * _BATCH_SIZE / len(given)))
                    student = train(given, targets, epochs=passes, **settings)
                rows.append(_row(seed, lesson, count, student, cost, test))
    runs = pd.DataFrame(rows)
    # The size of a network decides how long it answers; the median keeps a neighbour's interruption out.
    runs["seconds_per_picture"] = runs.groupby("parameters")["seconds_per_picture"].transform("median")
    return runs


def _row(seed: int, variant: str, labels: int, network: Network, cost: Cost, test: Digits) -> dict[str, Any]:
    batch = test.images[:1000]
    return {
        "seed": seed,
        "variant": variant,
        "labels": labels,
        "quality": accuracy(network, test),
        "cpu_seconds": cost.cpu_seconds,
        "seconds": cost.seconds,
        "energy_j": cost.energy_j,
        "energy_kind": cost.energy_kind,
        "bytes": network.bytes,
        "parameters": network.parameters,
        "seconds_per_picture": seconds_per_call(lambda: network.logits(batch), seconds=0.01) / len(batch),
    }
