"""How every outside service is asked: bounded waiting, retries, a cache on disk, one error, a replay without a key."""

from __future__ import annotations

import datetime
import json
import os
import queue
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from greenlib.checks import ArgumentError, GreenlibError

__all__ = ["Answer", "FeedError", "Service"]

CONNECT_S, READ_S = 3.0, 10.0
"""Seconds to wait for a connection, and for the next byte."""

LONGEST_S = 45.0
"""Seconds after which a question is given up, whatever retries and slow bytes are still under way."""

RETRIES, BACKOFF_S, LONGEST_BACKOFF_S = 3, 0.5, 8
"""Tries after a 429, a 5xx or a lost connection; waits double up to the last number, which caps a server's wish."""

FINAL = {400, 401, 402, 403, 404, 405, 410, 422}
"""Statuses that blame the question or the key. An old answer would hide that, so none is given."""

Body = TypeVar("Body", bound=BaseModel)


class FeedError(GreenlibError, RuntimeError):
    """A service gave no usable answer, and there is no earlier one to fall back on.

    Args:
        service: Name of the service.
        problem: What went wrong and what helps, in words; never a key.
        status: The HTTP status, if there was one.
    """

    def __init__(self, service: str, problem: str, status: int | None = None) -> None:
        self.service, self.problem, self.status = service, problem, status
        super().__init__(service, problem, status)

    def __str__(self) -> str:
        return f"{self.service}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Answer(Generic[Body]):
    """What a service said, and how that reached us.

    ``how`` is ``live``, ``cached`` (asked a short while ago, as good as live) or ``replayed`` (a recording that ships
    with greenlib, or an old answer given because the service failed); ``note`` says which in words.
    """

    body: Body
    how: str
    recorded: str
    note: str

    @property
    def replayed(self) -> bool:
        """Whether the answer must be shown as replayed."""
        return self.how == "replayed"


@dataclass(frozen=True, slots=True)
class Service:
    """One outside service: where it is, and which environment variables switch it on.

    Args:
        name: Its name, for messages.
        slug: Its file name here, which begins the names of its replays.
        address: Its public address.
        address_variable: Environment variable that names another address, such as a server of your own.
        key_variables: Environment variables that must hold its key; empty for a service without a key, which is asked
            only when ``address_variable`` is set.
    """

    name: str
    slug: str
    address: str
    address_variable: str
    key_variables: tuple[str, ...] = ()

    def is_live(self) -> bool:
        """Return whether the environment asks for the real service.

        Raises:
            FeedError: Some of the key's variables are set and others are not.
        """
        if not self.key_variables:
            return bool(os.environ.get(self.address_variable, "").strip())
        missing = [name for name in self.key_variables if not os.environ.get(name, "").strip()]
        if 0 < len(missing) < len(self.key_variables):
            raise FeedError(self.name, f"the key is incomplete: {', '.join(missing)} is not set")
        return not missing

    def base(self) -> str:
        """Return the address that is asked, without a slash at its end.

        Raises:
            ArgumentError: The variable holds no address.
        """
        address = (os.environ.get(self.address_variable, "").strip() or self.address).rstrip("/")
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            # What stands before an @ may be a password.
            shown = address.rpartition("@")[2]
            raise ArgumentError(self.address_variable, shown, "an address that begins with http:// or https://")
        return address

    def key(self) -> tuple[str, ...]:
        """Return the key's parts from the environment.

        Raises:
            FeedError: A part holds a character that no header may carry; its value is not shown.
        """
        parts = tuple(os.environ[name].strip() for name in self.key_variables)
        for name, part in zip(self.key_variables, parts, strict=True):
            if not (part.isascii() and part.isprintable()):
                raise FeedError(self.name, f"{name} holds characters that a key cannot have")
        return parts

    def get(
        self,
        path: str,
        schema: type[Body],
        *,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        fresh_s: float,
    ) -> Answer[Body]:
        """Return the answer to a GET; see :meth:`ask`. Parameters are stored with it, headers are not."""
        return self._request("GET", path, schema, headers, fresh_s, params=dict(parameters or {}))

    def post(
        self,
        path: str,
        schema: type[Body],
        *,
        body: Any,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        fresh_s: float,
    ) -> Answer[Body]:
        """Return the answer to a POST of JSON; see :meth:`ask`. For questions only: it may be sent more than once."""
        return self._request("POST", path, schema, headers, fresh_s, params=dict(parameters or {}), json=body)

    def _request(
        self, method: str, path: str, schema: type[Body], headers: Mapping[str, str] | None, fresh_s: float, **sent: Any
    ) -> Answer[Body]:
        url = f"{self.base()}/{path.lstrip('/')}"
        question = json.dumps([method, url, sent], sort_keys=True, default=str)
        fetch = partial(_fetch, method, url, headers=dict(headers or {}), **sent)
        return self.ask(question, fetch, schema, fresh_s=fresh_s)

    def ask(self, question: str, fetch: Callable[[], Any], schema: type[Body], *, fresh_s: float) -> Answer[Body]:
        """Return the answer to a question, from the cache while it is fresh, else from the service.

        If the service fails in a way that may pass, an old answer is given as a replay that says so. What does not fit
        the schema counts as a failure and is never stored.

        Args:
            question: What is asked, as text without a key; it finds the answer in the cache. A login in an address is
                left out.
            fetch: Asks the service and returns parsed JSON.
            schema: The pydantic model that the answer must fit.
            fresh_s: Seconds for which an answer is as good as a live one.

        Returns:
            The answer, its body an instance of ``schema``.

        Raises:
            FeedError: The service gave no usable answer and there is no earlier one, or it refused the key or the
                question.
        """
        question = without_secrets(question)
        now = datetime.datetime.now(datetime.UTC)
        stored = _recall(question, schema)
        if stored is not None and (now - datetime.datetime.fromisoformat(stored[1])).total_seconds() < fresh_s:
            return Answer(stored[0], "cached", stored[1], f"{self.name}, asked {stored[1]}")
        try:
            raw = _within(LONGEST_S, fetch)
            body = schema.model_validate(raw)
        except Exception as error:
            problem, status = _explained(error)
            problem = without_secrets(problem, self.key_variables)
            if stored is None or status in FINAL:
                # The cause holds the request, and with it the key: it is told in words and goes no further.
                raise FeedError(self.name, problem, status) from None
            note = f"{self.name} failed ({problem}); its answer of {stored[1]} is replayed"
            return Answer(stored[0], "replayed", stored[1], note)
        recorded = now.isoformat(timespec="seconds")
        _remember(question, json.dumps({"recorded": recorded, "body": raw}))
        return Answer(body, "live", recorded, f"{self.name}, asked {recorded}")

    def replay(self, name: str, schema: type[Body]) -> Answer[Body]:
        """Return a recording that ships with greenlib.

        Args:
            name: What was asked, as the recording's file is called after the slug.
            schema: The pydantic model of the answer, the same as for a live one.

        Returns:
            The answer, with ``how`` set to ``replayed``.
        """
        file = resources.files("greenlib.feeds") / "replays" / f"{self.slug}_{name}.json"
        recording = json.loads(file.read_text(encoding="utf-8"))
        note = f"{self.name}, replayed: {recording['note']}"
        return Answer(schema.model_validate(recording["body"]), "replayed", recording["recorded"], note)


