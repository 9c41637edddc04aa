"""What registering a certificate costs and how many an agency may have (exchange rules 2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from builders.axis import Axis, Peer
from builders.keys import a_certificate

from hub.domain.signature import prove, statement
from hub.errors import Refusal
from hub.exchange import enrol
from hub.store import roster
from hub.store.engine import reading

ENDED = datetime(2025, 6, 1, tzinfo=UTC)


def register(peer: Peer, private_key: Any, certificate: Any) -> dict[str, Any]:
    """With the one-time code of the peer's enrolment."""
    once = peer.credentials["code"]
    proof = prove(private_key, statement(peer.system_id, peer.code, certificate, once))
    made: dict[str, Any] = peer.axis.desk.writer.run(
        enrol.register, enrol.Registration(peer.system_id, peer.code, certificate, proof, once)
    )
    return made


def registered(axis: Axis, code: str) -> int:
    with reading(axis.desk.engine) as connection:
        return len(roster.certificates_of(connection, [code]))


def test_a_certificate_that_has_ended_does_not_spend_the_one_time_code(axis: Axis) -> None:
    office = axis.enrol("G22", keyed=False)
    with pytest.raises(Refusal, match=r"^certificate-ended"):
        register(office, *a_certificate("đã hết hạn", not_after=ENDED))
    register(office, *a_certificate("còn hạn"))
    assert registered(axis, "G22") == 1


def test_an_agency_has_twenty_standing_certificates_at_most(axis: Axis) -> None:
    for number in range(20):
        office = axis.enrol("G22", f"khóa {number}")
    with pytest.raises(Refusal, match=r"^too-many-certificates"):
        axis.enrol("G22", "khóa 20")
    assert registered(axis, "G22") == 20
    nearest = axis.desk.rosters.current(now=True).directory.nearest("G22")
    assert nearest is not None
    assert nearest.id == office.system_id
