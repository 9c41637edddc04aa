"""The trust store: which authorities and persons count, what is known of revocation, and judging by it.

What a serving hub and the command share; nothing is fetched here (``hub.revocation`` does that).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from sqlalchemy import Connection

from hub.domain.agency import Directory
from hub.domain.signature import fingerprint
from hub.domain.trust import Material, Validation, validate
from hub.domain.trust.certificates import (
    UNREADABLE,
    Told,
    extension,
    is_issued_by,
    is_readable,
    is_signed,
    shown,
    weak_key,
)
from hub.domain.trust.path import Path, find_path
from hub.errors import Refusal
from hub.exchange.writer import Transaction, each
from hub.store import trust

ROLES = ("root", "intermediate", "person", "tsa")
_ROOTS = ("root", "tsa")
MAXIMUM_AGE = timedelta(days=7)  # of revocation data older than the moment that is judged
_SHORTEST = 8  # digits of a fingerprint that name a certificate


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Whom to trust: ``anchors`` as they are, ``intermediates`` in nothing; ``persons`` by their agency's code.

    ``stampers`` are roots that count for timestamps alone; the anchors do for them too.
    """

    anchors: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]
    persons: Mapping[str, tuple[x509.Certificate, ...]]
    stampers: tuple[x509.Certificate, ...] = ()

    def path(self, certificate: x509.Certificate, at: datetime, brought: Collection[x509.Certificate] = ()) -> Path:
        """The way from a certificate to an anchor at a moment; ``brought`` are authorities that came along with it."""
        if not is_readable(certificate):
            return Path((certificate,), trusted=False)
        return find_path(certificate, at, self.anchors, (*self.intermediates, *brought), "2025")


def read(connection: Connection) -> TrustStore:
    """The snapshot as the connection sees it."""
    found: dict[str, list[x509.Certificate]] = {role: [] for role in ROLES}
    persons: dict[str, list[x509.Certificate]] = defaultdict(list)
    for row in trust.standing(connection):
        certificate = x509.load_der_x509_certificate(row["der"])
        found[row["role"]].append(certificate)
        if row["code"]:
            persons[row["code"]].append(certificate)
    by_code = {code: tuple(certificates) for code, certificates in persons.items()}
    return TrustStore(tuple(found["root"]), tuple(found["intermediate"]), by_code, tuple(found["tsa"]))


def material(connection: Connection, path: Sequence[x509.Certificate]) -> tuple[Material, ...]:
    """What is kept about the certificates of a path: those of :func:`hub.domain.trust.path.find_path`."""
    about = {_about_crl(issuer) for issuer in path[1:]} | {fingerprint(one) for one in path}
    return tuple(Material(row["kind"], row["der"], row["fetched_at"]) for row in trust.material(connection, about))


def names_of(directory: Directory, code: str) -> tuple[str, ...]:
    """What a certificate of that agency may call it: its name and its codes. Raises ``agency-unknown``."""
    known = directory.resolve(code)
    agency = directory.listed(known)
    if agency is None:
        raise Refusal("agency-unknown", "code", code, {"code": code})
    return (agency.name, *directory.spellings(known))


def judge(
    connection: Connection,
    certificate: x509.Certificate,
    at: datetime,
    *,
    brought: Collection[x509.Certificate] = (),
    agency: Collection[str] = (),
    timestamped: bool = False,
) -> Validation:
    """:func:`hub.domain.trust.validate` by this store; ``agency`` as there (see :func:`names_of`)."""
    store = read(connection)
    path = store.path(certificate, at, brought).certificates
    return validate(
        certificate,
        at,
        anchors=store.anchors,
        intermediates=(*store.intermediates, *brought),
        revocation=material(connection, path),
        maximum_age=MAXIMUM_AGE,
        agency=agency,
        timestamped=timestamped,
    )


