"""Ranking regions: the source's figures, the budget, the law, the speed of light, and what each limit costs."""

import math

import numpy as np
import pandas as pd
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
    with pytest.raises(ArgumentTypeError, match="gpu_hours"):
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
    for wrong in ("gcp", 1):
        with pytest.raises(ArgumentTypeError, match="a list of names"):
            gl.rank_sites(1000, default_pue=1.3, providers=wrong)


places = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def distance_km(here, there):
    return gl.great_circle_km(*here, to_latitude=there[0], to_longitude=there[1])


@given(places, places, places)
def test_distance_is_a_distance(a, b, c):
    assert distance_km(a, b) == pytest.approx(distance_km(b, a), abs=1e-6)
    assert distance_km(a, a) == 0
    assert 0 <= distance_km(a, b) <= math.pi * 6371 + 1e-6
    assert distance_km(a, c) <= distance_km(a, b) + distance_km(b, c) + 1e-3


@given(places, places)
def test_distance_agrees_with_the_angle_between_two_arrows(a, b):
    def arrow(place):
        north, east = np.radians(place)
        return np.array([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])

    across = np.linalg.norm(np.cross(arrow(a), arrow(b)))
    assert distance_km(a, b) == pytest.approx(6371 * np.arctan2(across, arrow(a) @ arrow(b)), rel=1e-6, abs=1e-3)


def test_a_quarter_of_the_globe_and_the_speed_of_light():
    assert distance_km((0, 0), (0, 90)) == pytest.approx(math.pi / 2 * 6371)
    assert distance_km((90, 0), (-90, 0)) == pytest.approx(math.pi * 6371)
    assert gl.round_trip_ms(299.792458, group_index=1) == pytest.approx(2.0)
    assert gl.round_trip_ms(100) == pytest.approx(2 * 0.4897, abs=1e-3)  # 4.897 µs for a kilometre, as printed


MUNICH = (48.14, 11.58)


@given(places, st.floats(0, 200), st.floats(0, 200))
def test_a_looser_latency_limit_never_removes_a_site(near, first, second):
    tight, loose = sorted([first, second])
    within = gl.rank_sites(1000, default_pue=1.2, near=near, max_round_trip_ms=tight)
    wider = gl.rank_sites(1000, default_pue=1.2, near=near, max_round_trip_ms=loose)
    assert set(within["name"]) <= set(wider["name"])
    assert (within["round_trip_ms"] <= tight).all()
    assert within["emissions_kg"].is_monotonic_increasing


def test_a_latency_limit_keeps_frankfurt_and_drops_stockholm():
    near = gl.rank_sites(7000, default_pue=1.2, near=MUNICH, max_round_trip_ms=10).set_index("name")
    assert near.index[0] == "gcp/europe-west6"
    assert "gcp/europe-west3" in near.index
    assert "gcp/europe-north2" not in near.index
    assert near.loc["gcp/europe-west3", "round_trip_ms"] == pytest.approx(2.98, abs=0.01)
    assert "round_trip_ms" not in gl.rank_sites(7000, default_pue=1.2)
    assert len(gl.rank_sites(7000, default_pue=1.2, near=MUNICH)) == len(gl.table("sites"))


PRICES = {"gcp/europe-north2": 34_000, "gcp/europe-west6": 30_000, "gcp/us-central1": 27_000}


def test_a_budget_keeps_what_is_known_to_fit():
    within = gl.rank_sites(7000, default_pue=1.2, cost_usd=PRICES, max_cost_usd=30_000)
    assert within["name"].tolist() == ["gcp/europe-west6", "gcp/us-central1"]
    everywhere = gl.rank_sites(7000, default_pue=1.2, cost_usd=pd.Series(PRICES))
    assert len(everywhere) == len(gl.table("sites"))
    assert everywhere["cost_usd"].notna().sum() == 3
    assert gl.rank_sites(7000, default_pue=1.2, cost_usd=PRICES, max_cost_usd=0).empty


def test_the_cost_of_a_limit_is_best_within_less_best_of_all():
    limit = gl.cost_of_limit(7000, default_pue=1.2, cost_usd=PRICES, near=MUNICH, max_round_trip_ms=10)
    kg = gl.rank_sites(7000, default_pue=1.2).set_index("name")["emissions_kg"]
    assert limit.site_without == "gcp/europe-north2"
    assert limit.site_within == "gcp/europe-west6"
    assert limit.extra_kg == pytest.approx(kg["gcp/europe-west6"] - kg["gcp/europe-north2"])
    assert limit.extra_usd == -4000
    assert limit.binds
    assert limit.sites_left == 24


def test_a_limit_that_removes_sites_but_not_the_best_costs_nothing():
    limit = gl.cost_of_limit(7000, default_pue=1.2, gdpr_transfers=["eu"])
    assert (limit.extra_kg, limit.binds, limit.extra_usd) == (0, False, None)
    assert 0 < limit.sites_left < len(gl.table("sites"))
    without_price = gl.cost_of_limit(7000, default_pue=1.2, cost_usd=PRICES, jurisdictions=["IND"])
    assert without_price.extra_usd is None


@given(st.sets(st.sampled_from(sorted(gl.table("sites")["jurisdiction"].unique())), min_size=1), st.floats(0, 1e9))
def test_no_limit_makes_a_job_cleaner(jurisdictions, kwh):
    limit = gl.cost_of_limit(kwh, default_pue=1.2, jurisdictions=jurisdictions)
    assert limit.extra_kg >= 0
    fewer = gl.cost_of_limit(kwh, default_pue=1.2, jurisdictions=jurisdictions, near=MUNICH, max_round_trip_ms=200)
    assert fewer.extra_kg >= limit.extra_kg


@pytest.mark.parametrize(
    ("limits", "error", "match"),
    [
        ({"near": MUNICH, "max_round_trip_ms": -1}, ArgumentError, "max_round_trip_ms"),
        ({"near": (91, 0), "max_round_trip_ms": 1}, ArgumentError, "latitude"),
        ({"near": "Munich"}, ArgumentTypeError, "near"),
        ({"max_round_trip_ms": 10}, ArgumentError, "near = None"),
        ({"max_cost_usd": 10}, ArgumentError, "cost_usd = None"),
        ({"cost_usd": 10}, ArgumentTypeError, "name of the site"),
        ({"cost_usd": {"gcp/europe-north3": 1}}, UnknownNameError, "did you mean 'gcp/europe-north"),
        ({"cost_usd": {"gcp/europe-north2": -1}}, ArgumentError, "cost_usd = -1"),
        ({"cost_usd": {"gcp/europe-north2": float("nan")}}, ArgumentError, "nan"),
        ({"cost_usd": {"gcp/europe-north2": "34,000"}}, ArgumentTypeError, "cost_usd"),
        ({"cost_usd": pd.Series([1, 2], ["gcp/europe-north2"] * 2)}, ArgumentError, "one cost for each site"),
        ({"cost_usd": PRICES, "max_cost_usd": float("inf")}, ArgumentError, "max_cost_usd"),
        ({"jurisdictions": []}, ArgumentError, "a site is left"),
        ({"jurisdiction": ["EU"]}, UnknownNameError, "did you mean 'jurisdictions'"),
    ],
)
def test_limits_that_cannot_be_are_refused(limits, error, match):
    with pytest.raises(error, match=match):
        gl.cost_of_limit(7000, default_pue=1.2, **limits)
