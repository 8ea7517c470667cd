"""Look up accelerators, sites, countries and whole tables; every row carries its source.

The tables are CSV files in ``greenlib/data``; the dictionary beside them, ``README.md``, defines every column and is
read here as their schema, so that a damaged file is refused with the row and the column to blame.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from greenlib.checks import ArgumentError, DataError, Interval, choice, integer

__all__ = [
    "Accelerator",
    "Column",
    "Site",
    "accelerator",
    "country_g_per_kwh",
    "dictionary",
    "overdue_rows",
    "site",
    "table",
]

DATA = resources.files("greenlib") / "data"

_SECTION = re.compile(r"^## (?P<name>\w+)\.csv$", re.MULTILINE)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_HEADER = ["column", "type", "unit", "allowed", "blank", "meaning"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the data dictionary.

    ``kind`` is text, number, integer, date or choice; ``allowed`` an :class:`~greenlib.checks.Interval` for numbers,
    the names there are for a choice, None otherwise.
    """

    name: str
    kind: str
    unit: str
    allowed: Interval | tuple[str, ...] | None
    blank: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Definition:
    """What the data dictionary says of one table: what a row is, its key and its columns."""

    about: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One accelerator as its datasheet describes it; peak rates are dense, in FLOP/s."""

    name: str
    vendor: str
    release_date: str
    peak_flops_per_s: float
    """Dense 16-bit peak rate."""
    peak_fp32_flops_per_s: float | None
    peak_fp8_flops_per_s: float | None
    peak_int8_ops_per_s: float | None
    peak_fp4_flops_per_s: float | None
    tdp_w: float | None
    memory_gb: float
    memory_bandwidth_gb_per_s: float | None
    embodied_low_kg: float | None
    embodied_high_kg: float | None
    kind: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One cloud region as a place with a grid and, where published, a PUE and a WUE."""

    name: str
    provider: str
    location: str
    iso3: str
    latitude: float
    longitude: float
    grid_g_per_kwh: float
    grid_method: str
    """Where the intensity comes from: provider, subnational or country."""
    grid_year: int
    cfe_fraction: float | None
    pue: float | None
    wue_l_per_kwh: float | None
    jurisdiction: str
    gdpr_transfer: str
    kind: str
    source: str


def _parse_column(cells: list[str]) -> Column:
    name, kind, unit, allowed, blank, meaning = cells
    if kind not in ("text", "number", "integer", "date", "choice") or blank not in ("yes", "no"):
        raise DataError("README.md", f"type {kind!r} or blank {blank!r} is not known", column=name)
    limits: Interval | tuple[str, ...] | None = None
    if allowed != "–" and kind in ("number", "integer"):
        limits = Interval.parse(allowed)
    elif allowed != "–":
        limits = tuple(option.strip() for option in allowed.split(","))
    return Column(name, kind, unit, limits, blank == "yes", meaning)


def _parse_definition(text: str) -> Definition:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    key = re.search(r"^Key: (.+)$", text, re.MULTILINE)
    if key is None or rows[:1] != [_HEADER]:
        raise DataError("README.md", "a table's section lacks its key line or its columns")
    columns = {column.name: column for column in map(_parse_column, rows[2:])}
    about = text[: key.start()].strip()
    return Definition(about, tuple(name.strip() for name in key[1].split(",")), columns)


