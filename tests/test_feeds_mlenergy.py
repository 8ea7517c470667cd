"""ML.ENERGY's static files are read as they are, refused when they are not, and done without when nobody is there."""

import copy
import math

import pandas as pd
import pytest
from loopback import Reply

import greenlib as gl
from greenlib.checks import UnknownNameError
from greenlib.feeds import mlenergy, service
from greenlib.feeds.service import FeedError

INDEX = {
    "architectures": {
        "diffusion": ["text-to-image"],
        "llm": ["lm-arena-chat", "sourcegraph-fim"],
        "mllm": ["image-chat"],
    },
    "last_updated": "2026-02-13",
    "models": {"Qwen/Qwen3-14B": {"nickname": "Qwen 3 14B", "total_params_billions": 14.0}},
    "tasks": ["image-chat", "lm-arena-chat", "sourcegraph-fim", "text-to-image"],
}
# One entry as the leaderboard prints it, with the fields that are not read.
ENTRY = {
    "activated_params_billions": 14.0,
    "architecture": "Dense Transformer",
    "avg_batch_size": 31.923333333333332,
    "avg_output_len": 611.408203125,
    "avg_power_watts": 493.87015235470756,
    "data_parallel": 1,
    "energy_per_request_joules": 149.24495943199702,
    "energy_per_token_joules": 0.24410035499880997,
    "expert_parallel": 1,
    "gpu_model": "H100",
    "max_num_batched_tokens": None,
    "max_num_seqs": 32,
    "median_itl_ms": 15.01433365046978,
    "model_id": "Qwen/Qwen3-14B",
    "nickname": "Qwen 3 14B",
    "num_gpus": 1,
    "output_throughput_tokens_per_sec": 2023.225866906729,
    "p90_itl_ms": 17.230525985360146,
    "p95_itl_ms": 17.838258296251297,
    "p99_itl_ms": 28.449818044900816,
    "tensor_parallel": 1,
    "total_params_billions": 14.0,
    "weight_precision": "bfloat16",
}
CHAT = "/data/tasks/lm-arena-chat.json"


def task_file(*entries):
    return {"configurations": list(entries), "task": "lm-arena-chat", "task_display_name": "Text Conversation"}


@pytest.fixture
def leaderboard(loopback, monkeypatch):
    """A copy of the leaderboard's layout on this machine."""
    monkeypatch.setenv("MLENERGY_URL", loopback.address)
    monkeypatch.setattr(service, "BACKOFF_S", 0.0)
    loopback.pages["/data/index.json"] = Reply(INDEX)
    loopback.pages[CHAT] = Reply(task_file(ENTRY))
    return loopback


def test_without_a_server_the_shipped_rows_are_given_and_called_replayed():
    answer = mlenergy.measurements("lm-arena-chat")
    shipped = gl.table("serving").query("task == 'lm-arena-chat'").reset_index(drop=True)
    pd.testing.assert_frame_equal(answer.body, shipped)
    assert answer.replayed
    assert answer.recorded in answer.note
    assert mlenergy.tasks() == list(gl.table("serving")["task"].unique())


def test_without_a_server_another_task_is_refused_with_the_way_to_get_it():
    with pytest.raises(FeedError, match=r"lm-arena-chat or sourcegraph-fim.*MLENERGY_URL"):
        mlenergy.measurements("gpqa")


def test_a_live_entry_arrives_in_the_columns_and_the_words_of_the_table(leaderboard):
    answer = mlenergy.measurements("lm-arena-chat")
    assert (answer.how, answer.replayed) == ("live", False)
    assert list(answer.body.columns) == list(gl.table("serving").columns)
    row = answer.body.iloc[0]
    assert (row["model"], row["architecture"], row["weight_precision"]) == ("Qwen/Qwen3-14B", "dense", "bf16")
    assert (row["accelerator"], row["accelerators"], row["batch_limit"], row["repeat"]) == ("H100-SXM", 1, 32, 1)
    assert (row["total_params"], row["active_params"], row["kind"]) == (14e9, 14e9, "measured")
    assert row.drop("note").notna().all()
    assert (row["inter_token_latency_ms"], row["review_by"]) == (ENTRY["median_itl_ms"], int(answer.recorded[:4]))
    assert row["energy_per_token_j"] * row["output_tokens"] == pytest.approx(row["energy_per_request_j"])
    assert row["locator"].startswith("data/tasks/lm-arena-chat.json, asked 20")
    assert [question.path for question in leaderboard.asked] == ["/data/index.json", CHAT]


@pytest.mark.parametrize(
    ("field", "printed", "column", "word"),
    [
        ("architecture", "MoE", "architecture", "moe"),
        ("architecture", "Mamba-Transformer Hybrid", "architecture", "hybrid"),
        ("weight_precision", "float16", "weight_precision", "fp16"),
        ("weight_precision", "fp8", "weight_precision", "fp8"),
        ("gpu_model", "B200", "accelerator", "B200-SXM"),
    ],
)
def test_the_leaderboard_s_words_become_the_table_s(leaderboard, field, printed, column, word):
    leaderboard.pages[CHAT] = Reply(task_file(ENTRY | {field: printed}))
    assert mlenergy.measurements("lm-arena-chat").body[column].tolist() == [word]


