"""Ranking regions: the source's figures, the budget, and the law."""

import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import ArgumentError, ArgumentTypeError, UnknownNameError


def test_the_source_s_ranking_to_the_kilogram():
    ranked = gl.recommend_region(10_000, max_cost=50_000)
    assert len(ranked) == 8
    head = list(zip(ranked["region"], ranked["emissions_kg"].round(1), strict=True))[:5]
    assert head == [
        ("swedencentral", 154.0),
        ("eu-north-1", 192.5),
        ("ca-central-1", 231.0),
        ("europe-north1", 231.0),
        ("us-west-2", 924.0),
    ]


def test_a_budget_of_nothing_buys_nothing_and_no_budget_buys_all():
    assert gl.recommend_region(10_000, max_cost=0).empty
    assert len(gl.recommend_region(10_000)) == 8
    assert len(gl.recommend_region(0, max_cost=0)) == 8


@given(st.floats(0, 1e7), st.floats(0, 1e8))
def test_every_recommended_region_fits_the_budget(hours, max_cost):
    ranked = gl.recommend_region(hours, max_cost=max_cost)
    assert (ranked["cost_usd"] <= max_cost).all()
    assert ranked["emissions_kg"].is_monotonic_increasing
    dropped = set(gl.recommend_region(hours)["region"]) - set(ranked["region"])
    prices = gl.table("illustrative_regions").set_index("region")["usd_per_gpu_hour"]
    assert all(prices[region] * hours > max_cost for region in dropped)


@pytest.mark.parametrize("wrong", [(-1, None), (10, -1), (float("nan"), None), (10, float("inf"))])
def test_impossible_jobs_are_refused(wrong):
    with pytest.raises(ArgumentError):
        gl.recommend_region(*wrong)
    with pytest.raises(ArgumentTypeError):
        gl.recommend_region("10,000")


def test_sourced_sites_rank_by_emissions_with_their_own_pue():
    ranked = gl.rank_sites(1000, default_pue=1.3)
    assert len(ranked) == len(gl.table("sites"))
    assert ranked["emissions_kg"].is_monotonic_increasing
    assert (ranked.loc[~ranked["pue_published"], "pue"] == 1.3).all()
    iowa = ranked.set_index("name").loc["gcp/us-central1"]
    site = gl.site("gcp/us-central1")
    assert iowa["emissions_kg"] == pytest.approx(1000 * site.pue * site.grid_g_per_kwh / 1000)


def test_filters_keep_what_provider_and_law_allow():
    within = gl.rank_sites(1000, default_pue=1.3, providers=["gcp", "aws"], gdpr_transfers=["eu"])
    assert set(within["gdpr_transfer"]) == {"eu"}
    assert not within["name"].str.startswith("azure").any()
    european = gl.rank_sites(1000, default_pue=1.3, jurisdictions=["EU"])
    assert set(european["jurisdiction"]) == {"EU"}
    assert gl.rank_sites(1000, default_pue=1.3)["emissions_kg"].min() <= european["emissions_kg"].min()
    assert gl.rank_sites(1000, default_pue=1.3, providers=[]).empty


def test_unknown_filters_are_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'gcp'"):
        gl.rank_sites(1000, default_pue=1.3, providers=["gpc"])
    with pytest.raises(ArgumentTypeError, match="a list of names"):
        gl.rank_sites(1000, default_pue=1.3, providers="gcp")
