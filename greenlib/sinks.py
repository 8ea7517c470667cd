"""Where tracked rows go: a CSV file, MLflow, Weights & Biases.

A sink is a function of one row, as :func:`greenlib.tracking.track` hands it out at every step and at the end of a
block. All sinks of a block get the same rows, so the same energy stands beside the same loss wherever you look at it.

MLflow and W&B work here without a server: one SQLite file, one folder. The environment alone decides otherwise:
``MLFLOW_TRACKING_URI`` names a server, ``WANDB_API_KEY`` opens an account. Neither of them sends anything home
about its use: both offer a setting for that, which is made here unless the environment says otherwise.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenlib.checks import ArgumentError, ArgumentTypeError, DataError
from greenlib.tracking import COLUMNS, Sink, TrackingError

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.tracking import MlflowClient

__all__ = ["StoreError", "csv_sink", "mlflow_runs", "mlflow_sink", "wandb_sink"]

# MLflow's defaults repeat a refused request for four minutes, and take a server's word on how long to wait.
_MLFLOW_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
}
_WANDB_WAITS_S = 10.0
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "WANDB_API_KEY")


class StoreError(TrackingError):
    """An experiment store did not take what it was given, or could not be read.

    Args:
        store: Which store.
        problem: What it said; never a key.
    """

    def __init__(self, store: str, problem: str) -> None:
        """Keep who failed and why."""
        self.store, self.problem = store, problem
        super().__init__(store, problem)

    def __str__(self) -> str:
        """Name the store and its complaint."""
        return f"{self.store}: {self.problem}"


def csv_sink(path: str | os.PathLike, *, fields: Iterable[str] = ()) -> Sink:
    """Return a sink that appends each row to a CSV file.

    The file and its header are made now, so that a folder that cannot be written to is found before the work.
    Each row is one append, which local file systems on Linux and macOS do not mix with another process's; on
    Windows or a network drive give each process a file of its own. Fields of :meth:`greenlib.tracking.Run.step`
    that are not named here are kept together in the last column, ``more``, as JSON.

    Args:
        path: File to append to; made if it is not there.
        fields: Names of your own fields that get a column each.

    Returns:
        A function of one row.

    Raises:
        ArgumentError: The file cannot be written, or a field name is taken or not a Python name.
        DataError: The file is there with other columns.

    Example:
        >>> import os, tempfile
        >>> from greenlib import track
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "runs.csv")
        ...     with track("sum", sinks=[csv_sink(path)]) as run:
        ...         total = sum(range(10_000_000))
        ...     len(open(path).readlines())
        2

    Taught in 09 and 13.
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentTypeError("path", path, "a path")
    path, own = Path(path).resolve(), _field_names("fields", fields)
    columns = (*COLUMNS, *own, "more")

    def write(row: dict[str, Any]) -> None:
        more = {name: value for name, value in row.items() if name not in columns[:-1]}
        row = row | {"more": json.dumps(more, default=str) if more else None}
        line = _csv_line(row.get(column) for column in columns)
        with open(path, "ab", buffering=0, opener=_open_existing) as file:
            if file.write(line) < len(line):
                raise OSError(f"{path} took only a part of the row: the disk may be full")

    write.__qualname__ = f"csv_sink({str(path)!r})"
    try:
        found = _header(path, _csv_line(columns))
    except OSError as error:
        raise ArgumentError("path", str(path), f"a file that can be written ({error.strerror})") from error
    if found != _csv_line(columns):
        raise DataError(str(path), f"its columns are not {', '.join(columns)}", row=1)
    return write


def _open_existing(path: str, flags: int) -> int:
    """Open without creating: a file that someone removed must not come back without its header."""
    return os.open(path, flags & ~os.O_CREAT)


