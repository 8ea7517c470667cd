"""Two texts that ship with Python: its reference manual, in prose, and a few of its own programs.

Nothing is downloaded and nothing is copied: both are read from the reader's own Python, under the PSF licence that
came with it. Another version of Python has a slightly different manual, so qualities differ in the second decimal.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import NamedTuple

import numpy as np

from greenlib.checks import choice, integer

__all__ = ["ALPHABET", "PROGRAMS", "Corpus", "corpus", "decode", "encode", "windows"]

ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
"""The 96 characters that a model knows: the line break and printable ASCII."""

PROGRAMS = ("calendar", "fractions", "heapq", "random", "shlex", "textwrap")
"""Modules of the standard library whose source is the second text."""

_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "–": "-", "…": "."})
_CODES = {character: code for code, character in enumerate(ALPHABET)}


class Corpus(NamedTuple):
    """A text in two parts, both as numbers from 0 to 95: what a model learns from and what it is examined on."""

    training: np.ndarray
    held_out: np.ndarray


def encode(text: str) -> np.ndarray:
    """Return a text as places in :data:`ALPHABET`; a character outside it becomes a space.

    Args:
        text: Any text.

    Returns:
        One whole number from 0 to 95 a character.

    Example:
        >>> encode("To be")
        array([53, 80,  1, 67, 70], dtype=uint8)

    Taught in the labs.
    """
    return np.array([_CODES.get(character, 1) for character in text.translate(_PLAIN)], dtype=np.uint8)


def decode(codes) -> str:
    """Return the text that :func:`encode` turned into numbers.

    Args:
        codes: Whole numbers from 0 to 95.

    Returns:
        The text.

    Example:
        >>> decode(encode("To be"))
        'To be'

    Taught in the labs.
    """
    return "".join(ALPHABET[code] for code in codes)


@functools.cache
def corpus(name: str) -> Corpus:
    """Return one of the two texts, split for training and examination.

    The text is cut at empty lines and a paragraph that occurs twice is kept once, because the manual repeats whole
    sections and an examination must not ask what was already read. Every tenth paragraph is held out.

    Args:
        name: ``"manual"``, the topics of Python's ``help()``, or ``"programs"``, the source of :data:`PROGRAMS`.

    Returns:
        Both parts as whole numbers from 0 to 95.

    Raises:
        UnknownNameError: There is no such text.

    Example:
        >>> manual = corpus("manual")
        >>> "expression" in decode(manual.training), len(manual.training) > 5 * len(manual.held_out)
        (True, True)

    Taught in the labs.
    """
    if choice("name", name, ["manual", "programs"]) == "manual":
        topics = importlib.import_module("pydoc_data.topics").topics
        pieces = [topics[topic] for topic in sorted(topics)]
    else:
        pieces = [inspect.getsource(importlib.import_module(module)) for module in PROGRAMS]
    parts = (part.strip("\n") for piece in pieces for part in piece.split("\n\n"))
    paragraphs = list(dict.fromkeys(part for part in parts if part.strip()))
    held_out = paragraphs[9::10]
    training = [part for number, part in enumerate(paragraphs) if number % 10 != 9]
    both = Corpus(encode("\n\n".join(training)), encode("\n\n".join(held_out)))
    for codes in both:
        codes.flags.writeable = False
    return both


def windows(codes, context: int) -> np.ndarray:
    """Return every stretch of ``context`` characters with the one that follows it.

    Args:
        codes: A text as whole numbers, longer than ``context``.
        context: Characters that a model sees; 1 or more.

    Returns:
        One row a character to predict, ``context + 1`` columns, the last of them the answer; a view, no copy.

    Raises:
        ArgumentError: The text is not longer than the context.

    Example:
        >>> windows(encode("abcd"), 2) - encode("a")[0]
        array([[0, 1, 2],
               [1, 2, 3]], dtype=uint8)

    Taught in the labs.
    """
    codes = np.asarray(codes)
    context = integer("context", context, low=1, high=len(codes) - 1)
    return np.lib.stride_tricks.sliding_window_view(codes, context + 1)
