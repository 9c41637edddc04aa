"""Whom a signature stands for: the four cases of exchange rules 3, as one table.

| case | the packet's certificate                       | ``required``            | legacy                     |
|------|------------------------------------------------|-------------------------|----------------------------|
| 1    | there is none                                  | ``signature-required``  | unsigned                   |
| 2    | registered, to none who may sign for ``From``  | ``certificate-other-agency`` in both                 |
| 2    | registered to one who may, not for this moment | ``certificate-ended`` in both                        |
| 3    | not registered here                            | ``certificate-unknown`` | unsigned, with a warning   |
| 4    | registered to one who may, and counting        | signed by that agency                                |

Cases 2 are refused in every profile: a signature that counts for somebody else must not sink to "unsigned".
Cryptography is over when this begins (``verify``); who may sign for whom, and what is registered, is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from hub.domain.signature.verify import Signed, Unsigned
from hub.errors import Refusal, Severity, Violation, violation


@dataclass(frozen=True, slots=True)
class Counted:
    """A registered certificate: whose it is, and from when until when, both included, it counts here."""

    fingerprint: str
    code: str
    since: datetime
    until: datetime


class Standing(StrEnum):
    """What recipients and operators are told of the packet."""

    SIGNED = "signed"
    SIGNED_BY_PLATFORM = "signed-by-platform"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``owner`` is the agency code the certificate belongs to; it and ``fingerprint`` are empty when unsigned.

    ``why`` is the stable word for unsigned: those of :class:`Unsigned`, or ``certificate-unknown``.
    """

    standing: Standing
    owner: str = ""
    fingerprint: str = ""
    warnings: tuple[Violation, ...] = ()
    why: str = ""


def judge(
    result: Unsigned | Signed,
    *,
    sender: str,
    may_sign: Sequence[str],
    platform: str,
    registered: Sequence[Counted],
    required: bool,
    at: datetime,
) -> Verdict:
    """The verdict on a packet ``From`` the agency ``sender``, at the moment ``at``.

    ``may_sign`` are the codes that may sign for it: its own, those equal to it and its successor, then the
    platform's; ``platform`` is the platform's code or empty; ``registered`` are all rows with the certificate's
    fingerprint. Raises ``Refusal`` signature-required, certificate-other-agency, -ended or -unknown.
    """
    if isinstance(result, Unsigned):
        if required:
            raise Refusal("signature-required", pointer="Signature", facts={"why": result.why})
        return Verdict(Standing.UNSIGNED, why=result.why)
    warnings = (_SHA1,) if result.sha1 else ()
    rows = [row for row in registered if row.fingerprint == result.fingerprint]
    if not rows:
        refusal = _unknown(result.certificate, sender)
        if required:
            raise refusal
        unknown = replace(refusal.violations[0], severity=Severity.WARNING)
        return Verdict(Standing.UNSIGNED, warnings=(unknown, *warnings), why=refusal.code)
    owners = {row.code for row in rows}
    if owners.isdisjoint(may_sign):
        raise Refusal("certificate-other-agency", pointer=_POINTER, facts={"code": sender})
    counting = {row.code for row in rows if row.since <= at <= row.until}
    owner = next((code for code in may_sign if code in counting), None)
    if owner is None:
        raise Refusal("certificate-ended", pointer=_POINTER)
    by_platform = owner == platform != sender
    standing = Standing.SIGNED_BY_PLATFORM if by_platform else Standing.SIGNED
    return Verdict(standing, owner, result.fingerprint, warnings)


_POINTER = "Signature/KeyInfo/X509Data/X509Certificate"

_SHA1 = violation("signature-sha1", "Signature/SignedInfo", "SHA-1")


def _unknown(certificate: x509.Certificate, sender: str) -> Refusal:
    facts = {
        "subject": certificate.subject.rfc4514_string(),
        "serial": f"{certificate.serial_number:X}",
        "code": sender,
    }
    return Refusal("certificate-unknown", _POINTER, f"{facts['subject']} ({facts['serial']})", facts)
