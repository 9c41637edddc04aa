"""What signatures in PDF files, and the certificates of packets, are judged on: who is registered, whom the trust store
trusts, what is known of revocation. Made only when it is asked for, and anew when something of it has changed.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection, Engine

from hub.domain.signature import fingerprint
from hub.domain.trust import Material
from hub.errors import Refusal
from hub.exchange import trust
from hub.pdf import Asked, Examiner
from hub.store import trust as rows
from hub.store.engine import reading
from hub.store.roster import Roster

_FRESH = 1.0  # seconds
_UNSAID = datetime.min.replace(tzinfo=UTC)  # each question says it
_Known = dict[str, tuple[Literal["agency", "person"], str]]


class Grounds:
    """What one examiner knows."""

    def __init__(self, engine: Engine, examiner: Examiner) -> None:
        self._engine, self._examiner = engine, examiner
        self._version: Any = None
        self._looked = (-1, 0.0)  # at which roster, and when

    def tell(self, roster: Roster) -> None:
        """Have the examiner judge on what stands now, or stood a second ago."""
        version, at = self._looked
        if version == roster.version and time.monotonic() - at < _FRESH:
            return
        with reading(self._engine) as connection:
            newest = roster.version, rows.version(connection)
            if newest != self._version:
                self._examiner.know(_asked(connection, roster))
                self._version = newest
        self._looked = roster.version, time.monotonic()


def _asked(connection: Connection, roster: Roster) -> Asked:
    store = trust.read(connection)
    known: _Known = {one: ("agency", counted[0].code) for one, counted in roster.certificates.items()}
    known |= {fingerprint(one): ("person", code) for code, persons in store.persons.items() for one in persons}
    return Asked(
        received=_UNSAID,
        anchors=tuple(map(_der, store.anchors)),
        intermediates=tuple(map(_der, store.intermediates)),
        stampers=tuple(map(_der, store.stampers)),
        revocation=tuple(Material(row["kind"], row["der"], row["fetched_at"]) for row in rows.all_material(connection)),
        known=known,
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def names_of(roster: Roster, code: str) -> tuple[str, ...]:
    """What a certificate of that agency may call it."""
    try:
        return trust.names_of(roster.directory, code)
    except Refusal:  # a unit below a platform need not be listed
        return (code,)
