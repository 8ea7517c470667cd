"""ML.ENERGY's leaderboard: measured joules for each configuration of a served model.

The leaderboard publishes static files and asks for no key: ``data/index.json`` names tasks and models,
``data/tasks/<task>.json`` has one entry for each *configuration* (a model on so many accelerators at one batch limit).
They are read when ``MLENERGY_URL`` names a server, such as ``https://ml.energy/leaderboard`` or a copy of your own.
Otherwise the rows that ship in the table ``serving`` are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from greenlib.catalog import table
from greenlib.checks import UnknownNameError, choice
from greenlib.feeds.service import Answer, FeedError, Service

__all__ = ["SERVICE", "measurements", "tasks"]

SERVICE = Service(
    name="ML.ENERGY",
    slug="mlenergy",
    address="https://ml.energy/leaderboard",
    address_variable="MLENERGY_URL",
)

FRESH_S = 24 * 3600
"""Seconds for which an answer is as good as a live one: the leaderboard changes every few months."""

SNAPSHOT = "2026-02-16"
"""Date of the leaderboard's files that the table ``serving`` was made from."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Configuration(BaseModel):
    """One entry of a task's file: a model, some accelerators, a batch limit, and what was measured."""

    # The source's names begin with "model_", which pydantic keeps for itself unless told otherwise.
    model_config = ConfigDict(protected_namespaces=())

    model_id: str
    architecture: str
    weight_precision: str
    total_params_billions: Positive
    activated_params_billions: Positive
    gpu_model: str
    num_gpus: Count
    max_num_seqs: Count | None
    """The batch limit; None where the server had none."""
    avg_batch_size: Positive
    avg_output_len: Positive
    energy_per_token_joules: Positive
    energy_per_request_joules: Positive
    avg_power_watts: Positive
    output_throughput_tokens_per_sec: Positive
    median_itl_ms: Positive
    tensor_parallel: Count | None = None
    expert_parallel: Count | None = None
    data_parallel: Count | None = None


class TaskFile(BaseModel):
    """The file of one task."""

    configurations: Annotated[list[Configuration], Field(min_length=1)]


class Index(BaseModel):
    """The leaderboard's table of contents, as far as it is read here."""

    tasks: Annotated[list[str], Field(min_length=1)]
    architectures: dict[str, list[str]] = {}
    """Kind of model, such as ``llm`` or ``diffusion``, to its tasks."""

    def token_tasks(self) -> list[str]:
        """Return the tasks answered in tokens: pictures and films have no joules per token."""
        drawn = set(self.architectures.get("diffusion", []))
        return [task for task in self.tasks if task not in drawn]


COLUMNS = {
    "model_id": "model",
    "gpu_model": "accelerator",
    "num_gpus": "accelerators",
    "max_num_seqs": "batch_limit",
    "avg_batch_size": "batch_size",
    "avg_output_len": "output_tokens",
    "energy_per_token_joules": "energy_per_token_j",
    "energy_per_request_joules": "energy_per_request_j",
    "avg_power_watts": "power_w",
    "output_throughput_tokens_per_sec": "throughput_tokens_per_s",
    "median_itl_ms": "inter_token_latency_ms",
}
"""The leaderboard's name of a column to that of the table ``serving``; names that are the same are left out."""

ARCHITECTURES = {"Dense Transformer": "dense", "MoE": "moe", "Mamba-Transformer Hybrid": "hybrid"}
PRECISIONS = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
KEY = ["model", "accelerator", "accelerators", "batch_limit"]


def tasks() -> list[str]:
    """Return the tasks whose answers are counted in tokens, for :func:`measurements`.

    Returns:
        The leaderboard's tasks if ``MLENERGY_URL`` is set, else those of the table ``serving``.

    Raises:
        FeedError: The server gave no usable answer, now or earlier.

    Source: mlenergy2026. Taught in 12.

    Example:
        >>> tasks()
        ['lm-arena-chat', 'sourcegraph-fim']
    """
    if not SERVICE.is_live():
        return list(table("serving")["task"].unique())
    return SERVICE.get("data/index.json", Index, fresh_s=FRESH_S).body.token_tasks()


def measurements(task: str) -> Answer[pd.DataFrame]:
    """Return the measured configurations of one task, in the columns of the table ``serving``.

    Args:
        task: One of :func:`tasks`, such as ``"lm-arena-chat"``.

    Returns:
        An answer whose ``body`` is a DataFrame with one row a configuration: J per output token, J per request, tokens
        per answer, W, tokens/s, ms between tokens, and what was served on what. ``how`` is ``live``, ``cached`` or
        ``replayed``; without a server the rows of the table are given as replayed, with the date of the snapshot.

    Raises:
        UnknownNameError: The leaderboard has no such task; the nearest one is suggested.
        FeedError: The server gave no usable answer, now or earlier; or no server is named and the task is not in the
            table.

    Source: mlenergy2026. Taught in 12.

    Example:
        >>> answer = measurements("lm-arena-chat")
        >>> answer.how, answer.recorded
        ('replayed', '2026-02-16')
        >>> best = answer.body.nsmallest(3, "energy_per_token_j")
        >>> best["batch_limit"].tolist()
        [2048, 1536, 1024]
    """
    if not SERVICE.is_live():
        return _embedded(task)
    choice("task", task, tasks())
    path = f"data/tasks/{task}.json"
    answer = SERVICE.get(path, TaskFile, fresh_s=FRESH_S)
    rows = _rows(task, answer.body.configurations).assign(
        locator=f"{path}, asked {answer.recorded}", review_by=int(answer.recorded[:4])
    )
    return Answer(rows, answer.how, answer.recorded, answer.note)


def _embedded(task: str) -> Answer[pd.DataFrame]:
    rows = table("serving")
    try:
        choice("task", task, rows["task"].unique())
    except UnknownNameError as error:
        way_out = f"set {SERVICE.address_variable} to {SERVICE.address} to ask for the others"
        raise FeedError(SERVICE.name, f"{error}; {way_out}") from error
    note = f"{SERVICE.name}, replayed: the rows of {SNAPSHOT} that ship in the table serving"
    return Answer(rows[rows["task"] == task].reset_index(drop=True), "replayed", SNAPSHOT, note)


def _rows(task: str, configurations: Sequence[Configuration]) -> pd.DataFrame:
    found = pd.DataFrame([configuration.model_dump() for configuration in configurations]).rename(columns=COLUMNS)
    numbers = ["batch_limit", "tensor_parallel", "expert_parallel", "data_parallel"]
    found[numbers] = found[numbers].apply(pd.to_numeric)  # None becomes NaN
    found["architecture"] = found["architecture"].replace(ARCHITECTURES)
    found["weight_precision"] = found["weight_precision"].replace(PRECISIONS)
    found["accelerator"] = found["accelerator"].replace(_accelerator_names())
    found["total_params"] = 1e9 * found["total_params_billions"]
    found["active_params"] = 1e9 * found["activated_params_billions"]
    found["repeat"] = found.groupby(KEY, dropna=False).cumcount() + 1
    found = found.assign(task=task, kind="measured", source="mlenergy2026", note=None)
    return found.reindex(columns=table("serving").columns)


def _accelerator_names() -> dict[str, str]:
    """Map every other name of an accelerator in use, such as the bare ``H100``, to the catalogue's."""
    rows = table("accelerators").dropna(subset="also_called")
    return {
        other: name
        for name, others in zip(rows["name"], rows["also_called"], strict=True)
        for other in others.split("; ")
    }
