"""Calls of other servers are bounded in time, and say whether the request may have been acted on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from channels.providers.outgoing import NoAnswerError, NotSentError, Outgoing

_DRIP = 0.1


@pytest.fixture(autouse=True)
def _inside(settings: Settings) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]


@contextmanager
def _dripping(first: bytes, drop: bytes) -> Iterator[str]:
    """A server that answers ``first`` at once, then ``drop`` again and again."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                while True:
                    caller, _address = server.accept()
                    with caller:
                        caller.recv(65536)
                        caller.sendall(first)
                        for _drop in range(200):
                            time.sleep(_DRIP)
                            caller.sendall(drop)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        # Wakes accept, which closing alone would not.
        with socket.create_connection(server.getsockname()):
            server.shutdown(socket.SHUT_RDWR)


def test_an_answer_that_drips_before_it_says_anything_is_cut_off() -> None:
    outgoing = Outgoing(read_seconds=0.5)
    with _dripping(b"HTTP", b"-") as place:
        began = time.monotonic()
        with pytest.raises(NoAnswerError):
            outgoing.call("POST", f"http://{place}/", body=b"{}")
        assert time.monotonic() - began < 3
    outgoing.close()


def test_headers_that_drip_are_cut_off_and_the_status_counts() -> None:
    outgoing = Outgoing(read_seconds=0.5)
    with _dripping(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n") as place:
        began = time.monotonic()
        assert outgoing.call("POST", f"http://{place}/", body=b"{}").status == 200
        assert time.monotonic() - began < 3
    outgoing.close()


def test_a_body_that_drips_is_left_where_it_stands() -> None:
    outgoing = Outgoing(read_seconds=0.5)
    with _dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nfirst", b".") as place:
        began = time.monotonic()
        answer = outgoing.call("POST", f"http://{place}/", body=b"{}")
        assert time.monotonic() - began < 3
    assert answer.status == 200
    assert answer.body.startswith(b"first")
    outgoing.close()


def test_a_handshake_that_fails_says_that_nothing_was_sent() -> None:
    outgoing = Outgoing(read_seconds=0.5)
    with _dripping(b"HTTP/1.1 400 Bad Request\r\n\r\n", b".") as place, pytest.raises(NotSentError):
        outgoing.call("POST", f"https://{place}/", body=b"{}")
    outgoing.close()