@functools.cache
def dictionary() -> Mapping[str, Definition]:
    """Return the data dictionary: table name to its definition, read from ``greenlib/data/README.md``.

    Returns:
        For each table what a row is, the key columns, and every column with type, unit, range and meaning.

    Raises:
        DataError: The dictionary is missing or cannot be read.

    Taught in the appendix on data and sources.

    Example:
        >>> str(dictionary()["sites"].columns["pue"].allowed)
        'at least 1, at most 2'
    """
    try:
        text = (DATA / "README.md").read_text(encoding="utf-8")
    except OSError as error:
        raise DataError("README.md", "the data dictionary is missing") from error
    parts = _SECTION.split(text)
    return {name: _parse_definition(body) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def _bad_row(column: Column, cells: pd.Series) -> tuple[int, str] | None:
    """Return the position of the first cell that breaks the column's definition, and how; None if all keep it."""
    empty = cells == ""
    if not column.blank and empty.any():
        return int(empty.argmax()), "is blank"
    filled = cells[~empty]
    if column.kind in ("number", "integer"):
        numbers = pd.to_numeric(filled, errors="coerce")
        unreadable = numbers.isna()
        if unreadable.any():
            return int(unreadable.idxmax()), "is not a number"
        outside = ~np.isfinite(numbers)
        if isinstance(column.allowed, Interval):
            outside |= ~numbers.map(lambda number: number in column.allowed)
        if column.kind == "integer":
            outside |= numbers % 1 != 0
        return (int(outside.idxmax()), f"is not {column.allowed}") if outside.any() else None
    if column.kind == "choice":
        outside = ~filled.isin(column.allowed)
        return (int(outside.idxmax()), f"is not one of {', '.join(column.allowed)}") if outside.any() else None
    if column.kind == "date":
        outside = ~filled.map(lambda text: bool(_DATE.fullmatch(text)))
        return (int(outside.idxmax()), "is not a date") if outside.any() else None
    return None


def _typed(column: Column, cells: pd.Series) -> pd.Series:
    if column.kind == "number" or (column.kind == "integer" and column.blank):
        return pd.to_numeric(cells, errors="coerce").astype(float)
    if column.kind == "integer":
        return pd.to_numeric(cells).astype(int)
    return cells.where(cells != "", None) if column.blank else cells


def _read(name: str, definition: Definition) -> pd.DataFrame:
    file = f"{name}.csv"
    try:
        with (DATA / file).open(encoding="utf-8", newline="") as stream:
            cells = pd.read_csv(stream, dtype=str, keep_default_na=False)
    except OSError as error:
        raise DataError(file, "the data file is missing") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(file, f"the data file cannot be read: {error}") from error
    if list(cells.columns) != list(definition.columns):
        odd = sorted(set(cells.columns) ^ set(definition.columns))
        raise DataError(file, f"the columns differ from the dictionary's: {', '.join(odd) or 'their order'}")
    for column in definition.columns.values():
        bad = _bad_row(column, cells[column.name])
        if bad is not None:
            position, problem = bad
            value = cells[column.name][position]
            raise DataError(file, f"{value!r} {problem}", row=position + 2, column=column.name)
    twice = cells.duplicated(list(definition.key))
    if twice.any():
        position = int(twice.idxmax())
        raise DataError(file, "the key stands twice", row=position + 2, column=", ".join(definition.key))
    return pd.DataFrame({name: _typed(column, cells[name]) for name, column in definition.columns.items()})


@functools.cache
def _table(name: str) -> pd.DataFrame:
    return _read(name, dictionary()[name])


def table(name: str) -> pd.DataFrame:
    """Return a copy of one whole table, checked against the data dictionary.

    Args:
        name: Name of the table, such as ``"accelerators"``; see :func:`dictionary`.

    Returns:
        One row a thing, with its kind, source, locator, year of review and note.

    Raises:
        UnknownNameError: There is no such table.
        DataError: The file is missing or damaged; the error names the file, the row and the column.

    Taught in the appendix on data and sources.

    Example:
        >>> sites = table("sites")
        >>> sites.loc[sites["name"] == "gcp/us-central1", "grid_g_per_kwh"].item()
        412.72
    """
    return _table(choice("table", name, dictionary())).copy()


def overdue_rows(year: int) -> pd.DataFrame:
    """Return the rows whose year of review lies before a given year.

    Args:
        year: The year to judge from, normally the present one.

    Returns:
        One row each: ``table``, ``row`` (its key, parts joined by a comma) and ``review_by``.

    Raises:
        ArgumentError: The year is out of range.
        DataError: A table is missing or damaged.

    Taught in the appendix on data and sources.

    Example:
        >>> overdue_rows(2026).empty
        True
    """
    year = integer("year", year, low=1970, high=2200)
    found = []
    for name, definition in dictionary().items():
        late = _table(name).query("review_by < @year")
        keys = [", ".join(map(str, key)) for key in late[list(definition.key)].itertuples(index=False)]
        found.append(pd.DataFrame({"table": name, "row": keys, "review_by": late["review_by"].to_numpy()}))
    return pd.concat(found, ignore_index=True)


@functools.cache
def _rows_by_name(table_name: str) -> dict[str, dict[str, Any]]:
    """Map every name in use, also the other names of an accelerator, to its row."""
    rows = {}
    for row in _table(table_name).to_dict("records"):
        row = {column: None if pd.isna(value) else value for column, value in row.items()}
        for name in (row["name"], *(row.get("also_called") or "").split("; ")):
            rows[name] = row
    rows.pop("", None)
    return rows


def _row(table_name: str, argument: str, name: str) -> dict[str, Any]:
    rows = _rows_by_name(table_name)
    return rows[choice(argument, name, rows)]


def accelerator(name: str) -> Accelerator:
    """Return one accelerator of the table.

    Args:
        name: Its short name, such as ``"H100-SXM"``, or another name in use; ``table("accelerators")`` lists both.

    Returns:
        The accelerator, with rates in FLOP/s, power in W, memory in GB and embodied emissions in kg CO2e; what is
        unknown is None.

    Raises:
        UnknownNameError: There is no such accelerator; the nearest name is suggested.
        DataError: The table is missing or damaged.

    Source: the row's ``source``. Taught in 01 and 03.

    Example:
        >>> h100 = accelerator("H100-SXM")
        >>> h100.tdp_w, h100.peak_flops_per_s / 1e12
        (700.0, 989.4)
        >>> accelerator("H100SXM")
        Traceback (most recent call last):
        greenlib.checks.UnknownNameError: unknown accelerator 'H100SXM': ...; did you mean 'H100-SXM'?
    """
    row = _row("accelerators", "accelerator", name)
    rates = {
        "peak_flops_per_s": row["peak_bf16_tflop_per_s"],
        "peak_fp32_flops_per_s": row["peak_fp32_tflop_per_s"],
        "peak_fp8_flops_per_s": row["peak_fp8_tflop_per_s"],
        "peak_int8_ops_per_s": row["peak_int8_top_per_s"],
        "peak_fp4_flops_per_s": row["peak_fp4_tflop_per_s"],
    }
    kept = {name: row[name] for name in Accelerator.__dataclass_fields__ if name not in rates}
    return Accelerator(**kept, **{name: None if rate is None else rate * 1e12 for name, rate in rates.items()})


def site(name: str) -> Site:
    """Return one cloud region of the table as a site.

    Args:
        name: ``provider/region``, such as ``"gcp/us-central1"``; ``table("sites")["name"]`` lists them.

    Returns:
        The site, with its grid intensity in g CO2e per kWh, PUE and WUE; what is unknown is None.

    Raises:
        UnknownNameError: There is no such site; the nearest name is suggested.
        DataError: The table is missing or damaged.

    Source: the row's ``source``. Taught in 01 and 04.

    Example:
        >>> site("gcp/europe-north1").grid_g_per_kwh
        39.32
    """
    row = _row("sites", "site", name)
    return Site(**{name: row[name] for name in Site.__dataclass_fields__})


def country_g_per_kwh(iso3: str, year: int | None = None) -> float:
    """Return the average grid intensity of a country in a year.

    Args:
        iso3: ISO 3166 code of three letters, such as ``"FIN"``, or ``"OWID_WRL"`` for the world.
        year: The year; None for the newest there is.

    Returns:
        Life-cycle grid intensity of the electricity generated, in g CO2e per kWh.

    Raises:
        UnknownNameError: There is no such country.
        ArgumentError: There is no value for that year.

    Source: ember2025. Taught in 04.

    Example:
        >>> country_g_per_kwh("FIN", 2000) > 2 * country_g_per_kwh("FIN")
        True
    """
    rows = _table("countries")
    rows = rows[rows["iso3"] == choice("iso3", iso3, rows["iso3"].unique())].set_index("year")["grid_g_per_kwh"]
    if year is None:
        return float(rows[rows.index.max()])
    if integer("year", year, low=1900, high=2100) not in rows.index:
        raise ArgumentError("year", year, f"one of {', '.join(map(str, sorted(rows.index)))} for {iso3}")
    return float(rows[year])