def _csv_line(values: Iterable[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()


def _header(path: Path, header: bytes) -> bytes:
    """Write the header if the file is new, and return the header that it has."""
    try:
        with open(path, "xb", buffering=0) as file:
            file.write(header)
    except FileExistsError:
        pass
    first = b""
    with open(path, "r+b") as file:
        for _ in range(100):
            file.seek(0)
            first = file.readline()
            if first.endswith(b"\n"):
                break
            # Another process has just made the file and is about to write its header.
            time.sleep(0.01)
    return first


def mlflow_sink(experiment: str, *, database: str | os.PathLike, params: Iterable[str] = ()) -> Sink:
    """Return a sink that makes one MLflow run of every tracked block.

    The run opens with the block's first row and closes, as finished or failed, with its last. Numbers in a row become
    metrics, counted through from step 1; words become tags; the fields named in ``params`` become the run's parameters.
    What the block's own fields do not say again in the last row keeps its last value. One sink serves any number of
    blocks, one after another or at once, as long as two that run at once have different names.

    Args:
        experiment: Name of the experiment; made if it is not there.
        database: The SQLite file; made if it is not there. Not used where ``MLFLOW_TRACKING_URI`` names a server.
        params: Names of your own fields that say how the block was set up.

    Returns:
        A function of one row. It raises :class:`StoreError` when MLflow does not take the row, after at most 20
        seconds of waiting for a server, and then refuses the rest of the block at once.

    Raises:
        ArgumentError: The file cannot be written, or a field name is taken or not a Python name.
        ArgumentTypeError: An argument is of the wrong kind.
        StoreError: MLflow did not answer, or refused the experiment.

    Source: mlflow2026. Taught in 13.

    Example:
        >>> import tempfile
        >>> from greenlib import track
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     database = f"{folder}/runs.db"
        ...     with track("sum", sinks=[mlflow_sink("demo", database=database)]) as run:
        ...         total = sum(range(10_000_000))
        ...         _ = run.step(total=total)
        ...     mlflow_runs("demo", database=database)[["run", "status", "total"]].values.tolist()
        [['sum', 'FINISHED', 49999995000000.0]]
    """
    experiment, own = _text("experiment", experiment), _field_names("params", params)
    client, folder = _mlflow(database)

    def begin(name: str) -> str:
        return client.create_run(experiment_id, run_name=name).info.run_id

    def send(run_id: str, step: int, numbers: dict, words: dict, setup: dict) -> None:
        from mlflow.entities import Metric, Param, RunTag

        now_ms = int(time.time() * 1000)
        client.log_batch(
            run_id,
            metrics=[Metric(name, value, now_ms, step) for name, value in numbers.items()],
            params=[Param(name, str(value)) for name, value in setup.items()],
            tags=[RunTag(name, value) for name, value in words.items()],
        )

    def end(run_id: str, completed: bool) -> None:
        client.set_terminated(run_id, "FINISHED" if completed else "FAILED")

    with _typed("MLflow"):
        experiment_id = _experiment_id(client, experiment, folder)
    write = _one_run_a_block("MLflow", own, begin, send, end)
    write.__qualname__ = f"mlflow_sink({experiment!r})"
    return write


def mlflow_runs(experiment: str, *, database: str | os.PathLike) -> pd.DataFrame:
    """Return what MLflow holds about an experiment: one row a run, the oldest first.

    This is MLflow's own ``search_runs``, page by page, without the prefixes of its column names. Parameters, which
    MLflow keeps as text, come back as numbers where they read as numbers.

    Args:
        experiment: Name of the experiment.
        database: The SQLite file. Not used where ``MLFLOW_TRACKING_URI`` names a server.

    Returns:
        A DataFrame with the columns ``run`` and ``status``, then parameters, the last value of every metric, and tags.

    Raises:
        ArgumentError: There is no such experiment, or the file cannot be opened.
        ArgumentTypeError: An argument is of the wrong kind.
        StoreError: MLflow did not answer.

    Source: mlflow2026. Taught in 13.
    """
    import pandas as pd

    experiment = _text("experiment", experiment)
    client, _ = _mlflow(database)
    rows, page = [], None
    with _typed("MLflow"):
        found = client.get_experiment_by_name(experiment)
        if found is None:
            raise ArgumentError("experiment", experiment, "one that was logged to this store")
        while page is None or page.token:
            page = client.search_runs(
                [found.experiment_id],
                order_by=["attributes.start_time ASC"],
                page_token=None if page is None else page.token,
            )
            for run in page:
                tags = {name: text for name, text in run.data.tags.items() if not name.startswith("mlflow.")}
                setup = {name: _read(text) for name, text in run.data.params.items()}
                begun = {"run": run.info.run_name, "status": run.info.status}
                rows.append(begun | setup | run.data.metrics | tags)
    return pd.DataFrame(rows, columns=None if rows else ["run", "status"])


def wandb_sink(project: str, *, folder: str | os.PathLike, params: Iterable[str] = ()) -> Sink:
    """Return a sink that makes one Weights & Biases run of every tracked block.

    Without ``WANDB_API_KEY`` in the environment the runs are written to ``folder`` alone and no connection is made;
    ``wandb sync`` can upload them later. W&B has no public reader for these files, so keep rows that you want to look
    at in a sink of your own, too. With the key, the same sink sends the runs to the account. Numbers in a row become
    metrics, counted through from step 1; words go to the run's summary; the fields named in ``params`` to its
    configuration. W&B adds its own version and Python's; your code, packages, screen and machine are not recorded.

    Args:
        project: Name of the project.
        folder: A folder that is there; W&B makes its own folder ``wandb`` in it.
        params: Names of your own fields that say how the block was set up.

    Returns:
        A function of one row. It raises :class:`StoreError` when W&B does not take the row, after at most 20 seconds
        of waiting, and then refuses the rest of the block at once.

    Raises:
        ArgumentError: The folder cannot be written to, or a field name is taken or not a Python name.
        ArgumentTypeError: An argument is of the wrong kind.
        StoreError: W&B did not start, or did not accept the key.

    Source: wandb2026. Taught in 13.

    Example:
        >>> import tempfile
        >>> from greenlib import track
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with track("sum", sinks=[wandb_sink("demo", folder=folder)]) as run:
        ...         total = sum(range(10_000_000))
        ...     len(list(Path(folder).glob("wandb/offline-run-*/*.wandb")))
        1
    """
    project, own = _text("project", project), _field_names("params", params)
    if not isinstance(folder, str | os.PathLike):
        raise ArgumentTypeError("folder", folder, "a path")
    folder = Path(folder).resolve()
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ArgumentError("folder", str(folder), "a folder that is there and can be written to")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    mode = os.environ.get("WANDB_MODE", "").strip()
    if mode not in ("offline", "dryrun", "disabled"):
        mode = "online" if os.environ.get("WANDB_API_KEY", "").strip() else "offline"

    def begin(name: str) -> wandb.Run:
        return wandb.init(project=project, name=name, dir=str(folder), mode=mode, reinit="create_new", settings=quiet)

    def send(run: wandb.Run, step: int, numbers: dict, words: dict, setup: dict) -> None:
        if setup:
            run.config.update(setup)
        run.log(numbers, step=step)
        if words:
            run.summary.update(words)

    def end(run: wandb.Run, completed: bool) -> None:
        run.finish(exit_code=0 if completed else 1)

    with _typed("Weights & Biases"):
        import wandb

        quiet = wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            save_code=False,
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
            init_timeout=_WANDB_WAITS_S,
            finish_timeout=_WANDB_WAITS_S,
            finish_timeout_raises=True,
        )
        # A run that nobody keeps starts W&B's own process and loads its modules: otherwise that half a second, or
        # more, would be counted as the first block's.
        wandb.setup(quiet)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scrap:
            wandb.init(dir=scrap, mode="offline", reinit="create_new", settings=quiet).finish()
        if mode == "online":
            _ = wandb.Api(timeout=int(_WANDB_WAITS_S)).viewer
    write = _one_run_a_block("Weights & Biases", own, begin, send, end)
    write.__qualname__ = f"wandb_sink({project!r})"
    return write


@dataclass(slots=True)
class _OpenRun:
    """A block that the store has a run for, and what was sent about it."""

    handle: Any = None
    step: int = 0
    words: dict[str, str] = field(default_factory=dict)
    setup: dict[str, Any] = field(default_factory=dict)
    failure: StoreError | None = None


def _one_run_a_block(
    store: str,
    params: list[str],
    begin: Callable[[str], Any],
    send: Callable[[Any, int, dict, dict, dict], object],
    end: Callable[[Any, bool], object],
) -> Sink:
    """Return the sink of a store that thinks in runs: open one with a block's first row, close it with its last."""
    open_runs: dict[str, _OpenRun] = {}

    def write(row: dict[str, Any]) -> None:
        run = open_runs.setdefault(row["name"], _OpenRun())
        over = row["status"] != "running"
        if over:
            del open_runs[row["name"]]
        if run.failure is not None:
            raise run.failure
        try:
            with _typed(store):
                numbers, words, setup = _sorted_out(row, params, run)
                if run.handle is None:
                    run.handle = begin(row["name"])
                run.step += 1
                send(run.handle, run.step, numbers, words, setup)
                if over:
                    end(run.handle, row["status"] == "completed")
        except StoreError as error:
            run.failure = error
            raise

    return write


def _sorted_out(row: dict[str, Any], params: list[str], run: _OpenRun) -> tuple[dict, dict, dict]:
    """Return a row's numbers, and those of its words and parameters that the store does not know yet."""
    numbers, words, setup = {}, {}, {}
    for name, value in row.items():
        # Stores keep a name, a status and a time of their own.
        if value is None or name in ("name", "status", "timestamp"):
            continue
        if name in params:
            if run.setup.setdefault(name, value) != value:
                raise ArgumentError(name, value, f"{run.setup[name]!r} as before: a run keeps its parameters")
            setup[name] = value
        elif isinstance(value, Real) and not isinstance(value, bool):
            numbers[name] = float(value)
        elif run.words.get(name) != str(value):
            words[name] = run.words[name] = str(value)
    return numbers, words, setup


@contextmanager
def _typed(store: str) -> Iterator[None]:
    """Turn whatever a store raises into one error, without the chain, which might show a key."""
    try:
        yield
    except (ArgumentError, StoreError):
        raise
    except Exception as error:
        from greenlib.feeds.service import without_secrets

        raise StoreError(store, without_secrets(f"{type(error).__name__}: {error}", _SECRETS)) from None


def _mlflow(database: str | os.PathLike) -> tuple[MlflowClient, Path | None]:
    """Return a client, and the folder for files where the store is a file of its own."""
    if not isinstance(database, str | os.PathLike):
        raise ArgumentTypeError("database", database, "a path")
    for name, value in _MLFLOW_SETTINGS.items():
        os.environ.setdefault(name, value)
    server = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    path = Path(database).resolve()
    if not server:
        # Asked first, because MLflow would try again and again for minutes.
        try:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise ArgumentError("database", str(path), f"an SQLite file that can be written ({error})") from error

    with _typed("MLflow"):
        from mlflow.tracking import MlflowClient

        client = MlflowClient(server or f"sqlite:///{path.as_posix()}")
    return client, None if server else path.parent


def _experiment_id(client: MlflowClient, experiment: str, folder: Path | None) -> str:
    found = client.get_experiment_by_name(experiment)
    if found is not None:
        return found.experiment_id
    try:
        return client.create_experiment(experiment, None if folder is None else (folder / "artifacts").as_uri())
    except Exception:
        # Another process may have made it in between.
        if (found := client.get_experiment_by_name(experiment)) is None:
            raise
        return found.experiment_id


def _read(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ArgumentTypeError(name, value, "text, not empty")
    return value


def _field_names(argument: str, names: Iterable[str]) -> list[str]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ArgumentTypeError(argument, names, "a list of names")
    own = list(names)
    for name in own:
        free = isinstance(name, str) and name.isidentifier() and name not in (*COLUMNS, "more")
        if not free or own.count(name) > 1:
            raise ArgumentError(argument, name, "a Python name, once, that a measurement does not use itself")
    return own