@dataclass(frozen=True, slots=True)
class Additions:
    """Certificates to trust, all or none. Without ``role`` each is what it can be, but a root never; ``code`` is the
    agency of persons."""

    certificates: tuple[x509.Certificate, ...]
    role: str = ""
    code: str = ""


@each
def add(tx: Transaction, job: Additions) -> list[dict[str, Any]]:
    """Take certificates into the store: ``{fingerprint, role, code, subject}`` of each.

    Raises ``trust-unfit`` for what cannot be what it shall be, ``agency-unknown`` for a code that is not listed.
    """
    code = tx.roster.directory.resolve(job.code) if job.code else ""
    if code:
        names_of(tx.roster.directory, code)
    made = []
    for certificate in job.certificates:
        role = _role(certificate, job.role, code)
        row = {
            "fingerprint": fingerprint(certificate), "role": role, "code": code if role == "person" else "",
            "der": certificate.public_bytes(Encoding.DER), "added_at": tx.now,
        }  # fmt: skip
        trust.put(tx.connection, row)
        told = {name: row[name] for name in ("fingerprint", "role", "code")}
        made.append(told | {"subject": certificate.subject.rfc4514_string()})
    return made


def _role(certificate: x509.Certificate, wanted: str, code: str) -> str:
    """The role it is taken in. Raises ``trust-unfit``."""
    if not is_readable(certificate):
        raise _unfit("?", wanted or "root", ("không đọc được", "it cannot be read"), "PEM, DER")
    name = shown(certificate)
    rights = _lacking(certificate)
    itself = is_issued_by(certificate, certificate)
    if not wanted and rights is None and itself:
        told = "chưa được chỉ định, mà gốc chỉ được tin cậy khi có chỉ định", "a root is trusted only if that is said"
        raise _unfit(name, "root", told, "--role root")
    role = wanted or ("intermediate" if rights is None else "person")
    if role == "person":
        if rights is None:
            told = "đây là chứng thư của nơi cấp chứng thư", "it is that of an authority"
            raise _unfit(name, role, told, "--role root, --role intermediate")
        if not code:
            raise _unfit(name, role, ("chưa nói của cơ quan nào", "its agency is not said"), "--code H41")
        return role
    if rights is not None:
        raise _unfit(name, role, rights, "--role person --code H41")
    if role in _ROOTS and not itself:
        told = "không tự ký, mà do nơi khác cấp", "it is not signed by itself but issued by another"
        raise _unfit(name, role, told, "--role intermediate")
    weak = weak_key(certificate)
    if weak:
        raise _unfit(name, role, (f"khóa {weak} quá yếu", f"its key, {weak}, is too weak"), "RSA ≥ 2048, P-256")
    return role


def _lacking(certificate: x509.Certificate) -> Told | None:
    """Why it cannot issue certificates (RFC 5280 §4.2.1.3, §4.2.1.9)."""
    constraints = extension(certificate.extensions, x509.BasicConstraints)
    usage = extension(certificate.extensions, x509.KeyUsage)
    if constraints is None or not constraints.ca:
        return "không phải CA (BasicConstraints)", "it is no CA (BasicConstraints)"
    if usage is not None and not usage.key_cert_sign:
        return "không được phép cấp chứng thư (KeyUsage)", "it may not sign certificates (KeyUsage)"
    return None


def _unfit(subject: str, role: str, why: Told, repair: str) -> Refusal:
    facts = {"subject": subject, "role": role, "vi": why[0], "en": why[1], "repair": repair}
    return Refusal("trust-unfit", "certificate", subject, facts)


@each
def remove(tx: Transaction, prefix: str) -> dict[str, Any]:
    """No longer trust what has such a fingerprint, or a part from its beginning. Raises ``trust-unknown``."""
    found = trust.standing(tx.connection, prefix.lower()) if len(prefix) >= _SHORTEST else []
    if len(found) != 1:
        raise Refusal("trust-unknown", "fingerprint", prefix, {"prefix": prefix[:64]})
    trust.remove(tx.connection, found[0]["fingerprint"], tx.now)
    return {"fingerprint": found[0]["fingerprint"], "role": found[0]["role"]}


