"""A certification authority of two levels to try things with: `hub trust demo-ca` and the tests have it.

The keys are made here and the moments are passed in; nobody else trusts what it issues.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from hub.domain.trust import Verdict

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Algorithm = hashes.SHA224 | hashes.SHA256 | hashes.SHA3_256
Revoked = tuple[datetime, x509.ReasonFlags]

DAY = timedelta(days=1)
YEAR = 365 * DAY

# What a key may be used for, by the one who holds it.
AUTHORITY_USAGE = frozenset({"key_cert_sign", "crl_sign"})
SIGNER_USAGE = frozenset({"digital_signature", "content_commitment"})
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@dataclass(frozen=True)
class Holder:
    """Who has a key and a certificate for it."""

    certificate: x509.Certificate
    key: PrivateKey


def new_key(kind: str = "P-256") -> PrivateKey:
    """``P-256``, or ``RSA-<bits>``."""
    if kind == "P-256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, int(kind.removeprefix("RSA-")))


def issue(
    name: str,
    since: datetime,
    until: datetime,
    issuer: Holder | None = None,
    *,
    organization: str = "",
    authority: bool = False,
    below: int | None = None,
    usage: frozenset[str] | None = None,
    key: str | PrivateKey = "P-256",
    algorithm: Algorithm | None = None,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> Holder:
    """A certificate by ``issuer``, or by itself. ``below`` is its pathLenConstraint; extensions: with criticality."""
    own = new_key(key) if isinstance(key, str) else key
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organization:
        parts.insert(1, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    subject = x509.Name(parts)
    uses = usage if usage is not None else AUTHORITY_USAGE if authority else SIGNER_USAGE
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(authority, below), critical=True)
        .add_extension(x509.KeyUsage(**{use: use in uses for use in _USAGES}), critical=True)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return Holder(builder.sign(issuer.key if issuer else own, algorithm or hashes.SHA256()), own)


def crl(
    issuer: Holder,
    made: datetime,
    revoked: Mapping[int, Revoked] | None = None,
    until: datetime | None = None,
    *,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    algorithm: Algorithm | None = None,
) -> bytes:
    """A CRL, DER: ``revoked`` by serial number; it ends after a day unless told."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(made).next_update(until or made + DAY)
    for serial, (since, reason) in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.add_extension(x509.CRLReason(reason), critical=False).build())
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer.key, algorithm or hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def two_levels(at: datetime) -> tuple[Holder, Holder]:
    """A root and the authority below it, good for years around the moment."""
    root = issue("CA gốc thử nghiệm", at - 5 * YEAR, at + 15 * YEAR, authority=True)
    return root, issue("CA cấp dưới thử nghiệm", at - 3 * YEAR, at + 7 * YEAR, root, authority=True, below=0)


@dataclass(frozen=True)
class Issued:
    """A file of the folder: whose it is, and what `hub trust check` says of it for the first agency."""

    holder: Holder
    verdict: Verdict
    meaning: str


def write_folder(folder: Path, at: datetime, agencies: Mapping[str, tuple[str, str]]) -> dict[str, Issued]:
    """Make an authority that certified agencies and one defect of each kind, as files; gives them by name.

    ``agencies`` are codes with the agency's name and its leader's; two or more. Raises FileExistsError for a folder
    with something in it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(errno.EEXIST, "there is something in it already", str(folder))
    at = at.replace(microsecond=0)
    root, above = two_levels(at)
    issued = _issued(at, above, agencies)
    serial = issued["revoked"].holder.certificate.serial_number
    lists = {
        "root": crl(root, at, until=at + 30 * DAY),
        "intermediate": crl(above, at, {serial: (at - 2 * DAY, x509.ReasonFlags.key_compromise)}, at + 30 * DAY),
    }
    for name, octets in lists.items():
        (folder / f"{name}.crl").write_bytes(octets)
    for name, holder in {"root": root, "intermediate": above, **{n: i.holder for n, i in issued.items()}}.items():
        (folder / f"{name}.pem").write_bytes(holder.certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key = folder / f"{name}.key"
        key.touch(0o600)
        key.write_bytes(holder.key.private_bytes(*form))
    first = next(iter(agencies))
    told = "\n".join(f"{f'{name}.pem':20}{one.verdict:24}{one.meaning}" for name, one in issued.items())
    (folder / "README.txt").write_text(
        _README.format(first=first, told=told, until=f"{at + 7 * DAY:%Y-%m-%d}"), "utf-8"
    )
    return issued


_README = """\
A certification authority of two levels, to try things with. Nobody trusts it but a hub that is told to:

hub trust add root.pem --role root
hub trust add intermediate.pem
hub trust crl root.crl
hub trust crl intermediate.crl
hub trust check {first}.pem --code {first}

NAME.pem is a certificate, NAME.key its key (PKCS #8, not encrypted). With --code {first} the verdicts are:

{told}

What the CRLs say counts until {until}; after that make a new folder, or check --at a moment before.
"""


def _issued(at: datetime, above: Holder, agencies: Mapping[str, tuple[str, str]]) -> dict[str, Issued]:
    since, until = at - YEAR, at + YEAR
    made: dict[str, Issued] = {}
    (first, (agency, _)), (_, (other, _)) = list(agencies.items())[:2]
    for code, (name, leader) in agencies.items():
        verdict = Verdict.VALID_NO_TIMESTAMP if code == first else Verdict.NAME_MISMATCH
        made[code] = Issued(issue(name, since, until, above, organization=name), verdict, f"agency: {name}")
        holder = issue(leader, since, until, above, organization=name)
        made[f"leader-{code}"] = Issued(holder, verdict, f"leader: {leader}, {name}")

    def defect(
        case: str, verdict: Verdict, meaning: str, since: datetime = since, until: datetime = until, **terms: Any
    ) -> None:
        name = terms.pop("name", agency)
        made[case] = Issued(issue(name, since, until, above, organization=name, **terms), verdict, meaning)

    defect("expired", Verdict.EXPIRED_AT_SIGNING, "ended yesterday", until=at - DAY)
    defect("not-yet-valid", Verdict.EXPIRED_AT_SIGNING, "begins tomorrow", since=at + DAY)
    defect("revoked", Verdict.REVOKED_AT_SIGNING, "revoked two days ago, says intermediate.crl")
    defect("wrong-usage", Verdict.UNTRUSTED_CHAIN, "for encrypting, not for signing", usage=_ENCRYPTING)
    defect("weak-key", Verdict.WEAK_ALGORITHM, "RSA of 1024 bits", key="RSA-1024")
    defect("other-agency", Verdict.NAME_MISMATCH, f"that of {other}", name=other)
    return made


_ENCRYPTING = frozenset({"key_encipherment"})
