"""Read notebooks the way the tests need them: prose without its markup, and the numbers in it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
CHAPTERS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
SHEETS = sorted((NOTEBOOKS / "exercises").glob("*/*.ipynb"))
LABS = sorted(NOTEBOOKS.glob("lab_*.ipynb"))
PAGES = sorted(NOTEBOOKS.glob("*.ipynb"))

UNITS = (
    r"%|percent|×|-fold|fold\b|times\b|orders of magnitude|"
    r"(?:[kMGTPE]?Wh|[kMGT]?W|[kMG]?J|mg|kg|g|tonnes?|t|L|litres?|ml)(?:\s?CO2e)?(?:/\w+|\s+per\s+\w+)*\b|"
    r"(?:accelerator[ -])?hours?\b|h\b|minutes?\b|seconds?\b|[mµn]?s\b|days?\b|years?\b|"
    r"[kMGT]i?B(?:/s)?\b|bits?\b|[kMGTPEZ]?FLOP(?:/\w+)?|(?:billion|million|trillion|thousand)\b|"
    r"tokens?\b|parameters?\b|USD\b|EUR\b|dollars?\b|euros?\b|km\b|accelerators?\b|requests?\b"
)
QUANTITY = re.compile(
    rf"(?<![\w.,-])(?P<price>[€$£]\s?)?(?P<number>\d[\d,]*(?:\.\d+)?)(?:\s?(?:–|to|and)\s?\d[\d,.]*)?"
    rf"(?(price)|[\s-]?(?P<unit>{UNITS}))"
)
TO_TWENTY = """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty"""
TENS = "thirty forty fifty sixty seventy eighty ninety hundred"
WORDS = {word: number for number, word in enumerate(re.findall(r"\w+", TO_TWENTY), start=2)}
WORDS |= {word: 10 * number for number, word in enumerate(re.findall(r"\w+", TENS), start=3)}
WORDS |= {"dozen": 12, "thousand": 1000}
SPELLED = re.compile(rf"\b(?P<number>{'|'.join(WORDS)})(?=[\s-](?:{UNITS}))", re.IGNORECASE)
QUOTED = re.compile(r'\*"[^"]*"\*|\*[^*\n]{40,}\*')
"""A claim under examination: its numbers are somebody else's."""
FACTOR = re.compile(r"\bfactors? (?:of )?(?:about )?(?P<number>\d[\d,]*(?:\.\d+)?)")
SCALES = [10.0**power for power in (-12, -9, -6, -3, -2, 0, 2, 3, 6, 9, 12)]


@dataclass(frozen=True)
class Notebook:
    """One notebook, its cells and what the tests ask of them."""

    path: Path

    @cached_property
    def cells(self) -> list:
        return nbformat.read(self.path, as_version=4).cells

    @property
    def prose(self) -> list[str]:
        return [cell.source for cell in self.cells if cell.cell_type == "markdown"]

    @property
    def code(self) -> list[str]:
        return [cell.source for cell in self.cells if cell.cell_type == "code"]

    @cached_property
    def claims(self) -> list[str]:
        """The first argument of every call of ``gl.claim``."""
        return [
            call.args[0].value
            for source in self.code
            for call in ast.walk(ast.parse(source))
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "gl.claim"
        ]

    @cached_property
    def inputs(self) -> set[float]:
        """Every number written in a code cell, names of models and table rows included; claims excluded."""
        found = set()
        for source in self.code:
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
                    found.add(float(node.value))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in self.claims:
                    found |= {float(number) for number in re.findall(r"\d+(?:\.\d+)?", node.value)}
        return found

    def unbound(self) -> list[str]:
        """Sentences with a quantity that no claim binds, no source backs and no cell shows as an input."""
        claimed = {number for text in self.claims for number in _numbers(text)}
        return [
            f"{match.group(0)!r} in: {sentence.strip()}"
            for text in self.prose
            if not re.search("After this (?:chapter|lab) you can", text)
            for sentence in sentences(text)
            if "{cite" not in sentence
            for quantity in (QUANTITY, FACTOR, SPELLED)
            for match in quantity.finditer(QUOTED.sub(" ", plain(sentence)))
            if not all(number in claimed or self._is_input(number) for number in _numbers(match.group(0)))
        ]

    def _is_input(self, number: float) -> bool:
        return any(abs(number * scale - value) <= 1e-9 * value for scale in SCALES for value in self.inputs if value)


def _numbers(text: str) -> list[float]:
    digits = [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", text)]
    return digits or [float(WORDS[word]) for word in re.findall(r"\w+", text.lower()) if word in WORDS]


def plain(text: str) -> str:
    """Prose without code spans, formulas, roles, link targets and directive options."""
    text = re.sub(r"^:{3,}.*$|^:\w[\w-]*:.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\{[\w:]+\}`[^`]*`|`[^`]*`", " ", text)
    return re.sub(r"\]\([^)]*\)", "]", text)


def sentences(text: str) -> list[str]:
    """Split prose at the ends of sentences, list items, table rows and headings."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    blocks = re.split(r"\n\s*\n|\n(?=[-*|#:]|\d+\. )", text)
    return [part for block in blocks for part in re.split(r"(?<=[.?!:;])\s+(?=[A-Z*`(\[])", block)]
