"""Whom to ask about the certificates of a path, and what of the answers is believed enough to be kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from hub.domain.trust import Material
from hub.domain.trust.certificates import HASHES, Told, extension, shown
from hub.domain.trust.path import Path
from hub.domain.trust.revocation import Status, status_of
from hub.errors import Refusal
from hub.exchange.trust import MAXIMUM_AGE, Kept, answer_of, crl_of
from hub.revocation.fetch import Fetcher, FetchError, is_fetchable

# How long what was had serves before it is asked for again. It ends at its nextUpdate in any case.
FRESH: dict[Literal["crl", "ocsp"], timedelta] = {"ocsp": timedelta(hours=1), "crl": timedelta(days=1)}
_MOST_URLS = 3  # of a kind in one certificate


@dataclass(slots=True)
class Gathered:
    """``kept`` is new and verified; ``told`` says of each source that gave nothing why, in both languages."""

    kept: list[Kept] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    @property
    def material(self) -> tuple[Material, ...]:
        return tuple(one.material for one in self.kept)


def gather(
    path: Path, at: datetime, stored: Collection[Material], fetcher: Fetcher, clock: Callable[[], datetime]
) -> Gathered:
    """Have what tells the status at ``at`` of each certificate of a path, where what is stored is not fresh.

    OCSP is asked first; a CRL is fetched where no answer was had. Of a path that does not hold nothing is fetched: its
    URLs may be anybody's. Raises nothing.
    """
    found = Gathered()
    if not path.trusted:
        return found
    oldest = {kind: clock() - age for kind, age in FRESH.items()}
    fresh = [one for one in stored if one.had >= oldest[one.kind]]
    for certificate, issuer in zip(path.certificates, path.certificates[1:], strict=False):
        if _status(certificate, issuer, at, [*fresh, *found.material]).result == "unknown":
            crls = [one for one in (*stored, *found.material) if one.kind == "crl"]  # of delegated responders
            _ask(certificate, issuer, at, crls, fetcher, clock, found)
    return found


def _status(
    certificate: x509.Certificate, issuer: x509.Certificate, at: datetime, known: Collection[Material]
) -> Status:
    return status_of(certificate, issuer, at, known, hashes=HASHES["2025"], maximum_age=MAXIMUM_AGE)


def _ask(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    crls: Collection[Material],
    fetcher: Fetcher,
    clock: Callable[[], datetime],
    found: Gathered,
) -> None:
    name = shown(certificate)
    for url in _responders(certificate):
        try:
            item = Material("ocsp", fetcher.ocsp(url, _question(certificate, issuer)), clock())
        except FetchError as why:
            found.told.append(_told(name, url, why))
            continue
        status = _status(certificate, issuer, at, [item, *crls])
        if item in status.used:
            found.kept.append(answer_of(item, certificate, url))
            return
        found.told.append((f"{url}: {status.told[0]}", f"{url}: {status.told[1]}"))
    for url in _points(certificate):
        try:
            found.kept.append(crl_of(fetcher.crl(url), [issuer], clock(), url))
        except FetchError as why:
            found.told.append(_told(name, url, why))
        except Refusal as refused:
            found.told.append((f"{name}, {url}: {refused.vi}", f"{name}, {url}: {refused.en}"))
        else:
            return


def _told(name: str, url: str, why: FetchError) -> Told:
    vi, en = why.args
    return f"{name}, {url}: {vi}", f"{name}, {url}: {en}"


def _question(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """RFC 6960 §4.1. The hash names the issuer and protects nothing; responders by RFC 5019 know SHA-1 alone."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303  (see above)
    return builder.build().public_bytes(Encoding.DER)


def _responders(certificate: x509.Certificate) -> list[str]:
    access = extension(certificate.extensions, x509.AuthorityInformationAccess) or ()
    return _few(one.access_location for one in access if one.access_method == AuthorityInformationAccessOID.OCSP)


def _points(certificate: x509.Certificate) -> list[str]:
    points = extension(certificate.extensions, x509.CRLDistributionPoints) or ()
    return _few(name for point in points for name in point.full_name or ())


def _few(names: Iterator[x509.GeneralName]) -> list[str]:
    urls = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
    return [url for url in dict.fromkeys(urls) if is_fetchable(url)][:_MOST_URLS]
