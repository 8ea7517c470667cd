"""The sinks: real files, real MLflow, real W&B, and servers on this machine that answer well, badly or not at all."""

import csv
import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from greenlib import sinks
from greenlib.checks import ArgumentError, ArgumentTypeError, DataError
from greenlib.sinks import StoreError, csv_sink, mlflow_runs, mlflow_sink, wandb_sink
from greenlib.tracking import Measurement, SinkError, track

ROOT = Path(sinks.__file__).parents[1]
LONG_ENOUGH_S = 0.12
KEY = "k3y" + 37 * "x"


@pytest.fixture(autouse=True)
def away_from_the_surroundings(monkeypatch, tmp_path):
    """No store of the reader's own, whatever the environment says; settings made by a test end with it."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "WANDB_"))]:
        monkeypatch.delenv(name)
    for name, value in sinks._MLFLOW_SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def tracked():
    """The rows of one block with a step."""
    rows = []
    with track("fine-tune", country_iso3="SWE", sinks=[rows.append]) as run:
        time.sleep(LONG_ENOUGH_S)
        run.step(epoch=1, loss=0.41, width=32, variant="small")
    return rows


def environment(**more):
    """What a new process needs to find greenlib from any folder; nothing that switches telemetry off by itself."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_CURRENT_TEST")}
    return kept | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])} | more


