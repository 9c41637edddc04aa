"""Asking a server that may be anybody's: every answer ends, however large, slow or elsewhere it is."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from builders.ports import free_ports
from builders.revoking import Page, RevocationServer, revocation_server

from hub.revocation import Fetcher, FetchError, stamped
from hub.revocation.fetch import CRL_BYTES, OCSP_BYTES, STAMP_BYTES


@pytest.fixture
def server() -> Iterator[RevocationServer]:
    with revocation_server() as running:
        yield running


def refused(url: str, fetcher: Fetcher | None = None) -> str:
    """Why nothing is had, in English."""
    with fetcher or Fetcher() as asking, pytest.raises(FetchError) as why:
        asking.crl(url)
    vietnamese, english = why.value.args
    assert vietnamese != english
    return str(english)


def test_what_lies_at_a_distribution_point_is_had_byte_for_byte(server: RevocationServer) -> None:
    server.serve("/ca.crl", b"\x30\x00", b"\xff" * 100_000)
    with Fetcher() as fetcher:
        assert fetcher.crl(server.url("/ca.crl")) == b"\x30\x00" + b"\xff" * 100_000


def test_a_crl_ends_at_twenty_mebibytes_and_an_answer_at_sixty_four_kibibytes(server: RevocationServer) -> None:
    mebibyte = b"\0" * 1024 * 1024
    server.serve("/most", *[mebibyte] * 20)
    server.serve("/more", *[mebibyte] * 20, b"\0")
    server.serve("/endless", *[mebibyte] * 400)
    with Fetcher() as fetcher:
        assert len(fetcher.crl(server.url("/most"))) == CRL_BYTES
        for path in ("/more", "/endless"):
            with pytest.raises(FetchError, match="larger than"):
                fetcher.crl(server.url(path))
        server.serve("/answer", b"\0" * OCSP_BYTES)
        assert len(fetcher.ocsp(server.url("/answer"), b"?")) == OCSP_BYTES
        server.serve("/answer", b"\0" * (OCSP_BYTES + 1))
        with pytest.raises(FetchError, match="larger than"):
            fetcher.ocsp(server.url("/answer"), b"?")


def test_what_is_packed_is_not_unpacked(server: RevocationServer) -> None:
    server.serve("/bomb", b"\x1f\x8b packed", headers={"Content-Encoding": "gzip"})
    with Fetcher() as fetcher:
        assert fetcher.crl(server.url("/bomb")) == b"\x1f\x8b packed"


def test_an_answer_that_comes_drop_by_drop_is_given_up(server: RevocationServer) -> None:
    server.serve("/slow", *[b"\0" * 100_000] * 100)
    clock = itertools.count(step=6)
    assert refused(server.url("/slow"), Fetcher(monotonic=lambda: float(next(clock)))) == "too slow"


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/ca.crl"
        assert "ReadTimeout" in refused(url, Fetcher(patience=timedelta(milliseconds=100)))


def test_a_server_that_is_not_there_is_told() -> None:
    assert "ConnectError" in refused(f"http://127.0.0.1:{free_ports(1)[0]}/ca.crl")


@pytest.mark.parametrize("target", ["/other", "http://127.0.0.1:1/", "file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_no_redirect_is_followed_wherever_it_leads(server: RevocationServer, target: str) -> None:
    server.serve("/moved", status=302, headers={"Location": target})
    server.serve("/other", b"secret")
    assert refused(server.url("/moved")) == "the server answered 302"
    assert server.asked == [("GET", "/moved")]


@pytest.mark.parametrize(
    "url",
    [
        *("ldap://127.0.0.1/cn=CA", "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "//x", "http://"),
        *("?", "http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:0/", "javascript:alert(1)"),
    ],
)
def test_nothing_but_http_to_a_host_is_asked(url: str) -> None:
    assert refused(url) == "only http and https can be fetched"


@pytest.mark.parametrize("url", ["http://\x00/", "http://a b/", "http://" + "ă" * 300 + "/", "http://127.0.0.1/\n\r"])
def test_an_address_that_no_client_understands_is_told_and_not_a_fault(url: str) -> None:
    assert refused(url)


@pytest.mark.parametrize("status", [204, 400, 404, 500, 503])
def test_any_status_but_200_is_told(server: RevocationServer, status: int) -> None:
    server.serve("/ca.crl", status=status)
    assert refused(server.url("/ca.crl")) == f"the server answered {status}"


# A timestamping authority, asked by a hub that serves.


def not_stamped(url: str, patience: float = 15) -> str:
    """Why there is no answer, in English."""
    with pytest.raises(FetchError) as why:
        asyncio.run(stamped(url, b"?", timedelta(seconds=patience)))
    vietnamese, english = why.value.args
    assert vietnamese != english
    return str(english)


def test_a_timestamping_authority_s_answer_is_had_byte_for_byte(server: RevocationServer) -> None:
    asked = []

    def answer(question: bytes) -> Page:
        asked.append(question)
        return Page((b"\x30", b"\x00"))

    server.pages["/tsa"] = answer
    assert asyncio.run(stamped(server.url("/tsa"), b"DER")) == b"\x30\x00"
    assert (asked, server.asked) == ([b"DER"], [("POST", "/tsa")])


def test_a_timestamping_authority_s_answer_ends_at_sixty_four_kibibytes(server: RevocationServer) -> None:
    server.serve("/most", b"\0" * STAMP_BYTES)
    server.serve("/endless", *[b"\0" * 65_536] * 1000)
    assert len(asyncio.run(stamped(server.url("/most"), b"?"))) == STAMP_BYTES
    assert "larger than" in not_stamped(server.url("/endless"))


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_timestamping_authority_that_never_comes_to_an_end_is_given_up(begin: bytes) -> None:
    """Drop by drop, wherever it begins: in its head, or in its body."""
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        with listener.accept()[0] as line:
            line.sendall(begin)
            while not over.wait(0.02):
                try:
                    line.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            assert not_stamped(f"http://127.0.0.1:{listener.getsockname()[1]}/", patience=0.3) == "too slow"
        finally:
            over.set()
            thread.join()


def test_a_timestamping_authority_that_is_not_there_or_elsewhere_or_has_a_fault_is_told(
    server: RevocationServer,
) -> None:
    server.serve("/moved", status=302, headers={"Location": "/other"})
    server.serve("/fault", status=500)
    assert not_stamped(server.url("/moved")) == "the server answered 302"
    assert not_stamped(server.url("/fault")) == "the server answered 500"
    assert "ConnectError" in not_stamped(f"http://127.0.0.1:{free_ports(1)[0]}/")
    assert not_stamped("ftp://127.0.0.1/") == "only http and https can be fetched"
    assert not_stamped("http://a b/")
