"""Asking a server that may be anybody's: every answer ends, however large, slow or elsewhere it is."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from builders.ports import free_ports
from builders.revoking import RevocationServer, revocation_server

from hub.revocation import Fetcher, FetchError
from hub.revocation.fetch import CRL_BYTES, OCSP_BYTES


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
