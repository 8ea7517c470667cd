"""Bind the numbers in the prose of a chapter to computed ones, and compare a reader's prediction with the result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from greenlib.checks import ArgumentError, ArgumentTypeError, GreenlibError, number
from greenlib.journal import record

__all__ = ["Claim", "ClaimError", "Prediction", "claim", "prediction"]

_NUMBER = re.compile(
    r"(?P<about>(?:about|roughly|nearly|some|≈|~)\s*)?(?P<number>[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?)(?P<unit>.*)"
)


class ClaimError(GreenlibError, AssertionError):
    """A number in the prose is not the number that was computed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A number in the prose that agrees with a computed value."""

    text: str
    value: float

    def __repr__(self) -> str:
        return f"✓ {self.text} (computed: {self.value:.6g})"

    def _repr_html_(self) -> str:
        return f'<p class="claim">✓ {self.text} <span>computed: {self.value:.6g}</span></p>'


def claims_html(shown: tuple) -> str | None:
    """Return the lines of the claims and predictions in one cell; None for any other tuple, shown as usual."""
    lines = [claims_html(one) if isinstance(one, tuple) else one._repr_html_() for one in shown if _shows(one)]
    return "".join(lines) if shown and len(lines) == len(shown) and None not in lines else None


def _shows(one: object) -> bool:
    return isinstance(one, Claim | Prediction | tuple)


def claim(text: str, value: float) -> Claim:
    """Check that a number written in the prose is the computed one, rounded as the prose rounds it.

    The number agrees when it differs from ``value`` by at most half a unit of its last written digit. After "about",
    trailing zeros count as rounding: "about 3,000" is any value from 2,500 to 3,500. With a percent sign, ``value``
    is a fraction. Every other unit is the reader's: ``value`` is given in the unit that the prose uses.

    Args:
        text: The number as it stands in the prose, such as ``"81.4 %"``, ``"454,162 kWh"`` or ``"about 10 times"``.
        value: The computed number.

    Returns:
        The claim; a notebook shows it as one line with the value at full length.

    Raises:
        ClaimError: The numbers do not agree; the message says both.
        ArgumentError: There is no number in ``text``, or ``value`` is not finite.
        ArgumentTypeError: ``text`` is not text, or ``value`` is not one number.

    Taught in every chapter.

    Example:
        >>> claim("81.4 %", 1 - 13 / 70)
        ✓ 81.4 % (computed: 0.814286)
        >>> claim("81.5 %", 1 - 13 / 70)
        Traceback (most recent call last):
        greenlib.claims.ClaimError: the prose says '81.5 %', the computation says 81.42857 %
    """
    if not isinstance(text, str):
        raise ArgumentTypeError("text", text, "the number as it stands in the prose, with its unit")
    found = _NUMBER.search(text)
    if found is None:
        raise ArgumentError("text", text, "text with a number in it")
    computed = number("value", value)
    written = Decimal(found["number"].replace(",", "").replace("−", "-"))
    digits, exponent = written.as_tuple().digits, written.as_tuple().exponent
    if found["about"]:
        trailing = len(digits) - len("".join(map(str, digits)).rstrip("0")) if any(digits) else 0
        exponent += trailing
    percent = found["unit"].lstrip().startswith("%")
    shown = computed * 100 if percent else computed
    # A value exactly between two roundings may fall to either side in binary; a millionth of the step decides nothing.
    if abs(shown - float(written)) > 0.5 * 10.0**exponent * (1 + 1e-6):
        raise ClaimError(f"the prose says {text!r}, the computation says {shown:.7g}{' %' if percent else ''}")
    return Claim(text, computed)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A reader's range beside the computed value."""

    question: str
    low: float
    high: float
    actual: float

    @property
    def holds(self) -> bool:
        """Whether the range holds the value."""
        return self.low <= self.actual <= self.high

    def __repr__(self) -> str:
        where = "inside" if self.holds else ("above" if self.actual > self.high else "below")
        return f"{self.question}: {self.actual:.4g} lies {where} your range, {self.low:.4g} to {self.high:.4g}"

    def _repr_html_(self) -> str:
        return f'<p class="prediction {"hit" if self.holds else "miss"}">{self!r}.</p>'


def prediction(question: str, low: float, high: float, actual: float) -> Prediction:
    """Compare a range that the reader wrote down beforehand with the computed value, and note it in the journal.

    Args:
        question: What was predicted, with its unit.
        low: The lowest value the reader would still believe.
        high: The highest.
        actual: The computed value.

    Returns:
        The prediction; a notebook shows whether the range held the value.

    Raises:
        ArgumentError: A number is not finite, or ``low`` is above ``high``.
        ArgumentTypeError: An argument is not a number, or ``question`` is not text.

    Taught in every chapter.

    Example:
        >>> prediction("saving of the sparse model", 0.5, 0.7, 0.814)
        saving of the sparse model: 0.814 lies above your range, 0.5 to 0.7
    """
    if not isinstance(question, str):
        raise ArgumentTypeError("question", question, "text that says what was predicted")
    low, high, actual = number("low", low), number("high", high), number("actual", actual)
    if low > high:
        raise ArgumentError("low", low, f"at most high, which is {high:g}")
    compared = Prediction(question, low, high, actual)
    record(compared)
    return compared