def cache_folder() -> Path:
    """Return the folder of the cache: ``GREENLIB_CACHE``, or the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("GREENLIB_CACHE") or platformdirs.user_cache_dir("greenlib"))


def _open_cache() -> Any:
    from requests_cache.backends.sqlite import SQLiteDict

    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return closing(SQLiteDict(folder / "answers.sqlite", table_name="answers", serializer=None))


def _recall(question: str, schema: type[Body]) -> tuple[Body, str] | None:
    """Return a stored answer and when it was given; what cannot be read, or has an older shape, is no answer."""
    with suppress(OSError, sqlite3.Error, KeyError, ValueError), _open_cache() as cache:
        recording = json.loads(cache[question])
        return schema.model_validate(recording["body"]), recording["recorded"]
    return None


def _remember(question: str, entry: str) -> None:
    """Store an answer; a reader without a writable folder goes without."""
    with suppress(OSError, sqlite3.Error), _open_cache() as cache:
        cache[question] = entry


def without_secrets(text: str, variables: Iterable[str] = ()) -> str:
    """Return ``text`` without what these environment variables hold, and without logins in its addresses."""
    for name in variables:
        if secret := os.environ.get(name, "").strip():
            text = text.replace(secret, "…")
    return re.sub(r"//[^/\s]+@", "//…@", text)


def patient_adapter() -> Any:
    """Return what every client sends its questions through: it tries again after a fault, and not for long."""
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    return HTTPAdapter(
        max_retries=Retry(
            total=RETRIES,
            status_forcelist=[429, 500, 502, 503, 504],
            allowed_methods=None,
            backoff_factor=BACKOFF_S,
            backoff_max=LONGEST_BACKOFF_S,
            retry_after_max=LONGEST_BACKOFF_S,
            raise_on_status=False,
        )
    )


def _fetch(method: str, url: str, **sent: Any) -> Any:
    import requests

    with requests.Session() as session:
        session.mount("http://", patient_adapter())
        session.mount("https://", patient_adapter())
        # A redirect could carry the key to another host.
        response = session.request(method, url, timeout=(CONNECT_S, READ_S), allow_redirects=False, **sent)
        response.raise_for_status()
        if response.is_redirect:
            raise requests.HTTPError(f"it redirects to {response.headers['location']}", response=response)
        return response.json()


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """Call in another thread and give up after so many seconds: timeouts of sockets count from byte to byte only."""
    box: queue.SimpleQueue = queue.SimpleQueue()

    def run() -> None:
        try:
            box.put((call(), None))
        except Exception as error:
            box.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        value, error = box.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no whole answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return value


def _explained(error: BaseException) -> tuple[str, int | None]:
    """Say in words what went wrong, and with which HTTP status; clients wrap the error that tells."""
    import requests

    chain: BaseException | None = error
    while chain is not None and not isinstance(chain, requests.RequestException):
        chain = chain.__cause__ or chain.__context__
    known = chain if chain is not None else error
    if isinstance(known, requests.HTTPError) and known.response is not None:
        status = known.response.status_code
        words = {
            401: "it does not accept the key (401)",
            402: "the key's plan does not cover this question (402)",
            403: "the key does not allow this question (403)",
            404: "it knows no such thing (404)",
            429: "it asks for fewer questions (429)",
        }
        return words.get(status, f"it answered with status {status}"), status
    if isinstance(known, requests.exceptions.JSONDecodeError | json.JSONDecodeError):
        return "its answer is not JSON", None
    if isinstance(known, requests.Timeout | TimeoutError):
        return "it did not answer in time", None
    if isinstance(known, requests.ConnectionError):
        return "it cannot be reached", None
    if isinstance(known, ValidationError):
        first = known.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        return f"its answer has another shape than documented: {place}: {first['msg'].lower()}", None
    return f"{type(known).__name__}: {known}", None
