"""Whatever a service does, a reader gets an answer that says where it comes from, or one error, and soon."""

import os
import traceback

import pytest
from hypothesis import given, strategies as st
from loopback import Reply
from pydantic import BaseModel

import greenlib as gl
from greenlib.feeds import service
from greenlib.feeds.service import FeedError, Service

KEY = "s3cret-key"


class Intensity(BaseModel):
    grams: float


@pytest.fixture
def asked(loopback, monkeypatch):
    """Return a function that asks the loopback server, and the server."""
    monkeypatch.setenv("THING_URL", loopback.address + "/")
    monkeypatch.setenv("THING_KEY", KEY)
    thing = Service("Thing", "thing", "https://thing.invalid", "THING_URL", ("THING_KEY",))

    def ask(fresh_s=0.0):
        return thing.get("now", Intensity, parameters={"zone": "FI"}, headers={"auth": KEY}, fresh_s=fresh_s)

    loopback.pages["/now"] = Reply({"grams": 30})
    return ask, loopback


def test_a_live_answer_says_so_and_carries_the_question(asked):
    ask, server = asked
    answer = ask()
    assert (answer.body.grams, answer.how, answer.replayed) == (30, "live", False)
    assert server.asked[0].parameters == {"zone": "FI"}
    assert server.asked[0].headers["auth"] == KEY


def test_a_fresh_answer_is_not_asked_for_again_and_a_stale_one_is(asked):
    ask, server = asked
    ask()
    assert ask(fresh_s=60).how == "cached"
    assert len(server.asked) == 1
    assert ask(fresh_s=0).how == "live"
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_fault_that_passes_is_asked_through(asked, status):
    ask, server = asked
    server.script = [Reply(status=status, headers={"Retry-After": "0"})] * 2
    assert ask().how == "live"
    assert len(server.asked) == 3


def test_a_server_may_not_make_the_reader_wait_as_long_as_it_likes(asked, monkeypatch):
    monkeypatch.setattr(service, "LONGEST_BACKOFF_S", 0)
    ask, server = asked
    server.script = [Reply(status=429, headers={"Retry-After": "3600"})]
    assert ask().how == "live"


