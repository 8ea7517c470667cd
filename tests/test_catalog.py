"""The tables keep their dictionary, and the catalogue says clearly when they do not."""

import datetime
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import greenlib as gl
from greenlib import catalog
from greenlib.checks import QUANTITIES, ArgumentError, DataError, Interval, UnknownNameError

TABLES = list(gl.dictionary())
KEYS = set(
    re.findall(r"@\w+\{(\w+),", (Path(__file__).parent.parent / "notebooks/references.bib").read_text(encoding="utf-8"))
)


def test_every_data_file_is_in_the_dictionary():
    files = {path.name for path in (Path(catalog.__file__).parent / "data").iterdir() if path.suffix == ".csv"}
    assert files == {f"{name}.csv" for name in TABLES}


@pytest.mark.parametrize("name", TABLES)
def test_table_keeps_its_dictionary(name):
    rows, definition = gl.table(name), gl.dictionary()[name]
    assert list(rows.columns) == list(definition.columns)
    assert list(rows.columns)[-5:] == ["kind", "source", "locator", "review_by", "note"]
    assert len(rows) > 0
    assert definition.about
    assert all(column.meaning for column in definition.columns.values())


@pytest.mark.parametrize("name", TABLES)
def test_every_source_is_in_the_bibliography(name):
    cited = {key.strip() for cell in gl.table(name)["source"] for key in cell.split(";")}
    assert cited <= KEYS


@pytest.mark.parametrize("name", TABLES)
def test_every_number_has_a_unit_and_a_range(name):
    for column in gl.dictionary()[name].columns.values():
        if column.kind in ("number", "integer"):
            assert isinstance(column.allowed, Interval), column.name


@pytest.mark.parametrize("name", TABLES)
def test_columns_named_like_arguments_stay_within_the_arguments_ranges(name):
    for column in gl.dictionary()[name].columns.values():
        if column.name in QUANTITIES:
            values = gl.table(name)[column.name].dropna()
            assert all(value in QUANTITIES[column.name].allowed for value in values), column.name


def test_overdue_rows_are_named_with_their_table_and_key():
    assert gl.overdue_rows(2026).empty
    late = gl.overdue_rows(2028)
    assert {"sites", "countries"} <= set(late["table"])
    assert "gcp/us-central1" in set(late["row"])
    assert set(late["review_by"]) <= {2026, 2027}
    assert len(gl.overdue_rows(2100)) == sum(len(gl.table(name)) for name in TABLES)


@pytest.mark.weekly
def test_no_row_is_overdue():
    late = gl.overdue_rows(datetime.datetime.now(datetime.UTC).year)
    assert late.empty, late.to_string(index=False)


def test_the_tables_are_as_large_as_promised():
    assert len(gl.table("accelerators")) >= 25
    sites = gl.table("sites")
    assert len(sites) >= 100
    assert set(sites["provider"]) == {"aws", "azure", "gcp"}
    assert len(gl.table("illustrative_regions")) == 8
    assert set(gl.table("illustrative_regions")["kind"]) == {"illustrative"}


def test_cross_references_between_tables_hold():
    countries = set(gl.table("countries")["iso3"])
    assert set(gl.table("sites")["iso3"]) <= countries
    accelerators = set(gl.table("accelerators")["name"])
    assert set(gl.table("serving")["accelerator"]) <= accelerators


def test_sites_keep_the_rule_for_the_best_factor():
    sites = gl.table("sites")
    google = sites[sites["grid_method"] == "provider"]
    assert (google["grid_g_per_kwh"] == google["google_grid_g_per_kwh"]).all()
    country = sites[sites["grid_method"] == "country"]
    assert (country["grid_g_per_kwh"] == country["country_grid_g_per_kwh"]).all()


def test_serving_measurements_are_consistent_with_themselves():
    rows = gl.table("serving")
    np.testing.assert_allclose(rows["power_w"] / rows["throughput_tokens_per_s"], rows["energy_per_token_j"], rtol=1e-3)


def test_profiles_cover_every_month_and_hour():
    profiles = gl.table("grid_profiles")
    assert (profiles.groupby("balancing_area").size() == 12 * 24).all()
    assert (profiles["p10_g_per_kwh"] <= profiles["mean_g_per_kwh"] * 1.2).all()
    assert (profiles["p10_g_per_kwh"] <= profiles["p90_g_per_kwh"]).all()


def test_accelerators_and_sites_are_read_with_their_units():
    h100 = gl.accelerator("H100-SXM")
    assert (h100.peak_flops_per_s, h100.tdp_w, h100.memory_gb) == (989.4e12, 700.0, 80.0)
    assert gl.accelerator("TPU-v4").tdp_w is None
    finland = gl.site("gcp/europe-north1")
    assert (finland.grid_g_per_kwh, finland.iso3, finland.grid_method) == (39.32, "FIN", "provider")
    assert finland.provider in finland.name