def test_live_rows_go_into_the_serving_model_as_shipped_ones_do(leaderboard):
    rows = mlenergy.measurements("lm-arena-chat").body
    estimate = gl.joules_per_token(rows)
    assert 0.5 < float(estimate.iloc[0] / rows["energy_per_token_j"].iloc[0]) < 2


def test_the_second_listing_of_a_configuration_is_numbered(leaderboard):
    leaderboard.pages[CHAT] = Reply(task_file(ENTRY, ENTRY, ENTRY | {"max_num_seqs": 64}))
    assert mlenergy.measurements("lm-arena-chat").body["repeat"].tolist() == [1, 2, 1]


def test_what_the_source_may_leave_open_stays_open(leaderboard):
    entry = {name: value for name, value in ENTRY.items() if not name.endswith("_parallel")}
    leaderboard.pages[CHAT] = Reply(task_file(entry | {"max_num_seqs": None, "gpu_model": "H900"}))
    row = mlenergy.measurements("lm-arena-chat").body.iloc[0]
    assert math.isnan(row["batch_limit"])
    assert pd.isna(row["tensor_parallel"])
    assert row["accelerator"] == "H900"


def test_tasks_are_those_with_tokens(leaderboard):
    assert mlenergy.tasks() == ["image-chat", "lm-arena-chat", "sourcegraph-fim"]
    with pytest.raises(UnknownNameError, match="lm-arena-chat"):
        mlenergy.measurements("lm-arena-chatt")
    with pytest.raises(UnknownNameError):
        mlenergy.measurements("text-to-image")


def test_an_index_without_architectures_keeps_all_its_tasks(leaderboard):
    leaderboard.pages["/data/index.json"] = Reply({"tasks": ["lm-arena-chat"]})
    assert mlenergy.tasks() == ["lm-arena-chat"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_fault_that_passes_is_asked_through(leaderboard, status):
    leaderboard.script = [Reply(status=status, headers={"Retry-After": "0"})] * 2
    assert mlenergy.measurements("lm-arena-chat").how == "live"


def test_the_same_question_is_asked_once_a_day(leaderboard):
    first = mlenergy.measurements("lm-arena-chat")
    again = mlenergy.measurements("lm-arena-chat")
    assert again.how == "cached"
    pd.testing.assert_frame_equal(first.body, again.body)
    assert len(leaderboard.asked) == 2


def test_an_old_answer_covers_for_a_failing_server_and_says_so(leaderboard, monkeypatch):
    mlenergy.measurements("lm-arena-chat")
    monkeypatch.setattr(mlenergy, "FRESH_S", 0)
    leaderboard.pages = {path: Reply(status=500) for path in leaderboard.pages}
    answer = mlenergy.measurements("lm-arena-chat")
    assert answer.replayed
    assert "status 500" in answer.note
    assert len(answer.body) == 1


def spoilt(**changes):
    entry = copy.deepcopy(ENTRY)
    for name, value in changes.items():
        if value is ...:
            del entry[name]
        else:
            entry[name] = value
    return task_file(entry)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("<html>moved</html>", "not JSON"),
        ('{"configurations": [{"model_id": ', "not JSON"),
        ({"rows": [ENTRY]}, "configurations: field required"),
        (task_file(), "configurations: list should have at least 1 item"),
        ([ENTRY], "the whole"),
        (spoilt(energy_per_token_joules=...), "configurations.0.energy_per_token_joules: field required"),
        (spoilt(energy_per_token_joules=0), "greater than 0"),
        (spoilt(energy_per_token_joules=float("nan")), "energy_per_token_joules"),
        (spoilt(avg_output_len=float("inf")), "avg_output_len"),
        (spoilt(num_gpus=0), "num_gpus"),
        (spoilt(model_id=None), "model_id"),
        (spoilt(median_itl_ms="soon"), "median_itl_ms"),
    ],
)
def test_another_shape_is_one_error_that_names_the_place(leaderboard, body, problem):
    leaderboard.pages[CHAT] = Reply(body)
    with pytest.raises(FeedError, match=r"ML\.ENERGY") as caught:
        mlenergy.measurements("lm-arena-chat")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(status=500), "status 500"),
        (Reply(status=404), "no such thing"),
        (Reply(INDEX, wait_s=5), "in time"),
        (Reply(hang_up=True), "cannot be reached"),
        (Reply({"tasks": []}), "tasks"),
        (Reply({"models": {}}), "tasks"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_error(leaderboard, monkeypatch, reply, problem):
    monkeypatch.setattr(service, "LONGEST_S", 1.0)
    leaderboard.pages["/data/index.json"] = reply
    with pytest.raises(FeedError, match=problem):
        mlenergy.measurements("lm-arena-chat")


def test_nobody_there_is_one_error(loopback, monkeypatch):
    monkeypatch.setattr(service, "BACKOFF_S", 0.0)
    monkeypatch.setenv("MLENERGY_URL", loopback.address)
    loopback.close()
    with pytest.raises(FeedError, match="cannot be reached"):
        mlenergy.tasks()
