"""One authority and its agency's certificate, judged with everything known that should be, unless told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from builders.authority import AGENCY, DAY, Authority, an_authority
from cryptography import x509

from hub.domain.trust import Material, Result, Validation, validate

AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
NOW = AT + 30 * DAY  # when revocation data was had, unless told
HOUR = timedelta(hours=1)


@cache
def the_authority() -> Authority:
    return an_authority(AT)


def crls(*octets: bytes, had: datetime = NOW) -> list[Material]:
    return [Material("crl", one, had) for one in octets]


def answers(*octets: bytes, had: datetime = NOW) -> list[Material]:
    return [Material("ocsp", one, had) for one in octets]


ALL_CRLS = crls(*the_authority().crls())
ROOT_CRL = ALL_CRLS[1:]


def judged(certificate: x509.Certificate | None = None, at: datetime = AT, **options: Any) -> Validation:
    """The agency's certificate, with everything known that should be, unless told."""
    authority = the_authority()
    usual: dict[str, Any] = {
        "anchors": [authority.root.certificate],
        "intermediates": [authority.intermediate.certificate],
        "revocation": ALL_CRLS,
        "agency": (AGENCY,),
    }
    return validate(certificate or authority.agency.certificate, at, **(usual | options))


def failed(validation: Validation) -> list[int]:
    return [step.number for step in validation.steps if step.result is Result.FAILED]