def test_other_names_in_use_find_the_same_accelerator_and_are_never_ambiguous():
    assert gl.accelerator("H100") == gl.accelerator("H100-80GB") == gl.accelerator("H100-SXM")
    rows = gl.table("accelerators")
    names = [*rows["name"], *rows["also_called"].dropna().str.split("; ").explode()]
    assert len(names) == len(set(names))


def test_unknown_names_are_answered_with_the_nearest():
    for call, near in (
        (lambda: gl.accelerator("H100SXM"), "H100-SXM"),
        (lambda: gl.site("gcp/us-centrl1"), "gcp/us-central1"),
        (lambda: gl.table("accelerator"), "accelerators"),
        (lambda: gl.country_g_per_kwh("FINN"), "FIN"),
    ):
        with pytest.raises(UnknownNameError) as caught:
            call()
        assert near in str(caught.value)


def test_country_averages_by_year():
    assert gl.country_g_per_kwh("SWE") < 60 < gl.country_g_per_kwh("POL")
    with pytest.raises(ArgumentError, match="year = 1950"):
        gl.country_g_per_kwh("FIN", 1950)


def test_a_caller_cannot_spoil_a_table_for_the_next():
    spoilt = gl.table("sites")
    spoilt["grid_g_per_kwh"] = -1
    assert (gl.table("sites")["grid_g_per_kwh"] > 0).all()


@pytest.fixture
def damaged(tmp_path, monkeypatch):
    """A folder with the dictionary and one table, to be spoilt."""
    for file in ("README.md", "accelerators.csv"):
        (tmp_path / file).write_bytes((Path(catalog.__file__).parent / "data" / file).read_bytes())
    monkeypatch.setattr(catalog, "DATA", tmp_path)
    catalog._table.cache_clear()
    catalog._rows_by_name.cache_clear()
    catalog.dictionary.cache_clear()
    yield tmp_path
    catalog._table.cache_clear()
    catalog._rows_by_name.cache_clear()
    catalog.dictionary.cache_clear()


def spoil(folder, row, column, value):
    cells = pd.read_csv(folder / "accelerators.csv", dtype=str, keep_default_na=False)
    cells.loc[row - 2, column] = value
    cells.to_csv(folder / "accelerators.csv", index=False)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("tdp_w", "seven hundred", "is not a number"),
        ("tdp_w", "0.7", "is not at least"),
        ("tdp_w", "inf", "is not at least"),
        ("memory_gb", "", "is blank"),
        ("kind", "guessed", "is not one of"),
        ("release_date", "last spring", "is not a date"),
    ],
)
def test_a_damaged_cell_is_named_by_file_row_and_column(damaged, column, value, problem):
    spoil(damaged, 5, column, value)
    with pytest.raises(DataError, match=rf"accelerators\.csv, row 5, column '{column}'.*{problem}") as caught:
        gl.table("accelerators")
    assert (caught.value.file, caught.value.row, caught.value.column) == ("accelerators.csv", 5, column)


def test_a_key_that_stands_twice_is_named(damaged):
    first = gl.table("accelerators")["name"][0]
    catalog._table.cache_clear()
    spoil(damaged, 4, "name", first)
    with pytest.raises(DataError, match=r"row 4.*the key stands twice"):
        gl.table("accelerators")


def test_missing_and_misshapen_files_are_named(damaged):
    text = (damaged / "accelerators.csv").read_text()
    (damaged / "accelerators.csv").write_text(text.replace("tdp_w", "power", 1))
    with pytest.raises(DataError, match=r"accelerators\.csv: the columns differ.*power"):
        gl.table("accelerators")
    (damaged / "accelerators.csv").write_text('a,b\n"1,2\n')
    with pytest.raises(DataError, match="cannot be read"):
        gl.table("accelerators")
    (damaged / "accelerators.csv").unlink()
    with pytest.raises(DataError, match="the data file is missing"):
        gl.table("accelerators")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("Key: name", "Key name"), "lacks its key line"),
        (("| tdp_w | number |", "| tdp_w | watts |"), "type 'watts'"),
    ],
)
def test_a_damaged_dictionary_is_named(damaged, change, problem):
    readme = damaged / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(DataError, match=f"README.md.*{problem}"):
        gl.dictionary()


def test_a_missing_dictionary_is_named(damaged):
    (damaged / "README.md").unlink()
    with pytest.raises(DataError, match="dictionary is missing"):
        gl.dictionary()