def python(code, cwd, **more):
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=cwd, env=environment(**more), capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def server():
    """A server on this machine: ``answers(method, path, body)`` returns a status and a JSON object; None hangs up."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            one.requests.append((self.path, body.decode(errors="replace")))
            status, answer = one.answers(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in (one.headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_CONNECT = answer

    one = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.daemon_threads = True
    one.requests, one.headers, one.answers = [], {}, lambda method, path, body: (500, {})
    one.url = f"http://127.0.0.1:{one.server_port}"
    threading.Thread(target=one.serve_forever, args=[0.01], daemon=True).start()
    yield one
    one.shutdown()
    one.server_close()


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


# --- the CSV sink -------------------------------------------------------------------------------------------


def test_a_csv_row_holds_the_measurement_and_the_named_fields(tmp_path, tracked):
    path = tmp_path / "runs.csv"
    sink = csv_sink(path, fields=["epoch"])
    for row in tracked:
        sink(row)
    first, last = read(path)
    assert list(first) == [*Measurement.__dataclass_fields__, "epoch", "more"]
    assert (first["epoch"], json.loads(first["more"])) == ("1", {"loss": 0.41, "width": 32, "variant": "small"})
    assert (last["epoch"], last["more"]) == ("", "")
    assert float(last["it_kwh"]) == tracked[1]["it_kwh"]


def test_a_second_sink_goes_on_in_the_same_file(tmp_path, tracked):
    path = tmp_path / "runs.csv"
    csv_sink(path)(tracked[1])
    csv_sink(path)(tracked[1] | {"name": 'a "quoted", name\nin two lines', "more": 1})
    rows = read(path)
    assert [row["name"] for row in rows] == ["fine-tune", 'a "quoted", name\nin two lines']
    assert json.loads(rows[1]["more"]) == {"more": 1}


@pytest.mark.parametrize("held", [b"other,columns\n1,2\n", b""])
def test_a_file_with_other_columns_is_left_alone(tmp_path, held):
    path = tmp_path / "runs.csv"
    path.write_bytes(held)
    with pytest.raises(DataError, match=r"runs\.csv, row 1"):
        csv_sink(path)
    assert path.read_bytes() == held


@pytest.mark.parametrize("path", ["missing/runs.csv", "file/runs.csv", "."])
def test_a_path_that_cannot_be_written_is_refused_at_once(tmp_path, path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArgumentError, match="can be written"):
        csv_sink(tmp_path / path)


@pytest.mark.parametrize("fields", [["seconds"], ["more"], ["two words"], ["epoch", "epoch"], [3], "epoch", 3])
def test_impossible_columns_are_refused(tmp_path, fields):
    with pytest.raises(ArgumentError, match="fields"):
        csv_sink(tmp_path / "runs.csv", fields=fields)
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_none_is_refused():
    with pytest.raises(ArgumentTypeError, match="path"):
        csv_sink(3)


def test_a_removed_file_does_not_come_back_without_its_header(tmp_path):
    path = tmp_path / "runs.csv"
    with pytest.raises(SinkError, match=r"csv_sink\(.*FileNotFoundError"), track("x", sinks=[csv_sink(path)]):
        path.unlink()
    assert not path.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported(tmp_path):
    path = tmp_path / "runs.csv"
    sink = csv_sink(path)
    path.unlink()
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="space"):
        sink({})


def test_processes_appending_to_one_new_file_lose_nothing(tmp_path):
    start = time.time() + 1.5
    code = (
        "import sys, time; from greenlib.sinks import csv_sink\n"
        f"time.sleep(max(0, {start} - time.time())); sink = csv_sink('runs.csv', fields=['n'])\n"
        "for n in range(300): sink({'name': sys.argv[1] * 50, 'n': n})"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, letter], cwd=tmp_path, env=environment()) for letter in "abcd"
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    rows = read(tmp_path / "runs.csv")
    assert sorted((row["name"], int(row["n"])) for row in rows) == [
        (letter * 50, n) for letter in "abcd" for n in range(300)
    ]


# --- MLflow, in a file --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """One database for the tests that only add to it: making one takes seconds."""
    return tmp_path_factory.mktemp("mlflow") / "runs.db"


def test_a_block_becomes_a_run_and_reads_back(database, capfd):
    sink, rows = mlflow_sink("two blocks", database=database, params=["width"]), []
    for width in (8, 16):
        with track(f"width {width}", country_iso3="SWE", sinks=[sink, rows.append]) as run:
            time.sleep(LONG_ENOUGH_S)
            for epoch in (1, 2):
                run.step(epoch=epoch, loss=1 / (width * epoch), width=width, variant="small")
    runs = mlflow_runs("two blocks", database=database)
    assert list(runs["run"]) == ["width 8", "width 16"]
    assert set(runs["status"]) == {"FINISHED"}
    assert list(runs["width"]) == [8, 16]
    assert list(runs["loss"]) == [1 / 16, 1 / 32]
    assert list(runs["it_kwh"]) == [row["it_kwh"] for row in rows if row["status"] == "completed"]
    assert set(runs["energy_kind"]) <= {"measured", "estimated"}
    assert set(runs["variant"]) == {"small"}
    assert capfd.readouterr() == ("", "")


def test_a_second_sink_goes_on_in_the_same_experiment_and_parameters_come_back_as_they_were(database, tracked):
    for rate, variant in ((0.1, "small"), (3, "large")):
        sink = mlflow_sink("again", database=database, params=["rate", "variant"])
        sink(tracked[1] | {"rate": rate, "variant": variant})
    runs = mlflow_runs("again", database=database)
    assert list(runs["rate"]) == [0.1, 3]
    assert list(runs["variant"]) == ["small", "large"]


def test_an_experiment_that_another_process_makes_in_between_is_used(database, tracked, monkeypatch):
    from mlflow.tracking import MlflowClient

    mlflow_sink("race", database=database)
    look, looked = MlflowClient.get_experiment_by_name, []

    def blind_once(self, name):
        looked.append(name)
        return look(self, name) if len(looked) > 1 else None

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", blind_once)
    mlflow_sink("race", database=database)(tracked[1])
    assert len(mlflow_runs("race", database=database)) == 1


def test_an_experiment_that_was_deleted_is_one_typed_error(database, tracked):
    sink = mlflow_sink("deleted", database=database)
    client, _ = sinks._mlflow(database)
    client.delete_experiment(client.get_experiment_by_name("deleted").experiment_id)
    with pytest.raises(StoreError, match="MLflow: MlflowException"):
        sink(tracked[1])


def test_every_step_is_in_the_history(database, tracked):
    sink = mlflow_sink("history", database=database)
    for row in (tracked[0], tracked[0] | {"loss": 0.3}, tracked[1]):
        sink(row)
    client, _ = sinks._mlflow(database)
    run = client.search_runs([client.get_experiment_by_name("history").experiment_id])[0]
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")] == [(1, 0.41), (2, 0.3)]
    assert len(client.get_metric_history(run.info.run_id, "seconds")) == 3


def test_a_failed_block_is_a_failed_run(database):
    sink = mlflow_sink("failing", database=database)
    with pytest.raises(KeyError), track("broken", sinks=[sink]):
        raise KeyError("no such thing")
    assert list(mlflow_runs("failing", database=database)["status"]) == ["FAILED"]


def test_blocks_at_once_keep_apart(database, tracked):
    sink = mlflow_sink("at once", database=database)
    one, two = ([row | {"name": name} for row in tracked] for name in "ab")
    for row in (one[0], two[0], two[1], one[1]):
        sink(row)
    assert list(mlflow_runs("at once", database=database)["run"]) == ["a", "b"]


def test_a_parameter_may_not_change_within_a_run(database, tracked):
    sink = mlflow_sink("changing", database=database, params=["width"])
    sink(tracked[0])
    with pytest.raises(ArgumentError, match="width = 64 is not possible: it must be 32 as before"):
        sink(tracked[0] | {"width": 64})


def test_more_runs_than_one_page_holds_come_back(database, tracked, monkeypatch):
    from mlflow.tracking import MlflowClient

    asked = []
    search = MlflowClient.search_runs

    def small_pages(self, *arguments, **options):
        asked.append(options["page_token"])
        return search(self, *arguments, max_results=2, **options)

    monkeypatch.setattr(MlflowClient, "search_runs", small_pages)
    sink = mlflow_sink("pages", database=database)
    for number in range(5):
        sink(tracked[1] | {"name": f"run {number}"})
    assert list(mlflow_runs("pages", database=database)["run"]) == [f"run {number}" for number in range(5)]
    assert len(asked) == 3


def test_an_experiment_without_runs_is_an_empty_frame(database):
    mlflow_sink("nothing yet", database=database)
    assert list(mlflow_runs("nothing yet", database=database).columns) == ["run", "status"]


def test_an_unknown_experiment_is_refused(database):
    with pytest.raises(ArgumentError, match="experiment = 'typo'"):
        mlflow_runs("typo", database=database)


@pytest.mark.parametrize("path", ["missing/runs.db", ".", "notes.txt"])
def test_a_database_that_cannot_be_one_is_refused_at_once(tmp_path, path):
    (tmp_path / "notes.txt").write_text("not a database, but long enough to look at" * 40)
    with pytest.raises(ArgumentError, match="an SQLite file that can be written"):
        mlflow_sink("refused", database=tmp_path / path)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"experiment": ""}, ArgumentTypeError),
        ({"experiment": None}, ArgumentTypeError),
        ({"database": 3}, ArgumentTypeError),
        ({"params": "width"}, ArgumentTypeError),
        ({"params": ["it_kwh"]}, ArgumentError),
    ],
)
def test_mlflow_refuses_impossible_arguments(tmp_path, arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        mlflow_sink(**{"experiment": "x", "database": tmp_path / "runs.db"} | arguments)
    assert not list(tmp_path.iterdir())


# --- MLflow, on a server ------------------------------------------------------------------------------------


class MlflowServer:
    """As much of MLflow's REST interface as a sink uses, kept in a dictionary."""

    def __init__(self):
        self.batches, self.ended, self.broken = [], [], False

    def __call__(self, method, path, body):
        told = json.loads(body) if body else {}
        call = path.split("?")[0].rsplit("/mlflow/", 1)[1]
        run = {"info": {"run_id": "r1", "run_uuid": "r1", "experiment_id": "7", "status": "RUNNING"}, "data": {}}
        if call == "experiments/get-by-name":
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}
        if call == "runs/log-batch" and self.broken:
            return 500, {"error_code": "INTERNAL_ERROR", "message": "out of order"}
        if call == "runs/log-batch":
            self.batches.append(told)
        if call == "runs/update":
            self.ended.append(told["status"])
        return 200, {"experiments/create": {"experiment_id": "7"}, "runs/create": {"run": run}}.get(call, {})