FAULTS = {
    "500s": [Reply(status=500)] * 9,
    "429s": [Reply(status=429)] * 9,
    "hangs up": [Reply(hang_up=True)] * 9,
    "not JSON": [Reply("<html>busy</html>")],
    "missing field": [Reply({"other": 1})],
    "wrong type": [Reply({"grams": "many"})],
    "a list": [Reply([])],
    "silent": [Reply(wait_s=2)] * 9,
    "drips": [Reply({"grams": 30}, drip_s=0.1)] * 9,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_the_old_answer_which_says_so(asked, monkeypatch, fault):
    monkeypatch.setattr(service, "LONGEST_S", 0.5)
    ask, server = asked
    first = ask()
    server.script = list(FAULTS[fault])
    answer = ask()
    assert (answer.body.grams, answer.how, answer.recorded) == (30, "replayed", first.recorded)
    assert "failed" in answer.note
    assert first.recorded in answer.note


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_without_an_old_answer_ends_in_one_error_that_holds_no_key(asked, monkeypatch, fault):
    monkeypatch.setattr(service, "LONGEST_S", 0.5)
    ask, server = asked
    server.script = list(FAULTS[fault])
    with pytest.raises(FeedError, match=r"^Thing: it") as caught:
        ask()
    assert isinstance(caught.value, gl.GreenlibError)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
def test_a_refused_key_or_question_is_told_even_if_there_is_an_old_answer(asked, status):
    ask, server = asked
    ask()
    server.script = [Reply({"message": f"bad key {KEY}"}, status=status)]
    with pytest.raises(FeedError) as caught:
        ask()
    assert caught.value.status == status
    assert KEY not in str(caught.value)


def test_a_client_that_puts_the_key_into_its_error_does_not_show_it(monkeypatch):
    def fetch():
        raise ValueError(f"Bearer {KEY} is odd")

    monkeypatch.setenv("THING_KEY", KEY)
    thing = Service("Thing", "thing", "https://thing.invalid", "THING_URL", ("THING_KEY",))
    with pytest.raises(FeedError, match="Bearer … is odd") as caught:
        thing.ask("now", fetch, Intensity, fresh_s=0)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_redirect_is_not_followed_with_the_key(asked, loopback):
    ask, server = asked
    server.script = [Reply(status=302, headers={"Location": loopback.address + "/elsewhere"})]
    with pytest.raises(FeedError):
        ask()
    assert [question.path for question in server.asked] == ["/now"]


def test_a_server_that_is_gone_is_told_apart(asked):
    ask, server = asked
    server.close()
    with pytest.raises(FeedError, match="cannot be reached"):
        ask()


def test_the_cache_holds_no_key_and_a_broken_one_does_no_harm(asked):
    ask, _ = asked
    ask()
    file = service.cache_folder() / "answers.sqlite"
    assert b"grams" in file.read_bytes()
    assert KEY.encode() not in file.read_bytes()
    file.write_bytes(b"this is no database" * 100)
    assert ask(fresh_s=60).how == "live"


def test_a_login_in_the_address_reaches_neither_the_cache_nor_an_error(asked, monkeypatch):
    ask, server = asked
    monkeypatch.setenv("THING_URL", server.address.replace("//", "//me:half@word@"))
    assert ask().how == "live"
    assert b"word" not in (service.cache_folder() / "answers.sqlite").read_bytes()
    assert ask(fresh_s=60).how == "cached"
    monkeypatch.setenv("THING_URL", "me:half@word@host")
    with pytest.raises(gl.ArgumentError, match="'host'") as caught:
        ask()
    assert "word" not in str(caught.value)


def test_a_folder_that_cannot_be_written_does_no_harm(asked, monkeypatch, tmp_path):
    ask, _ = asked
    (tmp_path / "file").touch()
    monkeypatch.setenv("GREENLIB_CACHE", str(tmp_path / "file" / "below"))
    assert ask(fresh_s=60).how == "live"


def test_answers_of_different_questions_are_kept_apart(asked, monkeypatch):
    ask, server = asked
    ask()
    monkeypatch.setenv("THING_URL", server.address + "/other")
    server.pages["/other/now"] = Reply({"grams": 700})
    assert ask(fresh_s=60).body.grams == 700


def test_a_service_is_live_only_with_its_whole_key(monkeypatch):
    pair = Service("Pair", "pair", "https://pair.invalid", "PAIR_URL", ("PAIR_USER", "PAIR_PASSWORD"))
    assert not pair.is_live()
    monkeypatch.setenv("PAIR_USER", "reader")
    with pytest.raises(FeedError, match="PAIR_PASSWORD is not set"):
        pair.is_live()
    monkeypatch.setenv("PAIR_PASSWORD", "  ")
    with pytest.raises(FeedError, match="PAIR_PASSWORD"):
        pair.is_live()
    monkeypatch.setenv("PAIR_PASSWORD", " word ")
    assert pair.is_live()
    assert pair.key() == ("reader", "word")


def test_a_service_without_a_key_is_live_with_an_address(monkeypatch):
    open_service = Service("Open", "open", "https://open.invalid", "OPEN_URL")
    assert not open_service.is_live()
    monkeypatch.setenv("OPEN_URL", "http://127.0.0.1:1")
    assert open_service.is_live()


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://host", "http://", "nonsense"])
def test_an_address_that_is_none_is_refused(monkeypatch, address):
    monkeypatch.setenv("THING_URL", address)
    with pytest.raises(gl.ArgumentError, match="THING_URL"):
        Service("Thing", "thing", "https://thing.invalid", "THING_URL").base()


@given(st.text(min_size=1).filter(lambda text: not (text.strip().isascii() and text.strip().isprintable())))
def test_a_key_that_no_header_can_carry_is_refused_unseen(text):
    odd = Service("Odd", "odd", "https://odd.invalid", "ODD_URL", ("ODD_KEY",))
    text = text.replace("\0", "\n").encode("utf-8", "ignore").decode() + "\u00e9"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "ODD_KEY", text)
        with pytest.raises(FeedError) as caught:
            odd.key()
    assert caught.value.problem == "ODD_KEY holds characters that a key cannot have"
