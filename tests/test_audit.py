"""The audit of the source: every claim once, with a verdict of the fixed set and evidence that can be followed."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from prose import NOTEBOOKS, Notebook

VERDICTS = {"holds", "holds if", "does not hold", "cannot be checked"}
PAGE = Notebook(NOTEBOOKS / "audit.ipynb")


@pytest.fixture(scope="module")
def audited() -> pd.DataFrame:
    """Every row of the page's tables, as its cells make them."""
    names: dict = {}
    for source in PAGE.code:
        exec(source, names)
    plt.close("all")
    return pd.concat(names["audited"], ignore_index=True)


def test_every_claim_occurs_once(audited):
    assert sorted(audited["no."]) == list(range(1, 64))


def test_every_claim_has_one_of_the_four_verdicts(audited):
    assert set(audited["verdict"]) == VERDICTS


def test_every_claim_has_evidence_that_is_computed_or_cited_or_a_reason_why_not(audited):
    keys = set(re.findall(r"@\w+\{(\w+),", (NOTEBOOKS / "references.bib").read_text(encoding="utf-8")))
    for row in audited.to_dict("records"):
        evidence = row["evidence"]
        cited = {key for group in re.findall(r"\[([^\]]+)\]", evidence) for key in group.split("; ")}
        assert cited <= keys, f"{row['no.']}: {cited - keys} not in references.bib"
        assert "nan" not in evidence.lower().split(), row
        if row["verdict"] == "cannot be checked":
            assert evidence.startswith("because "), row
        else:
            assert cited or re.search(r"\d", evidence), row


def test_a_claim_is_short_and_its_chapter_exists(audited):
    chapters = {
        found for path in NOTEBOOKS.parent.glob("_toc.yml") for found in re.findall(r"/(\d\d)_", path.read_text())
    }
    assert audited["claim"].str.split().str.len().max() <= 15
    assert set(audited["ch."]) <= chapters


def test_a_table_fits_a_phone(audited):
    assert audited.shape[1] <= 5


def test_every_chapter_in_a_table_is_linked_above_it(audited):
    linked = set(re.findall(r"\]\((\d\d)_\w+\.ipynb\)", "\n".join(PAGE.prose)))
    assert set(audited["ch."]) <= linked