def test_a_tracking_uri_switches_to_a_server(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    server.answers = MlflowServer()
    sink = mlflow_sink("remote", database=tmp_path / "unused.db", params=["width"])
    with track("there", sinks=[sink]) as run:
        run.step(loss=0.5, width=8)
    first, last = server.answers.batches
    assert {metric["key"]: metric["value"] for metric in first["metrics"]}["loss"] == 0.5
    assert [param["value"] for param in first["params"]] == ["8"]
    assert "loss" not in {metric["key"] for metric in last["metrics"]}
    assert server.answers.ended == ["FINISHED"]
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_not_there_is_found_before_the_work(tmp_path, monkeypatch):
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:half@{KEY}@{address}")
    with pytest.raises(StoreError, match="refused") as caught:
        mlflow_sink("remote", database=tmp_path / "unused.db")
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__, "the chain would show the address with its password"


def test_a_server_that_asks_for_an_hours_patience_does_not_get_it(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    server.headers, server.answers = {"Retry-After": "3600"}, lambda method, path, body: (503, {})
    with pytest.raises(StoreError, match="503"):
        mlflow_sink("remote", database=tmp_path / "unused.db")
    assert 2 <= len(server.requests) <= 6


def test_a_server_that_fails_on_the_way_costs_one_wait(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", KEY)
    server.answers, rows = MlflowServer(), []

    def work():
        with track("there", sinks=[mlflow_sink("remote", database=tmp_path / "unused.db"), rows.append]) as run:
            run.step(loss=0.5)
            server.answers.broken = True
            for _ in range(20):
                run.step(loss=0.4)

    with pytest.raises(SinkError, match="MLflow") as caught:
        work()
    tries = [path for path, _ in server.requests if path.endswith("runs/log-batch")]
    assert len(tries) == 1 + 1 + int(sinks._MLFLOW_SETTINGS["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])
    assert len(rows) == 22, "the other sink got every row"
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_does_not_know_us(server, tmp_path, monkeypatch, status):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", KEY)
    server.answers = lambda method, path, body: (status, {"message": f"what is {KEY}?"})
    with pytest.raises(StoreError) as caught:
        mlflow_runs("remote", database=tmp_path / "unused.db")
    assert KEY not in str(caught.value)
    assert caught.value.store == "MLflow"


def test_an_answer_that_is_no_answer(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    server.answers = lambda method, path, body: (200, ["a", "list"])
    with pytest.raises(StoreError):
        mlflow_sink("remote", database=tmp_path / "unused.db")


# --- Weights & Biases ---------------------------------------------------------------------------------------

BOTH_STORES = """
import pathlib, socket, time
outside, connect = [], socket.socket.connect
def watched(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
        outside.append(address)
    return connect(self, address)
socket.socket.connect = watched
import greenlib as gl
sinks = [gl.wandb_sink("p", folder=".", params=["width"]), gl.mlflow_sink("e", database="runs.db", params=["width"])]
with gl.track("local", sinks=sinks) as run:
    time.sleep(0.15)
    run.step(loss=0.5, width=8)
run_file, = pathlib.Path("wandb").glob("offline-run-*/run-*.wandb")
for _ in range(1000):  # W&B's own process may close the file a moment later
    if b"width" in run_file.read_bytes() and b"loss" in run_file.read_bytes():
        break
    time.sleep(0.01)
else:
    raise AssertionError("the run is not in its file")
assert outside == [], outside
"""


def test_without_keys_nothing_leaves_the_machine_and_nothing_is_printed(server, tmp_path):
    """W&B's own process would be caught too: its server and every proxy point at a server that counts."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    proxies = dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"], server.url)
    surroundings = {"HOME": str(home), "WANDB_BASE_URL": server.url} | proxies
    for name in sinks._MLFLOW_SETTINGS:
        surroundings[name] = ""
    code = "import os\nfor name in list(os.environ):\n    if name.startswith('MLFLOW_'): del os.environ[name]\n"
    done = python(code + BOTH_STORES, work, **surroundings)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert server.requests == []
    assert sorted(path.name for path in work.iterdir()) == ["runs.db", "wandb"]


class WandbServer:
    """As much of W&B's server as one run asks for."""

    def __init__(self, url):
        self.url, self.broken = url, False

    def __call__(self, method, path, body):
        if path == "/graphql":
            return 200, {"data": self.data(json.loads(body))}
        return (500, {}) if self.broken else (200, {"exitcode": None, "limits": {}})

    def data(self, asked):
        none = {"edges": []}
        who = {"id": "u", "name": "me", "username": "me", "entity": "me", "email": "me@here", "admin": False}
        bucket = {"id": "b", "name": "n", "displayName": "d", "config": "{}", "sweepName": None, "historyLineCount": 0}
        bucket["project"] = {"id": "p", "name": "p", "entity": {"id": "u", "name": "me"}}
        if "upsertBucket" in asked["query"]:
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if "createRunFiles" in asked["query"]:
            files = [{"name": name, "uploadUrl": f"{self.url}/{name}"} for name in asked["variables"]["files"]]
            return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}
        return {"viewer": who | {"flags": "{}", "teams": none, "deletedAt": None, "apiKeys": none}}


ONE_RUN = """
import time
import greenlib as gl
from greenlib import sinks
sinks._WANDB_WAITS_S = 2.0
began = time.monotonic()
try:
    sink = gl.wandb_sink("p", folder=".", params=["width"])
    with gl.track("there", sinks=[sink]) as run:
        time.sleep(0.15)
        run.step(loss=0.5, width=8)
except gl.GreenlibError as error:
    print(type(error).__name__, error)
assert time.monotonic() - began < 60
"""


def test_an_offline_run_keeps_parameters_metrics_and_words(tmp_path, tracked, capfd):
    sink = wandb_sink("p", folder=tmp_path, params=["width"])
    for row in (tracked[0], tracked[1], tracked[1] | {"name": "failing", "status": "failed"}):
        sink(row)
    words = (b"width", b"loss", b"energy_kind", b"fine-tune", b"failing")
    for _ in range(1000):  # W&B's own process may close the files a moment later
        files = list(tmp_path.glob("wandb/offline-run-*/run-*.wandb"))
        held = b"".join(path.read_bytes() for path in files)
        if all(word in held for word in words):
            break
        time.sleep(0.01)
    assert len(files) == 2
    assert [word for word in words if word not in held] == []
    assert capfd.readouterr() == ("", "")


def test_a_key_switches_to_the_account(server, tmp_path):
    server.answers = WandbServer(server.url)
    done = python(ONE_RUN, tmp_path, WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url, HOME=str(tmp_path))
    assert (done.stdout, done.stderr) == ("", "")
    sent = "".join(body for path, body in server.requests if path.endswith("file_stream"))
    assert '\\"loss\\":0.5' in sent
    assert any("config.yaml" in path and "width" in body for path, body in server.requests)
    assert KEY not in "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())


def test_a_key_and_the_wish_to_stay_offline(server, tmp_path):
    settings = {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": server.url, "WANDB_MODE": "offline"}
    done = python(ONE_RUN, tmp_path, HOME=str(tmp_path), **settings)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert server.requests == []
    assert len(list(tmp_path.glob("wandb/offline-run-*"))) == 1


@pytest.mark.parametrize("status", [401, 500])
def test_an_account_that_cannot_be_reached_is_found_before_the_work(server, tmp_path, status):
    server.answers = lambda method, path, body: (status, {"errors": [{"message": f"what is {KEY}?"}]})
    done = python(ONE_RUN, tmp_path, WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url, HOME=str(tmp_path))
    assert done.stdout.startswith("StoreError Weights & Biases: "), done.stderr
    assert KEY not in done.stdout + done.stderr


def test_an_account_that_breaks_down_on_the_way(server, tmp_path):
    server.answers = WandbServer(server.url)
    server.answers.broken = True
    done = python(ONE_RUN, tmp_path, WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url, HOME=str(tmp_path))
    assert done.stdout.startswith("SinkError 'there' was tracked, but a sink did not take every row"), done.stderr
    assert "Weights & Biases: " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"project": ""}, ArgumentTypeError),
        ({"folder": None}, ArgumentTypeError),
        ({"folder": "nowhere"}, ArgumentError),
        ({"params": ["two words"]}, ArgumentError),
    ],
)
def test_wandb_refuses_impossible_arguments(tmp_path, arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        wandb_sink(**{"project": "p", "folder": tmp_path} | arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", ["gl.mlflow_sink('e', database='runs.db')", "gl.wandb_sink('p', folder='.')"])
def test_a_store_that_is_not_installed_is_one_typed_error(tmp_path, make):
    code = f"import sys; sys.modules |= dict.fromkeys(['mlflow', 'wandb'])\nimport greenlib as gl\n{make}"
    done = python(code, tmp_path)
    assert "StoreError: " in done.stderr
    assert "ModuleNotFoundError" in done.stderr.splitlines()[-1]


def test_the_room_loads_no_store_until_it_is_used(tmp_path):
    code = "import sys, greenlib.sinks; print({'mlflow', 'wandb', 'codecarbon', 'pandas'} & set(sys.modules))"
    assert python(code, tmp_path).stdout.strip() == "set()"