@dataclass(frozen=True, slots=True)
class Kept:
    """Revocation material that was verified, and its source: ``url`` is empty for a file."""

    material: Material
    about: str
    url: str
    this_update: datetime
    next_update: datetime | None


def crl_of(octets: bytes, authorities: Collection[x509.Certificate], had: datetime, url: str = "") -> Kept:
    """A CRL that one of these issued, from DER or PEM. Raises ``crl-unfit``."""
    try:
        pem = octets.lstrip().startswith(b"-----BEGIN")
        crl = x509.load_pem_x509_crl(octets) if pem else x509.load_der_x509_crl(octets)
        scope = extension(crl.extensions, x509.IssuingDistributionPoint)
        delta = extension(crl.extensions, x509.DeltaCRLIndicator) is not None
        algorithm, scheme = crl.signature_hash_algorithm, crl.signature_algorithm_parameters
        issuers = [one for one in authorities if one.subject == crl.issuer]
        value, signed = crl.signature, crl.tbs_certlist_bytes
        name, made, until = crl.issuer.rfc4514_string(), crl.last_update_utc, crl.next_update_utc
    except UNREADABLE:
        raise _no_crl(("không đọc được", "it cannot be read"), "CRL: DER, PEM") from None
    if delta:
        raise _no_crl(("đây là CRL bổ sung", "it is a delta CRL"), "CRL đầy đủ / a complete CRL")
    issuer = next((one for one in issuers if is_signed(one, value, signed, algorithm, scheme)), None)
    if issuer is None:
        told = f"không có nơi cấp nào đã biết ký nó ({name})", f"no authority known here signed it ({name})"
        raise _no_crl(told, "hub trust add")
    points = [str(point.value) for point in (scope.full_name or ())] if scope else []
    der = crl.public_bytes(Encoding.DER)
    return Kept(Material("crl", der, had), _about_crl(issuer), url or "".join(points[:1]), made, until)


def _no_crl(why: Told, repair: str) -> Refusal:
    return Refusal("crl-unfit", "crl", facts={"vi": why[0], "en": why[1], "repair": repair})


def _about_crl(issuer: x509.Certificate) -> str:
    """Of the key and not of the name: an authority that changes its key keeps its name."""
    key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def answer_of(item: Material, certificate: x509.Certificate, url: str) -> Kept:
    """An OCSP answer that was found to tell the status of the certificate."""
    answers = ocsp.load_der_ocsp_response(item.octets).responses
    single = next(one for one in answers if one.serial_number == certificate.serial_number)
    return Kept(item, fingerprint(certificate), url, single.this_update_utc, single.next_update_utc)


@each
def keep(tx: Transaction, jobs: Sequence[Kept]) -> int:
    """Keep revocation material in place of what came before it from the same source; gives how much was new.

    What is older than what is there is left out: whoever stands between could repeat it.
    """
    new = 0
    for job in jobs:
        sha256 = hashlib.sha256(job.material.octets).hexdigest()
        if trust.is_kept(tx.connection, sha256):
            trust.fetched_again(tx.connection, sha256, job.material.had)
            continue
        earlier = trust.same_source(tx.connection, job.material.kind, job.about, job.url)
        if earlier is not None and earlier["this_update"] > job.this_update:
            continue
        if earlier is not None:
            trust.drop_material(tx.connection, earlier["sha256"])
        row = {
            "sha256": sha256, "kind": job.material.kind, "about": job.about, "url": job.url,
            "der": job.material.octets, "this_update": job.this_update, "next_update": job.next_update,
            "fetched_at": job.material.had,
        }  # fmt: skip
        trust.keep_material(tx.connection, row)
        new += 1
    return new
