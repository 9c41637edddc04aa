"""A CRL host and OCSP responder on loopback, and certificates that name it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from builders.authority import AGENCY, ocsp_answer
from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from hub.authority import DAY, YEAR, Holder, Revoked, crl, issue, two_levels
from hub.domain.trust.path import Path, find_path


@dataclass(frozen=True)
class Page:
    """What is answered: in pieces, each sent by itself, without saying how long it all is."""

    pieces: tuple[bytes, ...]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class RevocationServer:
    """``pages`` by path, made from the request's body when asked; ``asked`` is what came, oldest first."""

    port: int
    pages: dict[str, Callable[[bytes], Page]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, path: str, *pieces: bytes, **terms: Any) -> None:
        self.pages[path] = lambda _body: Page(pieces, **terms)

    def answer(self, path: str, certificates: list[x509.Certificate], issuer: Holder, **terms: Any) -> None:
        """Answer about these certificates by OCSP, about each when it is asked for."""
        by_serial = {one.serial_number: one for one in certificates}

        def say(question: bytes) -> Page:
            certificate = by_serial[ocsp.load_der_ocsp_request(question).serial_number]
            return Page((ocsp_answer(certificate, issuer, **terms),))

        self.pages[path] = say


@contextmanager
def revocation_server() -> Iterator[RevocationServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.command, self.path))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            page = served.pages.get(self.path, lambda _body: Page((), 404))(body)
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # who has had enough goes away
                for piece in page.pieces:
                    self.wfile.write(piece)

        do_POST = do_GET  # noqa: N815  (the server's name for it)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  (the server's name for it)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = RevocationServer(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Named:
    """A root, an authority below it, and an agency's certificate; the last two name where to ask about them."""

    at: datetime
    root: Holder
    intermediate: Holder
    agency: Holder

    @property
    def path(self) -> Path:
        """The way from the agency's certificate to the root."""
        anchors, intermediates = [self.root.certificate], [self.intermediate.certificate]
        return find_path(self.agency.certificate, self.at, anchors, intermediates, "2025")

    def crls(self, revoked: Mapping[int, Revoked] | None = None, made: datetime | None = None) -> tuple[bytes, bytes]:
        """Of the intermediate and of the root, an hour old unless told."""
        when = made or self.at - timedelta(hours=1)
        return crl(self.intermediate, when, revoked), crl(self.root, when)


def places(points: list[str], responders: list[str]) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """The extensions that name CRLs and OCSP responders."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    if points:
        named = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in points]
        found.append((x509.CRLDistributionPoints(named), False))
    if responders:
        method = AuthorityInformationAccessOID.OCSP
        access = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in responders]
        found.append((x509.AuthorityInformationAccess(access), False))
    return tuple(found)


def named(at: datetime, points: list[str], responders: list[str], above: list[str]) -> Named:
    """``points`` and ``responders`` stand in the agency's certificate, ``above`` in the intermediate's."""
    root, _ = two_levels(at)
    spans = at - YEAR, at + YEAR
    intermediate = issue("CA cấp dưới", *spans, root, authority=True, below=0, extensions=places(above, []))
    extensions = places(points, responders)
    agency = issue(AGENCY, at - 30 * DAY, at + YEAR, intermediate, organization=AGENCY, extensions=extensions)
    return Named(at, root, intermediate, agency)
